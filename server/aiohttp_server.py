"""aiohttp, on its own server; gunicorn only starts its workers."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from server.pages import Pages


async def create_app() -> web.Application:
    """Wires the application."""
    pages = Pages()

    async def hello(request: web.Request) -> web.Response:
        body = pages.find(request.query.get("page", ""))
        if body is None:
            raise web.HTTPNotFound(text=pages.refusal)
        return web.Response(body=body, content_type="text/plain", charset="utf-8")

    async def health(request: web.Request) -> web.Response:
        return web.Response(body=pages.health_json("aiohttp", aiohttp.__version__), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/hello", hello), web.get("/health", health)])
    return app
