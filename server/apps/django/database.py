"""Rows by Django's ORM, for all Django systems: psycopg with Django's own pool on PostgreSQL, sqlite3 on SQLite.

Django allows no model before its settings are made, so the models come in a second step: `DjangoRows`, then
`django_project.configure(..., DATABASES=rows.databases(...))`, then `rows.prepare()`.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from threading import BoundedSemaphore
from typing import Any

from asgiref.sync import sync_to_async
from django.db import Error, connection, models
from django.db.backends.signals import connection_created
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from server.apps.django import project
from server.database.access import CONNECT_S, HEADER, SQLITE_PRAGMAS, WAIT_S, Access, device
from server.database.statements import BULK_ID, SLEEP
from server.database.together import Together
from server.responses import Pages

NO_DEVICE = "No such device.\n"
"""What is said, with 404, to a device without a row."""


class DjangoRows:
    """An `update` with `F` and a `get` for A, a `get` for B, each a transaction of its own, as Django has it by default."""

    errors = (Error,)

    def __init__(self, access: Access) -> None:
        self.together = Together(access.connections)
        self._access = access
        # SQLite has no pool; without a limit each thread would have a connection, and there can be a thread per request.
        self._slots = nullcontext() if access.url else BoundedSemaphore(access.connections)
        self._aslots = nullcontext() if access.url else asyncio.Semaphore(access.connections)

    def databases(self, *, keep: bool) -> dict[str, Any]:
        """The setting DATABASES.

        Args:
            keep: SQLite: each thread keeps its connection. Where Django makes a thread per request it must not, as nobody
                would close them.
        """
        return {"default": self._postgresql() if self._access.url else self._sqlite(None if keep else 0)}

    def _sqlite(self, max_age_s: int | None) -> dict[str, Any]:
        options = {"init_command": ";".join(SQLITE_PRAGMAS), "timeout": WAIT_S}
        found = {"ENGINE": "django.db.backends.sqlite3", "NAME": self._access.file, "CONN_MAX_AGE": max_age_s}
        return {**found, "OPTIONS": options}

    def _postgresql(self) -> dict[str, Any]:
        address, size = self._access.address, self._access.connections
        pool = {"min_size": size, "max_size": size, "timeout": WAIT_S}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.name,
            "USER": address.user,
            "PASSWORD": address.password,
            "HOST": address.host,
            "PORT": str(address.port),
            "OPTIONS": {"options": f"-c search_path={self._access.schema}", "connect_timeout": CONNECT_S, "pool": pool},
        }

    def prepare(self) -> None:
        """Makes the models; Django's settings must be made."""

        class Device(models.Model):
            device = models.BigIntegerField(primary_key=True)
            polls = models.BigIntegerField()
            seen_at = models.DateTimeField()
            body = models.TextField()

            class Meta:
                app_label, db_table, managed = "lab", "device_status", False

        class Bulk(models.Model):
            id = models.BigIntegerField(primary_key=True)
            body = models.TextField()

            class Meta:
                app_label, db_table, managed = "lab", "bulk", False

        self._devices, self._bulks = Device.objects, Bulk.objects
        if not self._access.url:
            connection_created.connect(_know_sleep)

    def poll(self, asking: int | None) -> str | None:
        """A: notes that this device asked, and reads its status; None if there is no such device."""
        if asking is None:
            return None
        with self._slots, self.together:
            self._wait()
            if not self._devices.filter(pk=asking).update(polls=models.F("polls") + 1, seen_at=Now()):
                return None
            body: str = self._devices.get(pk=asking).body
            return body

    def fetch(self) -> str:
        """B: reads the large block of data."""
        with self._slots, self.together:
            self._wait()
            body: str = self._bulks.get(pk=BULK_ID).body
            return body

    async def apoll(self, asking: int | None) -> str | None:
        """`poll` by the asynchronous methods."""
        if asking is None:
            return None
        async with self._aslots:
            with self.together:
                await self._await()
                if not await self._devices.filter(pk=asking).aupdate(polls=models.F("polls") + 1, seen_at=Now()):
                    return None
                body: str = (await self._devices.aget(pk=asking)).body
                return body

    async def afetch(self) -> str:
        """`fetch` by the asynchronous methods."""
        async with self._aslots:
            with self.together:
                await self._await()
                body: str = (await self._bulks.aget(pk=BULK_ID)).body
                return body

    async def _await(self) -> None:
        if self._access.delay_s:
            await sync_to_async(self._wait)()

    def _wait(self) -> None:
        if self._access.delay_s:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [self._access.delay_s])


def _know_sleep(*, connection: Any, **_: object) -> None:
    connection.connection.create_function(*SLEEP)


def hello(pages: Pages, rows: DjangoRows, request: HttpRequest) -> HttpResponse:
    """`GET /hello?page=1` (status of a device) and `?page=200` (bulk), by a synchronous view."""
    page = request.GET.get("page", "")
    if pages.find(page) is None:
        return project.answer(pages.refusal.encode(), 404)
    try:
        return _found(rows.poll(device(request.headers.get(HEADER))) if page == "1" else rows.fetch())
    except rows.errors as error:
        return project.answer(rows.together.refusal(error).encode(), 503)


async def ahello(pages: Pages, rows: DjangoRows, request: HttpRequest) -> HttpResponse:
    """The same by an asynchronous view."""
    page = request.GET.get("page", "")
    if pages.find(page) is None:
        return project.answer(pages.refusal.encode(), 404)
    try:
        return _found(await (rows.apoll(device(request.headers.get(HEADER))) if page == "1" else rows.afetch()))
    except rows.errors as error:
        return project.answer(rows.together.refusal(error).encode(), 503)


def health(pages: Pages, rows: DjangoRows) -> HttpResponse:
    """`GET /health`."""
    return project.health(pages, at_once=rows.together.most)


def _found(body: str | None) -> HttpResponse:
    if body is None:
        return project.answer(NO_DEVICE.encode(), 404)
    return project.answer(body.encode())
