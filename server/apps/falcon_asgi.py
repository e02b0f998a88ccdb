"""Falcon ASGI, the system under test: two bodies of constant length on one route, and what a worker says of itself.

Settings in, an ASGI application out. `uvicorn --factory server.apps.falcon_asgi:create_app` starts it.
"""

from __future__ import annotations

import os

import falcon
from falcon.asgi import App, Request, Response

from server.database.access import Access
from server.responses import Pages
from server.settings import Settings


class Hello:
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def on_get(self, req: Request, resp: Response) -> None:
        # PERF: bytes made beforehand and handed over as `data`, with the application's default
        #   content type. Falcon then takes 5.2 us per request, where JSON of the same length as
        #   `media` takes 8.0. Asking for the parameter is 0.4 of them; looking the raw query
        #   string up instead would save that and refuse `?page=1&x=2`. uvicorn, the loop and the
        #   kernel take some 55 us more. (CPU time, medians of 7 x 20,000 calls, Falcon 4.4,
        #   uvicorn 0.54, Python 3.11, 2-core virtual machine.)
        resp.data = self._pages.find(req.get_param("page", default=""))
        if resp.data is None:
            raise falcon.HTTPNotFound(title="No such page", description=self._pages.refusal)


class Health:
    """`GET /health`: which process answers, what it is, and how often it was asked for `/hello`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.cache_control = ["no-store"]
        resp.content_type = falcon.MEDIA_JSON
        resp.media = self._pages.health("falcon", falcon.__version__)


def create_app(settings: Settings | None = None) -> App[Request, Response]:
    """Wires the application.

    Args:
        settings: None reads them from the environment, as a worker process must. Where that names a database as well, the
            application is that of `falcon_database`.

    Raises:
        ValueError: the environment holds settings that make no sense.
    """
    if access := Access.from_environment(os.environ):
        from server.apps.falcon_database import create_raw_app

        return create_raw_app(access)
    pages = Pages(settings)
    app = App(media_type=falcon.MEDIA_TEXT)
    app.add_route("/hello", Hello(pages))
    app.add_route("/health", Health(pages))
    return app
