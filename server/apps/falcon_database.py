"""Falcon ASGI with a database: the routes of `falcon_asgi`, answered from rows instead of memory."""

from __future__ import annotations

import os

import falcon
from falcon.asgi import App, Request, Response

from server.database.access import HEADER, Access, device
from server.database.raw import Rows, rows_of
from server.responses import Pages


class Hello:
    """`GET /hello?page=1` (status of a device) and `?page=200` (bulk)."""

    def __init__(self, pages: Pages, rows: Rows) -> None:
        self._pages = pages
        self._rows = rows

    async def on_get(self, req: Request, resp: Response) -> None:
        page = req.get_param("page", default="")
        if self._pages.find(page) is None:
            raise falcon.HTTPNotFound(title="No such page", description=self._pages.refusal)
        try:
            resp.text = await (self._poll(req) if page == "1" else self._rows.fetch())
        except self._rows.errors as error:
            raise falcon.HTTPServiceUnavailable(description=self._rows.together.refusal(error)) from None
        if resp.text is None:
            raise falcon.HTTPNotFound(title="No such device")

    async def _poll(self, req: Request) -> str | None:
        asking = device(req.get_header(HEADER))
        return None if asking is None else await self._rows.poll(asking)


class Health:
    """`GET /health`."""

    def __init__(self, pages: Pages, rows: Rows) -> None:
        self._pages = pages
        self._rows = rows

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.media = self._pages.health("falcon", falcon.__version__, at_once=self._rows.together.most)


class Connections:
    """Opens the pool when a worker starts, and closes it when it ends."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def process_startup(self, scope: object, event: object) -> None:
        await self._rows.open()

    async def process_shutdown(self, scope: object, event: object) -> None:
        await self._rows.close()


def create_app(rows: Rows) -> App[Request, Response]:
    """Wires the application."""
    pages = Pages()
    app = App(media_type=falcon.MEDIA_TEXT, middleware=[Connections(rows)])
    app.add_route("/hello", Hello(pages, rows))
    app.add_route("/health", Health(pages, rows))
    return app


def create_raw_app(access: Access) -> App[Request, Response]:
    """The application with a driver alone."""
    return create_app(rows_of(access))


def create_sqlalchemy_app() -> App[Request, Response]:
    """The application with SQLAlchemy; the environment says which database.

    Raises:
        ValueError: it says none.
    """
    from server.database.sqlalchemy_rows import SqlalchemyRows

    access = Access.from_environment(os.environ)
    if access is None:
        raise ValueError("this application needs a database")
    return create_app(SqlalchemyRows(access))
