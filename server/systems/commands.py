"""The commands of servers that run more than one system: data, with every option that a comparison rests on by name."""

from __future__ import annotations

from server.systems.model import BACKLOG, GRACEFUL_STOP_S, KEEP_ALIVE_S

THREADS = 8
"""Of a gunicorn worker that runs synchronous applications; its requests wait for nothing but the interpreter's lock."""
GRANIAN_KEEP_ALIVE_S = 60
"""The most that granian takes."""
DAPHNE_KEEP_ALIVE_S = 60
"""Twisted's own; Daphne has no option for it."""

MOST_CONNECTIONS = 1_000_000
"""A worker of gunicorn's threads holds 1,000 connections by default. One of granian holds its backlog divided by the
workers, 1,024 for one: it calls them requests, but counts connections, idle ones too, and accepts no more of them. The
other servers that are started here have no limit of their own, but waitress, which holds 100 by default and leaves further
ones unanswered; nginx says its own."""


def uvicorn(application: str) -> tuple[str, ...]:
    """uvicorn with loop and parser asked for by name, so that a missing package is an error and not a slower server."""
    return (
        *("{python}", "-m", "uvicorn", "--factory", application),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}", "--backlog", str(BACKLOG)),
        *("--loop", "uvloop", "--http", "httptools"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_S)),
        *("--timeout-graceful-shutdown", str(GRACEFUL_STOP_S)),
        *("--no-access-log", "--log-level", "info", "--no-use-colors"),
    )


def gunicorn(application: str, worker: str, *more: str) -> tuple[str, ...]:
    """gunicorn; it logs no requests unless told to."""
    return (
        *("{python}", "-m", "gunicorn", application, "--worker-class", worker, *more),
        *("--bind", "127.0.0.1:{port}", "--workers", "{workers}", "--backlog", str(BACKLOG)),
        *("--keep-alive", str(KEEP_ALIVE_S), "--graceful-timeout", str(GRACEFUL_STOP_S)),
    )


def threaded(application: str) -> tuple[str, ...]:
    """gunicorn with threads, which keep connections open; its plain workers close each after one answer."""
    return gunicorn(application, "gthread", "--threads", str(THREADS), "--worker-connections", str(MOST_CONNECTIONS))


def granian(application: str, *more: str, interface: str = "asgi") -> tuple[str, ...]:
    """granian, with one thread of its own beside the loop's, or beside those that run a synchronous application."""
    return (
        *("{python}", "-m", "granian", "--interface", interface, "--factory", application, *more),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
        *("--loop", "uvloop", "--http", "1", "--no-ws"),
        *("--backlog", str(BACKLOG), "--backpressure", str(MOST_CONNECTIONS)),
        *("--http1-header-read-timeout", str(GRANIAN_KEEP_ALIVE_S * 1000)),
        *("--workers-kill-timeout", str(GRACEFUL_STOP_S), "--no-access-log", "--log-level", "info"),
    )


def granian_wsgi(application: str) -> tuple[str, ...]:
    """granian with as many threads for a synchronous application as gunicorn has here."""
    return granian(application, "--blocking-threads", str(THREADS), interface="wsgi")


def hypercorn(application: str) -> tuple[str, ...]:
    """hypercorn; its limit of 1,000 requests per connection has no option, only a settings module."""
    return (
        *("{python}", "-m", "hypercorn", "--config", "python:server.apps.hypercorn_settings", application),
        *("--bind", "127.0.0.1:{port}", "--workers", "{workers}", "--worker-class", "uvloop", "--backlog", str(BACKLOG)),
        *("--keep-alive", str(KEEP_ALIVE_S), "--graceful-timeout", str(GRACEFUL_STOP_S), "--log-level", "info"),
    )


def waitress(application: str) -> tuple[str, ...]:
    """waitress, which is one process; without poll() it holds no descriptor above 1,023."""
    return (
        *("{python}", "-m", "waitress", "--call", "--listen", "127.0.0.1:{port}", "--backlog", str(BACKLOG)),
        *("--threads", str(THREADS), "--connection-limit", str(MOST_CONNECTIONS), "--asyncore-use-poll"),
        *("--channel-timeout", str(KEEP_ALIVE_S), application),
    )


def daphne(application: str) -> tuple[str, ...]:
    """Daphne, which is one process; only an endpoint string of Twisted's takes a backlog, which is 50 without."""
    endpoint = f"tcp:port={{port}}:interface=127.0.0.1:backlog={BACKLOG}"
    return ("{python}", "-m", "daphne", "--endpoint", endpoint, "--verbosity", "0", application)
