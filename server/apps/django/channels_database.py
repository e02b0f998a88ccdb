"""Django's ORM in Channels consumers, wrapped in `database_sync_to_async` as the manual of Channels has it."""

from __future__ import annotations

from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from server.apps.django import channels_consumers, project
from server.apps.django.channels_consumers import Consumer
from server.apps.django.database import NO_DEVICE, DjangoRows
from server.database.access import HEADER, Access, device
from server.responses import Pages

_HEADER = HEADER.lower().encode()


class Health(channels_consumers.Health):
    """`GET /health`."""

    def __init__(self, pages: Pages, rows: DjangoRows) -> None:
        super().__init__(pages)
        self.rows = rows

    def said(self, **more: object) -> bytes:
        """What it answers."""
        return super().said(at_once=self.rows.together.most)


class Hello(Consumer):
    """`GET /hello?page=1` (status of a device) and `?page=200` (bulk)."""

    def __init__(self, pages: Pages, rows: DjangoRows) -> None:
        super().__init__(pages)
        self.rows = rows

    async def handle(self, body: bytes) -> None:
        page = parse_qs(self.scope["query_string"].decode("latin-1")).get("page", [""])[0]
        if self.pages.find(page) is None:
            await self.answer(self.pages.refusal.encode(), status=404)
            return
        try:
            found = await self._rows(page)
        except self.rows.errors as error:
            await self.answer(self.rows.together.refusal(error).encode(), status=503)
            return
        if found is None:
            await self.answer(NO_DEVICE.encode(), status=404)
        else:
            await self.answer(found.encode())

    async def _rows(self, page: str) -> str | None:
        found: str | None
        if page == "1":
            named = dict(self.scope["headers"]).get(_HEADER)
            asking = device(None if named is None else named.decode("latin-1"))
            found = await database_sync_to_async(self.rows.poll)(asking)
        else:
            found = await database_sync_to_async(self.rows.fetch)()
        return found


def create_app(access: Access) -> ProtocolTypeRouter:
    """Wires the application."""
    pages, rows = Pages(), DjangoRows(access)
    project.configure(DATABASES=rows.databases(keep=True))
    rows.prepare()
    routes = [
        path("hello", Hello.as_asgi(pages=pages, rows=rows)),
        path("health", Health.as_asgi(pages=pages, rows=rows)),
    ]
    return ProtocolTypeRouter({"http": URLRouter(routes)})
