"""Litestar, on uvicorn: the parameter is declared, as its users do, and the answer is a ready Response."""

from importlib.metadata import version

from litestar import Litestar, MediaType, Response, get

from server.responses import Pages

# No `from __future__ import annotations` here: Litestar reads the annotations of functions inside a function.


def create_app() -> Litestar:
    """Wires the application."""
    pages = Pages()
    litestar_version = version("litestar")

    @get("/hello")
    async def hello(page: str = "") -> Response[bytes]:
        body = pages.find(page)
        if body is None:
            return Response(pages.refusal.encode(), status_code=404, media_type=MediaType.TEXT)
        return Response(body, media_type=MediaType.TEXT)

    @get("/health")
    async def health() -> Response[bytes]:
        return Response(pages.health_json("litestar", litestar_version), media_type=MediaType.JSON)

    return Litestar([hello, health], openapi_config=None)
