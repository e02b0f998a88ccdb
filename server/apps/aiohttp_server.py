"""aiohttp, on its own server: `python -m server.apps.aiohttp_server --port 8000 --workers 2`.

Not under gunicorn, as its manual has it: its workers there listen again with a backlog of 128, whatever gunicorn is told.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import socket

import aiohttp
import uvloop
from aiohttp import web

from server.responses import Pages
from server.systems.model import BACKLOG, GRACEFUL_STOP_S, KEEP_ALIVE_S


async def create_app() -> web.Application:
    """Wires the application."""
    pages = Pages()

    async def hello(request: web.Request) -> web.Response:
        body = pages.find(request.query.get("page", ""))
        if body is None:
            raise web.HTTPNotFound(text=pages.refusal)
        return web.Response(body=body, content_type="text/plain", charset="utf-8")

    async def health(request: web.Request) -> web.Response:
        return web.Response(body=pages.health_json("aiohttp", aiohttp.__version__), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/hello", hello), web.get("/health", health)])
    return app


def _serve(listener: socket.socket) -> None:
    """Serves until SIGTERM."""
    web.run_app(
        create_app(),
        sock=listener,
        backlog=BACKLOG,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=GRACEFUL_STOP_S,
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


def main() -> None:
    """Serves on 127.0.0.1 until SIGTERM, in this process or in workers that share its socket."""
    parser = argparse.ArgumentParser(prog="python -m server.apps.aiohttp_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=BACKLOG)
    if options.workers == 1:
        _serve(listener)
        return
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_serve, args=(listener,)) for _ in range(options.workers)]
    for worker in workers:
        worker.start()

    def end(number: int, frame: object) -> None:
        for worker in workers:
            worker.terminate()

    signal.signal(signal.SIGTERM, end)
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
