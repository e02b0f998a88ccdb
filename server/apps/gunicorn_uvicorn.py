"""gunicorn's worker that is a uvicorn, with loop and parser asked for by name: what is missing is an error, not slower."""

from __future__ import annotations

from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):
    """`gunicorn -k server.apps.gunicorn_uvicorn.Worker`."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "uvloop", "http": "httptools", "access_log": False}
