"""Django with Channels: consumers instead of views. Serves Channels 3 on Python 3.9 too."""

from __future__ import annotations

from urllib.parse import parse_qs

import channels
from channels.generic.http import AsyncHttpConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from server.apps.django import project
from server.responses import CONTENT_TYPE, Pages


class Consumer(AsyncHttpConsumer):
    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self.pages = pages

    async def answer(self, body: bytes, *, status: int = 200, content_type: str = CONTENT_TYPE) -> None:
        """Answers with a Content-Length; without one it would come in chunks."""
        headers = [(b"Content-Type", content_type.encode()), (b"Content-Length", b"%d" % len(body))]
        await self.send_response(status, body, headers=headers)


class Hello(Consumer):
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""

    async def handle(self, body: bytes) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        page = self.pages.find(query.get("page", [""])[0])
        if page is None:
            await self.answer(self.pages.refusal.encode(), status=404)
        else:
            await self.answer(page)


class Health(Consumer):
    """`GET /health`."""

    async def handle(self, body: bytes) -> None:
        await self.answer(self.said(), content_type="application/json")

    def said(self, **more: object) -> bytes:
        """What it answers."""
        return self.pages.health_json("channels", channels.__version__, **more)


def create_app() -> ProtocolTypeRouter:
    """Wires the application of constant bytes."""
    pages = Pages()
    project.configure()
    routes = [path("hello", Hello.as_asgi(pages=pages)), path("health", Health.as_asgi(pages=pages))]
    return ProtocolTypeRouter({"http": URLRouter(routes)})
