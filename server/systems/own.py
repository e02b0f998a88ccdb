"""A user's own server as a system: an application that is served as those of the catalogue are, or a command."""

from __future__ import annotations

import shlex
from pathlib import Path

from server.systems import commands
from server.systems.model import KEEP_ALIVE_S, System

_LOADER = str(Path(__file__).parents[1] / "own_app.py")


def app(name: str, application: str, *, serving: str, interface: str, certificate: tuple[str, str] | None = None) -> System:
    """An application on uvicorn or gunicorn.

    Args:
        name: what the record calls it.
        application: `module:name`, an application or a factory.
        serving: uvicorn or gunicorn.
        interface: asgi or wsgi.
        certificate: files of certificate and private key, for https.
    """
    if serving == "uvicorn":
        template = tuple(part for part in commands.uvicorn(application) if part != "--factory")
        loop, parser = "uvloop", "httptools"
    else:
        kind = ("uvicorn_worker.UvicornWorker",) if interface == "asgi" else ("gthread", *_THREADS)
        started = commands.gunicorn(application, *kind)
        at = started.index("gunicorn")
        # "{python} -m gunicorn application ..." becomes "{python} own_app.py application ...".
        template = (started[0], _LOADER, *started[at + 1 :])
        loop, parser = ("uvloop", "httptools") if interface == "asgi" else ("threads", "gunicorn")
    return System(
        name=name,
        title=f"{application} on {serving}",
        template=(*template, *_secured(serving, certificate)),
        needs=(),
        loop=loop,
        http_parser=parser,
        keep_alive_s=KEEP_ALIVE_S,
    )


def _secured(serving: str, certificate: tuple[str, str] | None) -> tuple[str, ...]:
    if certificate is None:
        return ()
    options = ("--ssl-certfile", "--ssl-keyfile") if serving == "uvicorn" else ("--certfile", "--keyfile")
    # A brace in a path is none of a template.
    paths = (path.replace("{", "{{").replace("}", "}}") for path in certificate)
    return tuple(part for option, path in zip(options, paths, strict=True) for part in (option, path))


def command(name: str, line: str) -> System:
    """A command of the user's, in which `{port}` says where it must listen; no shell reads it.

    Raises:
        ValueError: its quotes do not match.
    """
    # A brace of theirs, as in JSON, is none of a template.
    words = [word.replace("{", "{{").replace("}", "}}").replace("{{port}}", "{port}") for word in shlex.split(line)]
    return System(
        name=name,
        title=line,
        template=tuple(words),
        needs=(),
        loop="its own",
        http_parser="its own",
        keep_alive_s=0.0,
    )


_THREADS = ("--threads", str(commands.THREADS), "--worker-connections", str(commands.MOST_CONNECTIONS))
