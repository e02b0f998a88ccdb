"""The systems that Falcon ASGI on uvicorn is compared with: data, one entry per system.

Left out, and why: Robyn ignores SIGTERM, Sanic with several workers hangs on it, and nginx-unit is no longer maintained.
"""

from __future__ import annotations

from typing import Any

from server.systems import commands
from server.systems.kinds import THREADS_ARE, UVICORN, on_granian_threads, on_threads, on_uvicorn
from server.systems.model import KEEP_ALIVE_S, NGINX_SLOTS, Isolated, System

LEFT_OUT = {
    "robyn": "it ignores SIGTERM, so that a run could not end it",
    "sanic": "with several workers it hangs on SIGTERM, so that a run could not end it",
    "nginx-unit": "it is no longer maintained",
}
"""Servers that people will look for -> why they are not here."""

_NO_MIDDLEWARE = "No middleware, where a new Django project has seven; each would cost it more."

_POSTGRESQL = ("psycopg", "psycopg-pool")
_WITH_ROWS: dict[str, Any] = {"workloads": ("static", "database"), "database_needs": _POSTGRESQL}
_DJANGO_ROWS = (
    "Django's ORM: an UPDATE and a SELECT where Falcon has one statement, each its own transaction; the client fills the "
    "parameters in, and nothing is prepared."
)
_SERIAL = (
    "All database work of a worker is done by one thread, one request after the other: database_sync_to_async is "
    "thread-sensitive, and a consumer has no context of its own."
)
_NO_POOL = "On SQLite each request opens a connection of its own and closes it, since its thread ends with it."


_FALCON = (
    System(
        name="falcon-gunicorn",
        title="Falcon ASGI on gunicorn, uvicorn workers",
        template=(
            *commands.gunicorn("server.apps.falcon_asgi:create_app()", "server.apps.gunicorn_uvicorn.Worker"),
            "--no-control-socket",
        ),
        needs=("falcon", "gunicorn", "uvicorn-worker", *UVICORN),
        loop="uvloop",
        http_parser="httptools",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        extra="servers",
        unequal="gunicorn supervises: one process more, and a heartbeat a second or so from each worker.",
    ),
    System(
        name="falcon-granian",
        title="Falcon ASGI on granian",
        template=commands.granian("server.apps.falcon_asgi:create_app"),
        needs=("falcon", "granian", "uvloop"),
        loop="uvloop",
        http_parser="hyper (Rust)",
        keep_alive_s=commands.GRANIAN_KEEP_ALIVE_S,
        most_connections=commands.MOST_CONNECTIONS,
        comparison="stack",
        extra="servers",
        unequal="A thread of Rust reads and writes beside the loop, so one worker can use more than one core.",
    ),
    System(
        name="falcon-gunicorn-asgi",
        title="Falcon ASGI on gunicorn's own ASGI worker",
        template=(
            *commands.gunicorn("server.apps.falcon_asgi:create_app()", "asgi", "--asgi-loop", "uvloop"),
            *("--worker-connections", str(commands.MOST_CONNECTIONS), "--no-control-socket"),
        ),
        needs=("falcon", "gunicorn", "uvloop"),
        loop="uvloop",
        http_parser="gunicorn",
        keep_alive_s=KEEP_ALIVE_S,
        most_connections=commands.MOST_CONNECTIONS,
        backlog=100,
        comparison="stack",
        extra="servers",
        unequal="gunicorn reads requests in Python and supervises. Its backlog is 100 whatever --backlog says, so "
        "devices that connect together may wait a second.",
    ),
    System(
        name="falcon-hypercorn",
        title="Falcon ASGI on hypercorn",
        template=commands.hypercorn("server.apps.falcon_asgi:create_app()"),
        needs=("falcon", "hypercorn", "uvloop"),
        loop="uvloop",
        http_parser="h11",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        extra="servers",
        unequal="h11 reads requests in Python. Its limit of 1,000 requests per connection is lifted.",
    ),
    on_threads("falcon-wsgi", "Falcon WSGI", "falcon_wsgi", "falcon"),
    on_granian_threads("falcon-wsgi-granian", "Falcon WSGI", "falcon_wsgi", "falcon"),
    System(
        name="falcon-wsgi-waitress",
        title="Falcon WSGI on waitress",
        template=commands.waitress("server.apps.falcon_wsgi:create_app"),
        needs=("falcon", "waitress"),
        loop="threads",
        http_parser="waitress",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        threads=commands.THREADS,
        most_workers=1,
        most_connections=commands.MOST_CONNECTIONS,
        extra="servers",
        unequal=f"One process only. {commands.THREADS} threads share an interpreter; waitress reads requests in Python. "
        "Its limit of 100 connections is lifted.",
    ),
    on_uvicorn(
        "falcon-sqlalchemy",
        "Falcon ASGI, SQLAlchemy's ORM",
        "falcon_database:create_sqlalchemy_app",
        "falcon",
        workloads=("database",),
        database_needs=("SQLAlchemy", "greenlet", "aiosqlite", *_POSTGRESQL),
        rows="A session, and so a transaction, a request, with an UPDATE and a SELECT where Falcon alone has one statement.",
    ),
)

