"""A telemetry API as a team would write it in Falcon ASGI: what devices report, and what they are told.

* `POST /api/v1/status` takes `{"device": id, "temp": number, "round": number}`, keeps it as a row, says when to report next.
* `GET /api/v1/config/{id}` answers some 200 KB of JSON, gzipped where that is accepted, with an ETag; 304 where it is known.
* `POST /api/v1/login` takes `{"device": id, "key": its token}` and answers a token for a session, which is as good.
* `GET /health` tells who answers, to anybody.

Each device has a bearer token, may speak for itself only, and is told to wait (429, Retry-After) where it asks too often.
Settings come from the environment; see `Settings`.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

import falcon
from falcon.asgi import App, Request, Response

from server.apps.telemetry.configuration import MODELS, Config
from server.apps.telemetry.devices import RateLimit, Tokens
from server.apps.telemetry.rows import Rows
from server.apps.telemetry.settings import Settings

__all__ = ["Settings", "create_app"]


class Access:
    """Lets a device in that shows its token and does not ask too often."""

    def __init__(self, tokens: Tokens, limit: RateLimit) -> None:
        self._tokens, self._limit = tokens, limit

    def check(self, req: Request, device: str) -> None:
        """Refuses the request with 401 or 429, unless it may go on."""
        if not self._tokens.permit(device, req.auth):
            raise falcon.HTTPUnauthorized(title="No such device or token", challenges=["Bearer"])
        if wait := self._limit.wait_s(device):
            raise falcon.HTTPTooManyRequests(title="Too many requests", retry_after=math.ceil(wait))


class Login:
    """`POST /api/v1/login`."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def on_post(self, req: Request, resp: Response) -> None:
        media = await req.get_media()
        device, key = (media.get(name) if isinstance(media, dict) else None for name in ("device", "key"))
        token = self._tokens.session(device, key) if isinstance(device, str) and isinstance(key, str) else None
        if token is None:
            raise falcon.HTTPUnauthorized(title="No such device or token", challenges=["Bearer"])
        resp.media = {"token": token}


class Status:
    """`POST /api/v1/status`."""

    def __init__(self, access: Access, rows: Rows, next_poll_ms: int) -> None:
        self._access, self._rows, self._next_poll_ms = access, rows, next_poll_ms

    async def on_post(self, req: Request, resp: Response) -> None:
        device, temp, round_ = _status(await req.get_media())
        self._access.check(req, device)
        await self._rows.keep(device, temp, round_)
        resp.media = {"device": device, "next_poll_ms": self._next_poll_ms}


class Configs:
    """`GET /api/v1/config/{id}`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._configs = [Config.of_model(model) for model in range(MODELS)]

    async def on_get(self, req: Request, resp: Response, id: str) -> None:
        self._access.check(req, id)
        config = self._configs[sum(id.encode()) % MODELS]
        zipped = _accepts_gzip(req.get_header("Accept-Encoding"))
        # The two forms differ in their bytes, so each has an ETag of its own.
        resp.etag = config.version + ("-gzip" if zipped else "")
        resp.vary = ["Accept-Encoding"]
        resp.cache_control = ["private", "no-cache"]
        if any(tag == "*" or tag == resp.etag.strip('"') for tag in req.if_none_match or []):
            resp.status = falcon.HTTP_304
            return
        resp.content_type = falcon.MEDIA_JSON
        resp.data = config.zipped if zipped else config.plain
        if zipped:
            resp.set_header("Content-Encoding", "gzip")


class Health:
    """`GET /health`."""

    def __init__(self, served: Callable[[], int]) -> None:
        self._served = served

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.cache_control = ["no-store"]
        resp.media = {"status": "ok", "pid": os.getpid(), "served": self._served()}


class Served:
    """Counts the requests to the API, and opens and closes the rows with the process."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.count = 0
        """Requests to this process, but for /health."""

    async def process_startup(self, scope: object, event: object) -> None:
        await self._rows.open()

    async def process_shutdown(self, scope: object, event: object) -> None:
        await self._rows.close()

    async def process_request(self, req: Request, resp: Response) -> None:
        if req.path != "/health":
            self.count += 1


def create_app(settings: Settings | None = None, *, clock: Callable[[], float] = time.monotonic) -> App[Request, Response]:
    """Wires the application.

    Args:
        settings: None reads them from the environment, as a worker process must.
        clock: of the rate limit.

    Raises:
        ValueError: the environment holds settings that make no sense.
        OSError: the file of tokens cannot be read.
    """
    settings = settings or Settings.from_environment(os.environ)
    rows = Rows(settings.database)
    served = Served(rows)
    tokens = Tokens(settings)
    access = Access(tokens, RateLimit(settings, clock))
    app = App(middleware=[served])
    app.add_route("/api/v1/login", Login(tokens))
    app.add_route("/api/v1/status", Status(access, rows, settings.next_poll_ms))
    app.add_route("/api/v1/config/{id}", Configs(access))
    app.add_route("/health", Health(lambda: served.count))
    return app


def _status(media: object) -> tuple[str, float, int]:
    """The fields of a status, or 422 with what is wrong."""
    if not isinstance(media, dict):
        raise _wrong("an object is needed")
    device, temp, round_ = media.get("device"), media.get("temp"), media.get("round")
    if not isinstance(device, str) or not 1 <= len(device) <= 64:
        raise _wrong("device must be a text of 1 to 64 letters")
    if not isinstance(temp, int | float) or isinstance(temp, bool) or not -100 <= temp <= 200:
        raise _wrong("temp must be a number from -100 to 200")
    if not isinstance(round_, int) or isinstance(round_, bool) or not 0 <= round_ < 2**63:
        raise _wrong("round must be a whole number, 0 or more")
    return device, float(temp), round_


def _wrong(description: str) -> falcon.HTTPUnprocessableEntity:
    return falcon.HTTPUnprocessableEntity(title="Wrong status", description=description)


def _accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is named, and not with a weight of 0."""
    for one in (accept_encoding or "").split(","):
        name, _, weight = one.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return not (weight.replace(" ", "").startswith("q=0") and weight.replace(" ", "").strip("q=0.") == "")
    return False
