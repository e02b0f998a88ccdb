"""BlackSheep, on uvicorn."""

from __future__ import annotations

from importlib.metadata import version

from blacksheep import Application, Content, Request, Response

from server.responses import CONTENT_TYPE, Pages


def create_app() -> Application:
    """Wires the application."""
    pages = Pages()
    app = Application()
    blacksheep_version = version("blacksheep")
    text, json = CONTENT_TYPE.encode(), b"application/json"

    @app.router.get("/hello")
    async def hello(request: Request) -> Response:
        body = pages.find(request.query.get("page", [""])[0])
        if body is None:
            return Response(404, content=Content(text, pages.refusal.encode()))
        return Response(200, content=Content(text, body))

    @app.router.get("/health")
    async def health(request: Request) -> Response:
        return Response(200, content=Content(json, pages.health_json("blacksheep", blacksheep_version)))

    return app
