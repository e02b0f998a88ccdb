"""A telemetry API as a team would write it in Falcon ASGI: what devices report, and what they are told.

* `POST /api/v1/status` takes `{"device": id, "temp": number, "round": number}`, keeps it as a row, says when to report next.
* `GET /api/v1/config/{id}` answers some 200 KB of JSON, gzipped where that is accepted, with an ETag; 304 where it is known.
* `GET /health` tells who answers, to anybody.

Each device has a bearer token, may speak for itself only, and is told to wait (429, Retry-After) where it asks too often.
Settings come from the environment; see `Settings`.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import hmac
import json
import math
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import falcon
from falcon.asgi import App, Request, Response

MODELS = 4
"""Device models; each has a configuration of its own."""
_RULES = 1960
"""Rules in a configuration: some 200 KB as JSON."""
_MOST_DEVICES = 100_000
"""Devices whose requests are counted; an idle one is forgotten first."""


@dataclass(frozen=True)
class Settings:
    """What the application can be told."""

    database: str = ""
    """File of the rows; empty: one of this process's own, gone with it."""
    token: str = ""
    """A token that all devices share."""
    tokens: str = ""
    """CSV file with columns `id` and `token`. With neither, the token of device X is `demo-X`."""
    next_poll_ms: int = 3000
    """When a device is to report next."""
    per_s: float = 10.0
    """Requests a second that a device may make in the long run."""
    burst: int = 20
    """Requests that it may make at once."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Reads TELEMETRY_DB, _TOKEN, _TOKENS, _NEXT_POLL_MS, _PER_S and _BURST; what is not there has its default.

        Raises:
            ValueError: a number is none.
        """
        return cls(
            database=environ.get("TELEMETRY_DB", cls.database),
            token=environ.get("TELEMETRY_TOKEN", cls.token),
            tokens=environ.get("TELEMETRY_TOKENS", cls.tokens),
            next_poll_ms=int(environ.get("TELEMETRY_NEXT_POLL_MS", cls.next_poll_ms)),
            per_s=float(environ.get("TELEMETRY_PER_S", cls.per_s)),
            burst=int(environ.get("TELEMETRY_BURST", cls.burst)),
        )


class Tokens:
    """Which token belongs to which device."""

    def __init__(self, settings: Settings) -> None:
        self._shared = settings.token
        self._listed: dict[str, str] | None = None
        if settings.tokens:
            with Path(settings.tokens).open(newline="", encoding="utf-8") as file:
                self._listed = {row["id"]: row["token"] for row in csv.DictReader(file)}

    def permit(self, device: str, authorization: str | None) -> bool:
        """Whether this Authorization is the device's."""
        scheme, _, given = (authorization or "").partition(" ")
        expected = self._shared or (f"demo-{device}" if self._listed is None else self._listed.get(device, ""))
        right = bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
        return right and scheme.lower() == "bearer"


class RateLimit:
    """A bucket of requests a device, filled at a steady rate.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._per_s, self._burst, self._clock = settings.per_s, settings.burst, clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, device: str) -> float:
        """Takes one request out of the bucket: 0, or how long the device must wait because it is empty."""
        now = self._clock()
        left, since = self._left.pop(device, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._per_s)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_s
        self._left[device] = (left if wait else left - 1, now)
        if len(self._left) > _MOST_DEVICES:
            del self._left[next(iter(self._left))]
        return wait


class Rows:
    """The last status of each device, in SQLite, written by one thread so that the loop never waits for the disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._database: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Starts the thread, and makes the table where it is missing."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rows")
        await self._run(self._open)

    async def keep(self, device: str, temp: float, round_: int) -> None:
        """Writes the status of a device in place of the one before."""
        await self._run(self._keep, device, temp, round_)

    async def close(self) -> None:
        """Closes the file, and removes it if it was this process's own."""
        await self._run(self._close)
        if self._thread:
            self._thread.shutdown()
        if self._folder:
            self._folder.cleanup()

    async def _run(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _open(self) -> None:
        path = self._path
        if not path:
            self._folder = tempfile.TemporaryDirectory(prefix="telemetry-")
            path = str(Path(self._folder.name) / "rows.db")
        self._database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "CREATE TABLE IF NOT EXISTS status (device TEXT PRIMARY KEY, temp REAL, round INTEGER, seen TEXT) WITHOUT ROWID",
        ):
            self._database.execute(statement).close()

    def _keep(self, device: str, temp: float, round_: int) -> None:
        assert self._database is not None
        self._database.execute(
            "INSERT INTO status VALUES (?, ?, ?, CURRENT_TIMESTAMP) ON CONFLICT (device) DO UPDATE SET"
            " temp = excluded.temp, round = excluded.round, seen = excluded.seen",
            (device, temp, round_),
        ).close()

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()


@dataclass(frozen=True)
class Config:
    """The configuration of a device model, made once."""

    plain: bytes
    zipped: bytes
    version: str

    @classmethod
    def of_model(cls, model: int) -> Config:
        """The configuration of a model; the same on every machine."""
        rules = [
            {
                "id": f"rule-{model}-{number:04d}",
                "sensor": f"s{number % 37:02d}",
                "above": number * 7919 % 1000 / 10,
                "for_s": 5 + number % 55,
                "then": ("log", "warn", "report", "restart")[number * model % 4],
                "enabled": number % 9 > 0,
            }
            for number in range(_RULES)
        ]
        plain = json.dumps({"model": model, "interval_ms": 3000, "rules": rules}).encode()
        return cls(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:16])


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
    access = Access(Tokens(settings), RateLimit(settings, clock))
    app = App(middleware=[served])
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
