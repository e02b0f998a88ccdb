"""Just the server, for people who want only that: `python -m server --port 8000`.

It listens on this machine alone unless `--host` says otherwise.
"""

from __future__ import annotations

import argparse
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from uvicorn.supervisors import Multiprocess

from server.catalogue import BULK_PATH, GRACEFUL_STOP_S, KEEP_ALIVE_S, STATUS_PATH
from server.settings import Settings
from server.systems.model import BACKLOG

_LOOPBACK = ("127.0.0.1", "::1")
"""What a client may find under "localhost", in either order: with only the first one served, every new connection of a
client that begins with the other is refused once, and a stranger may sit there and answer."""
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def main() -> int:
    """Serves until it is told to stop; the exit code says whether it could."""
    options = _options()
    try:
        sockets = _listen(options.host, options.port)
    except OSError as error:
        print(_refusal(options.host, options.port, error), file=sys.stderr)
        return 1
    settings = Settings(status_bytes=options.status_bytes, bulk_bytes=options.bulk_bytes)
    # Worker processes build the application anew and inherit only the environment.
    os.environ.update(settings.to_environment())
    _allow_many_connections()
    port = sockets[0].getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    for path in (STATUS_PATH, BULK_PATH):
        print(f"http://{host}:{port}{path}", flush=True)
    _serve(sockets, options.workers)
    return 0


def _options() -> argparse.Namespace:
    defaults = Settings()
    size = _whole(0, 2**30)
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description=f"Falcon ASGI on uvicorn, with {STATUS_PATH} and {BULK_PATH}.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=_whole(0, 65_535), default=8000, help="0 takes any free port")
    add("--host", default="localhost", help="address to listen on; localhost is this machine only")
    add("--workers", type=_whole(1, 256), default=1, help="processes that serve")
    add(
        "--status-bytes",
        type=size,
        default=defaults.status_bytes,
        help=f"that {STATUS_PATH} answers",
    )
    add("--bulk-bytes", type=size, default=defaults.bulk_bytes, help=f"that {BULK_PATH} answers")
    return parser.parse_args()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")

    return convert


def _listen(host: str, port: int) -> list[socket.socket]:
    """Takes the port on every address of the host.

    Raises:
        OSError: it cannot be had.
    """
    sockets: list[socket.socket] = []
    for address in _LOOPBACK if host == "localhost" else (host,):
        try:
            sockets.append(_bind(address, sockets[0].getsockname()[1] if sockets else port))
        except OSError as error:
            # A machine without IPv6 is served all the same.
            if sockets and error.errno in _NO_SUCH_ADDRESS:
                continue
            for opened in sockets:
                opened.close()
            raise
    return sockets


def _bind(address: str, port: int) -> socket.socket:
    family, *_, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(where[:2], family=family, backlog=BACKLOG)


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: end what listens there, or choose another with --port."
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return f"Cannot listen on port {port} of {host}: {reason}."


def _allow_many_connections() -> None:
    """Raises the limit of open files, often 1,024, as far as this user may: each device holds a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS has a hard limit that it does not grant.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _serve(sockets: list[socket.socket], workers: int) -> None:
    config = uvicorn.Config(
        "server.apps.falcon_asgi:create_app",
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
        access_log=False,
    )
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end.
        if workers > 1:
            Multiprocess(config, sockets=sockets).run()
        else:
            uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    sys.exit(main())
