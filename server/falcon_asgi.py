"""Falcon ASGI, the system under test: two bodies of constant length on one route, and what a worker says of itself.

Settings in, an ASGI application out. `uvicorn --factory server.falcon_asgi:create_app` starts it.
"""

from __future__ import annotations

import os

import falcon
from falcon.asgi import App, Request, Response

from server import payloads
from server.settings import Settings


class Hello:
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""

    def __init__(self, settings: Settings) -> None:
        self._pages = {
            "1": payloads.body(settings.status_bytes),
            "200": payloads.body(settings.bulk_bytes),
        }
        self.served = 0
        """Requests that came here, whatever they asked for; each worker process counts its own."""

    async def on_get(self, req: Request, resp: Response) -> None:
        # PERF: bytes made beforehand and handed over as `data`, with the application's default
        #   content type. Falcon then takes 5.2 us a request, where JSON of the same length as
        #   `media` takes 8.0. Asking for the parameter is 0.4 of them; looking the raw query
        #   string up instead would save that and refuse `?page=1&x=2`. uvicorn, the loop and the
        #   kernel take some 55 us more. (CPU time, medians of 7 x 20,000 calls, Falcon 4.4,
        #   uvicorn 0.54, Python 3.11, 2-core virtual machine.)
        self.served += 1
        try:
            resp.data = self._pages[req.get_param("page", default="")]
        except KeyError:
            raise self._no_such_page() from None

    def _no_such_page(self) -> falcon.HTTPNotFound:
        pages = (f"?page={page} ({len(data)} bytes)" for page, data in self._pages.items())
        return falcon.HTTPNotFound(title="No such page", description=f"/hello has {' and '.join(pages)}.")


class Health:
    """`GET /health`: which process answers, what it is, and how often it was asked for `/hello`."""

    def __init__(self, hello: Hello) -> None:
        self._hello = hello

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.cache_control = ["no-store"]
        resp.content_type = falcon.MEDIA_JSON
        resp.media = {
            "pid": os.getpid(),
            "framework": "falcon",
            "version": falcon.__version__,
            "served": self._hello.served,
        }


def create_app(settings: Settings | None = None) -> App[Request, Response]:
    """Wires the application.

    Args:
        settings: None reads them from the environment, as a worker process must.

    Raises:
        ValueError: the environment holds settings that make no sense.
    """
    hello = Hello(settings or Settings.from_environment(os.environ))
    app = App(media_type=falcon.MEDIA_TEXT)
    app.add_route("/hello", hello)
    app.add_route("/health", Health(hello))
    return app
