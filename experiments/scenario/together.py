"""What does not go together. Parameters that are each right in -> nothing, or the first reason why they cannot be asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from experiments import beside
from experiments.parameters import CREDENTIALS, listed
from experiments.parts import Level
from experiments.scenario.addresses import is_here, is_loopback
from experiments.scenario.engines import OWN_ENGINES
from experiments.scenario.fields import Fields
from experiments.target.hello import NAME as HELLO
from server import catalogue

OF_HELLO = ("server", "workload", "ratio", "status_bytes", "bulk_bytes")
"""Parameters that say something of the article's two endpoints alone; of another target its file says it."""

_OF_DATABASE = ("database_url", "db_delay_ms", "db_connections")

_IN_PROCESS_LIMIT = 200
"""Most devices that a notebook's own kernel (generators=0) may drive: its loop also serves Jupyter."""

_THREADS_LIMIT = 2000
"""Most devices that one generator may drive with a thread each: far beyond what one interpreter carries."""


def check(asked: Fields, level: Level) -> None:
    """Refuses what does not go together.

    Raises:
        ValueError: what, and what helps.
    """
    if asked.server_url and not is_loopback(asked.server_url):
        _refuse_stranger(asked, "server_url", asked.server_url, "server")
    _check_of_hello(asked)
    _check_database(asked)
    _check_threads(asked)
    _check_sources(asked)
    _check_servers(asked)
    _check_beside(asked)
    if asked.generators == 0 and asked.dask_scheduler:
        raise ValueError(
            f"dask_scheduler={asked.dask_scheduler!r} with generators=0: say how many of its workers are to drive "
            "devices, like generators=2"
        )
    if asked.slo_devices_pct and asked.target == HELLO and not level.has_limits:
        raise ValueError(
            f"slo_devices_pct={asked.slo_devices_pct:g} without a limit that each device must keep: set "
            "slo_status_p99_ms, slo_bulk_p99_ms or slo_failure_pct as well"
        )
    if asked.generators == 0 and asked.clients > _IN_PROCESS_LIMIT:
        raise ValueError(
            f"clients={asked.clients} with generators=0: this kernel may drive at most {_IN_PROCESS_LIMIT} devices "
            "itself; use generators=1 for more"
        )


def _check_of_hello(asked: Fields) -> None:
    away = asked.away_from_default(OF_HELLO)
    if away and asked.target != HELLO:
        raise ValueError(
            f"{away[0]}={getattr(asked, away[0])!r} with target={asked.target!r}: that is for the target {HELLO!r} to "
            f"have; leave {listed(away)} out, the target's file says it"
        )


def _check_database(asked: Fields) -> None:
    away = asked.away_from_default(_OF_DATABASE)
    if away and asked.workload != "database":
        raise ValueError(f"{away[0]} with workload={asked.workload!r}, which has no database: set workload='database'")
    if not asked.database_url:
        return
    address = catalogue.database_url.parse(asked.database_url)
    if asked.server_url:
        raise ValueError(f"database_url with server_url={asked.server_url!r}: that server brings its own database")
    if not (address.host.startswith("/") or is_here(address.host)):
        _refuse_stranger(asked, "database_url", address.shown, "database")


def _check_threads(asked: Fields) -> None:
    if asked.engine != "threads":
        if asked.redis_url:
            raise ValueError(f"redis_url with engine={asked.engine!r}, which counts nothing there: set engine='threads'")
        return
    if asked.pacing != "after" or asked.keep_alive:
        raise ValueError(
            "engine='threads' sleeps after each answer and opens a connection per request: "
            "set pacing='after' and keep_alive=False as well"
        )
    if asked.generators == 0 or asked.dask_scheduler:
        raise ValueError("engine='threads' needs processes of its own on this machine: set generators=1 or more")
    if asked.clients > _THREADS_LIMIT * asked.generators:
        raise ValueError(
            f"clients={asked.clients} with engine='threads' and generators={asked.generators}: each is a thread, and a "
            f"generator may have {_THREADS_LIMIT} at most; ask for more generators, fewer clients or engine='epoll'"
        )
    host = urlsplit(asked.redis_url).hostname
    if host and not (asked.redis_url.startswith("unix:") or is_here(host)):
        _refuse_stranger(asked, "redis_url", CREDENTIALS.sub("", asked.redis_url), "Redis")


def _check_sources(asked: Fields) -> None:
    if not asked.source_addresses:
        return
    if asked.engine not in OWN_ENGINES:
        raise ValueError(
            f"source_addresses with engine={asked.engine!r}, whose connections are not the lab's own: leave it out, or use "
            "engine='epoll' or 'httpx'"
        )
    if asked.dask_scheduler:
        raise ValueError("source_addresses with dask_scheduler: they would be of one machine; leave it out")


def _check_servers(asked: Fields) -> None:
    """What is said of each server goes together with where it comes from."""
    own, *others = asked.systems
    if own.server or own.target or own.url:
        raise ValueError(f"variant={asked.variant!r} names another server: variant says how the run's own server differs")
    running = [one for one in (own, *others) if one.said and not (one.server or one.target or one.url)]
    if running and asked.server_url:
        raise ValueError(
            f"{running[0].said!r} with server_url={asked.server_url!r}: a server that runs already is as it is; say the URL "
            "of the other one"
        )
    for one in others:
        if one.server and asked.target != HELLO:
            raise ValueError(
                f"beside={one.server!r} with target={asked.target!r}: systems of the catalogue answer the target {HELLO!r} "
                "alone; name a target file"
            )
        if one.url and not is_loopback(one.url):
            _refuse_stranger(asked, "beside", one.url, "server")


def _check_beside(asked: Fields) -> None:
    if not asked.beside:
        return
    unfit = {
        f"workload={asked.workload!r}": asked.workload != "static",
        f"engine={asked.engine!r}": asked.engine == "threads",
        f"dask_scheduler={asked.dask_scheduler!r}": bool(asked.dask_scheduler),
    }
    for said, does_not_fit in unfit.items():
        if does_not_fit:
            raise ValueError(f"beside={asked.beside!r} with {said}: that measures one server at a time; leave one out")
    count = len(asked.systems)
    if count > beside.MOST or asked.clients < 2 * count:
        raise ValueError(
            f"beside={asked.beside!r} makes {count} servers for clients={asked.clients}: at most {beside.MOST} servers, and "
            "two devices for each, at least"
        )


def _refuse_stranger(asked: Fields, name: str, shown: str, what: str) -> None:
    if not asked.allow_remote:
        raise ValueError(
            f"{name}={shown!r} is not on this machine: a load generator must not be pointed at strangers by a slip; "
            f"set allow_remote=True if that {what} is yours"
        )
