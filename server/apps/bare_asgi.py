"""An ASGI callable without a framework: what uvicorn alone costs, so the floor under all that run on it.

It looks the raw query string up, and so refuses `?page=1&x=2`, which every framework here takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any

from server.responses import CONTENT_TYPE, Pages

_Message = MutableMapping[str, Any]
_Send = Callable[[_Message], Awaitable[None]]
Application = Callable[[_Message, Callable[[], Awaitable[_Message]], _Send], Awaitable[None]]


def create_app() -> Application:
    """Makes the callable."""
    pages = Pages()

    async def application(scope: _Message, receive: Callable[[], Awaitable[_Message]], send: _Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])  # By which a server knows that there is no lifespan.
        status, kind = 200, CONTENT_TYPE
        if scope["path"] == "/hello":
            body = pages.find(scope["query_string"].decode("latin-1").partition("page=")[2])
        elif scope["path"] == "/health":
            body, kind = pages.health_json("bare ASGI", f"uvicorn {version('uvicorn')}"), "application/json"
        else:
            body = None
        if body is None:
            status, body = 404, pages.refusal.encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application