_DJANGO = (
    on_threads(
        "django",
        "Django WSGI",
        "django.wsgi",
        "Django",
        unequal=_NO_MIDDLEWARE,
        rows=f"{_DJANGO_ROWS} Its {commands.THREADS} threads are the most connections that it uses.",
        **_WITH_ROWS,
    ),
    on_granian_threads("django-granian", "Django WSGI", "django.wsgi", "Django", unequal=_NO_MIDDLEWARE),
    on_uvicorn(
        "django-asgi",
        "Django ASGI",
        "django.asgi",
        "Django",
        unequal=_NO_MIDDLEWARE,
        rows=f"{_DJANGO_ROWS} Asynchronous methods, which hand each statement to the request's own thread. {_NO_POOL}",
        **_WITH_ROWS,
    ),
    on_uvicorn(
        "django-asgi-sync",
        "Django ASGI, synchronous views",
        "django.wsgi:create_asgi_app",
        "Django",
        unequal=f"{_NO_MIDDLEWARE} A thread per request.",
        rows=f"{_DJANGO_ROWS} {_NO_POOL}",
        **_WITH_ROWS,
    ),
    on_threads(
        "django-rest",
        "Django REST Framework",
        "django.rest",
        "Django",
        "djangorestframework",
        unequal=f"{_NO_MIDDLEWARE} No authentication and no permissions either.",
    ),
    on_uvicorn(
        "channels",
        "Django + Channels",
        "django.channels_asgi",
        "Django",
        "channels",
        unequal=_NO_MIDDLEWARE,
        rows=_DJANGO_ROWS,
        serial=_SERIAL,
        **_WITH_ROWS,
    ),
    System(
        name="channels-daphne",
        title="Django + Channels on Daphne",
        template=commands.daphne("server.apps.django.channels_asgi:application"),
        needs=("Django", "channels", "daphne"),
        loop="asyncio, under Twisted",
        http_parser="Twisted",
        keep_alive_s=commands.DAPHNE_KEEP_ALIVE_S,
        comparison="stack",
        most_workers=1,
        extra="servers",
        rows=_DJANGO_ROWS,
        serial=_SERIAL,
        **_WITH_ROWS,
        unequal=f"One process only; Twisted reads requests in Python. {_NO_MIDDLEWARE}",
    ),
    System(
        name="django-1.11",
        title="Django 1.11.4 WSGI on gunicorn, threads",
        template=commands.threaded("server.apps.django.version_1_11:create_app()"),
        needs=(),
        loop="threads",
        http_parser="gunicorn",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        threads=commands.THREADS,
        most_connections=commands.MOST_CONNECTIONS,
        isolated=Isolated(
            pythons=("3.7",),
            packages=(
                *("Django==1.11.4", "gunicorn==23.0.0", "importlib-metadata==6.7.0", "packaging==24.0"),
                *("pytz==2026.6", "typing_extensions==4.7.1", "zipp==3.15.0"),
            ),
        ),
        unequal=f"Python 3.7, which is slower than a newer one, and an older gunicorn. {THREADS_ARE} {_NO_MIDDLEWARE}",
    ),
    System(
        name="channels-3",
        title="Django 3.2 + Channels 3 on Daphne",
        template=commands.daphne("server.apps.django.channels_asgi:application"),
        needs=(),
        loop="asyncio, under Twisted",
        http_parser="Twisted",
        keep_alive_s=commands.DAPHNE_KEEP_ALIVE_S,
        comparison="stack",
        most_workers=1,
        isolated=Isolated(
            pythons=("3.9", "3.10"),
            packages=(
                *("Django==3.2.25", "channels==3.0.5", "daphne==3.0.2", "asgiref==3.11.1", "sqlparse==0.5.5"),
                *("pytz==2026.6", "Twisted==26.4.0", "autobahn==24.4.2", "txaio==23.6.1", "zope.interface==8.0.1"),
                *("attrs==26.1.0", "Automat==25.4.16", "cffi==2.0.0", "constantly==23.10.4", "cryptography==50.0.2"),
                *("hyperlink==21.0.0", "idna==3.20", "Incremental==24.11.0", "packaging==26.3", "pycparser==2.23"),
                *("pyOpenSSL==26.4.0", "service-identity==26.1.0", "tomli==2.5.0", "typing_extensions==4.16.0"),
            ),
        ),
        unequal="Python 3.9 or 3.10, slower than a newer one. One process only; Twisted reads requests in Python. "
        f"{_NO_MIDDLEWARE}",
    ),
)

