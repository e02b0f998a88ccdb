"""Tornado, on its own server: `python -m server.apps.tornado_server --port 8000 --workers 2`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket

import tornado
import uvloop
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes
from tornado.web import Application, RequestHandler

from server.responses import CONTENT_TYPE, Pages
from server.systems.model import BACKLOG, KEEP_ALIVE_S


class _Handler(RequestHandler):
    def initialize(self, pages: Pages) -> None:
        self.pages = pages

    def compute_etag(self) -> None:
        """None: by default each answer is hashed, which no other system does."""

    def log_exception(self, *args: object) -> None:
        """Nothing, and no access log either: see `create_app`."""


class Hello(_Handler):
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""

    async def get(self) -> None:
        body = self.pages.find(self.get_query_argument("page", ""))
        if body is None:
            self.set_status(404)
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.pages.refusal if body is None else body)


class Health(_Handler):
    """`GET /health`."""

    async def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(self.pages.health_json("tornado", tornado.version))


def create_app() -> Application:
    """Wires the application."""
    shared = {"pages": Pages()}
    routes = [("/hello", Hello, shared), ("/health", Health, shared)]
    return Application(routes, log_function=lambda handler: None)


async def _serve(sockets: list[socket.socket]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = HTTPServer(create_app(), idle_connection_timeout=KEEP_ALIVE_S)
    server.add_sockets(sockets)
    await stop.wait()
    server.stop()


def main() -> None:
    """Serves on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m server.apps.tornado_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    sockets = bind_sockets(options.port, "127.0.0.1", backlog=BACKLOG)
    if options.workers > 1:
        fork_processes(options.workers, max_restarts=0)
    uvloop.run(_serve(sockets))


if __name__ == "__main__":
    main()
