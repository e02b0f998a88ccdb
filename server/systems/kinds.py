"""Ways in which several systems are served, alike but for the application."""

from __future__ import annotations

from typing import Any

from server.systems import commands
from server.systems.model import KEEP_ALIVE_S, System

UVICORN = ("uvicorn", "uvloop", "httptools")
"""Distributions that uvicorn needs as it is started here."""

THREADS_ARE = (
    f"{commands.THREADS} threads a worker share one interpreter; a request passes from the thread that polls connections "
    "to another. gunicorn reads requests in Python."
)


def on_uvicorn(name: str, title: str, application: str, *needs: str, unequal: str = "", **more: Any) -> System:
    factory = application if ":" in application else f"{application}:create_app"
    return System(
        name=name,
        title=f"{title} on uvicorn",
        template=commands.uvicorn(f"server.apps.{factory}"),
        needs=(*needs, *UVICORN),
        loop="uvloop",
        http_parser="httptools",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="framework" if needs else "ceiling",
        extra="servers",
        unequal=unequal,
        **more,
    )


def on_threads(name: str, title: str, module: str, *needs: str, unequal: str = "", **more: Any) -> System:
    return System(
        name=name,
        title=f"{title} on gunicorn, threads",
        template=(*commands.threaded(f"server.apps.{module}:create_app()"), "--no-control-socket"),
        needs=(*needs, "gunicorn"),
        loop="threads",
        http_parser="gunicorn",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        threads=commands.THREADS,
        most_connections=commands.MOST_CONNECTIONS,
        extra="servers",
        unequal=f"{THREADS_ARE} {unequal}".strip(),
        **more,
    )


def on_granian_threads(name: str, title: str, module: str, *needs: str, unequal: str = "") -> System:
    return System(
        name=name,
        title=f"{title} on granian, threads",
        template=commands.granian_wsgi(f"server.apps.{module}:create_app"),
        needs=(*needs, "granian", "uvloop"),
        loop="threads",
        http_parser="hyper (Rust)",
        keep_alive_s=commands.GRANIAN_KEEP_ALIVE_S,
        comparison="stack",
        threads=commands.THREADS,
        most_connections=commands.MOST_CONNECTIONS,
        extra="servers",
        unequal=f"{commands.THREADS} threads a worker share an interpreter; Rust reads and writes beside, so one worker "
        f"can use more than one core. {unequal}".strip(),
    )