_OTHERS = (
    on_uvicorn("fastapi", "FastAPI", "fastapi_asgi", "fastapi"),
    on_uvicorn("starlette", "Starlette", "starlette_asgi", "starlette"),
    on_uvicorn("litestar", "Litestar", "litestar_asgi", "litestar"),
    on_uvicorn("blacksheep", "BlackSheep", "blacksheep_asgi", "blacksheep"),
    System(
        name="aiohttp",
        title="aiohttp, its own server",
        template=("{python}", "-m", "server.apps.aiohttp_server", "--port", "{port}", "--workers", "{workers}"),
        needs=("aiohttp", "uvloop"),
        loop="uvloop",
        http_parser="aiohttp (llhttp)",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        extra="servers",
        unequal="Its own server, compiled in parts, on uvloop instead of its usual asyncio.",
    ),
    System(
        name="tornado",
        title="Tornado, its own server",
        template=("{python}", "-m", "server.apps.tornado_server", "--port", "{port}", "--workers", "{workers}"),
        needs=("tornado", "uvloop"),
        loop="uvloop",
        http_parser="Tornado",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="stack",
        extra="servers",
        unequal="Its own server, in Python, on uvloop instead of its usual asyncio, and without its hash of each answer.",
    ),
)

_CEILINGS = (
    on_uvicorn("bare-asgi", "No framework: an ASGI callable", "bare_asgi", unequal="It does not take a query apart."),
    System(
        name="nginx",
        title="nginx, static files",
        template=("{python}", "-m", "server.apps.nginx_static", "--port", "{port}", "--workers", "{workers}"),
        needs=(),
        loop="epoll (C)",
        http_parser="nginx",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="ceiling",
        # From 15 of 16 slots on it closes idle connections to have some free.
        most_connections=NGINX_SLOTS * 15 // 16,
        spreads=True,
        counts=False,
        program="nginx",
        unequal="C, and files that the kernel sends. It does not count what each worker serves, so nothing vouches for the "
        "lab's own counts. A small Python process starts it and waits.",
    ),
)

PEERS = (*_FALCON, *_DJANGO, *_OTHERS, *_CEILINGS)
