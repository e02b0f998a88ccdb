"""Falcon WSGI: the resources of `falcon_asgi`, called by threads instead of a loop."""

from __future__ import annotations

import falcon
from falcon import App, Request, Response

from server.responses import Pages


class Hello:
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def on_get(self, req: Request, resp: Response) -> None:
        resp.data = self._pages.find(req.get_param("page", default=""))
        if resp.data is None:
            raise falcon.HTTPNotFound(title="No such page", description=self._pages.refusal)


class Health:
    """`GET /health`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.media = self._pages.health("falcon", falcon.__version__)


def create_app() -> App[Request, Response]:
    """Wires the application."""
    pages = Pages()
    app = App(media_type=falcon.MEDIA_TEXT)
    app.add_route("/hello", Hello(pages))
    app.add_route("/health", Health(pages))
    return app
