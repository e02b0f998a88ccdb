"""Starlette, on uvicorn."""

from __future__ import annotations

import starlette
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.responses import CONTENT_TYPE, Pages


def create_app() -> Starlette:
    """Wires the application."""
    pages = Pages()

    async def hello(request: Request) -> Response:
        body = pages.find(request.query_params.get("page", ""))
        if body is None:
            return Response(pages.refusal, 404, media_type=CONTENT_TYPE)
        return Response(body, media_type=CONTENT_TYPE)

    async def health(request: Request) -> Response:
        return Response(pages.health_json("starlette", starlette.__version__), media_type="application/json")

    return Starlette(routes=[Route("/hello", hello), Route("/health", health)])
