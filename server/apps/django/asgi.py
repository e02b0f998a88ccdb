"""Django with asynchronous views, on an ASGI server."""

from __future__ import annotations

import os

from django.core.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from server.apps.django import project
from server.database.access import Access
from server.responses import Pages


def create_app() -> ASGIHandler:
    """Wires the application; with a database, if the environment names one."""
    access = Access.from_environment(os.environ)
    if access is None:
        _wire_static()
    else:
        _wire_rows(access)
    return ASGIHandler()


def _wire_static() -> None:
    pages = Pages()

    async def hello(request: HttpRequest) -> HttpResponse:
        return project.hello(pages, request)

    async def health(request: HttpRequest) -> HttpResponse:
        return project.health(pages)

    project.configure(path("hello", hello), path("health", health))


def _wire_rows(access: Access) -> None:
    from server.apps.django import database

    pages, rows = Pages(), database.DjangoRows(access)

    async def hello(request: HttpRequest) -> HttpResponse:
        return await database.ahello(pages, rows, request)

    async def health(request: HttpRequest) -> HttpResponse:
        return database.health(pages, rows)

    project.configure(path("hello", hello), path("health", health), DATABASES=rows.databases(keep=False))
    rows.prepare()
