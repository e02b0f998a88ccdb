"""FastAPI, on uvicorn: the parameter is declared, as its users do, and the answer is a ready Response."""

import fastapi
from fastapi import FastAPI, Response

from server.responses import CONTENT_TYPE, Pages

# No `from __future__ import annotations` here: FastAPI reads the annotations of functions inside a function.


def create_app() -> FastAPI:
    """Wires the application."""
    pages = Pages()
    app = FastAPI(openapi_url=None)

    @app.get("/hello")
    async def hello(page: str = "") -> Response:
        body = pages.find(page)
        if body is None:
            return Response(pages.refusal, 404, media_type=CONTENT_TYPE)
        return Response(body, media_type=CONTENT_TYPE)

    @app.get("/health")
    async def health() -> Response:
        return Response(pages.health_json("fastapi", fastapi.__version__), media_type="application/json")

    return app
