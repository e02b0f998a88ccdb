"""What a run is about, in a few words: which server, how many devices, how often, for how long, when, of which commit.

A record in, the title of its report out. Knows neither figures nor HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.analyse.targets import asked
from experiments.analyse.targets.naming import together
from experiments.present.format import count, duration, plain, plural
from experiments.record.reading import Record
from experiments.target.hello import NAME as HELLO

_MOST_SERVERS = 4
_SHOWN_OF_COMMIT = 10
"""Letters of a commit that tell it from others."""


@dataclass(frozen=True)
class Subject:
    """What a run is about."""

    server: str
    """`Falcon 4.4.0`, `fleet` or an address: the subject of the sentences about it."""
    devices: str
    """`500 devices`."""
    pace: str
    """`every 500 ms`; of a target with clocks of its own the shortest of them."""
    about: str
    """What the server is in full, and what it is asked: `Falcon ASGI on uvicorn, 1 worker, polled for A and B`."""
    lasting: str
    """`10 min`."""
    when: str
    """`2026-11-28 15:25 UTC`."""
    commit: str
    """`abccc53b1f`, with `and changes` where the files were not those of the commit; empty where none is known."""
    run_id: str

    @property
    def title(self) -> str:
        """`Falcon 4.4.0: 500 devices every 500 ms`."""
        return f"{self.server}: {self.devices} {self.pace}"

    @property
    def dated(self) -> str:
        """When it was measured, for how long, of which commit and under which name."""
        commit = f"commit {self.commit}" if self.commit else ""
        return " · ".join(filter(None, [self.when, f"{self.lasting} measured", commit, f"run {self.run_id}"]))


def of(record: Record) -> Subject:
    """What this run is about."""
    server = record.facts.get("server") or {}
    interval_s = asked.interval_s(record)
    return Subject(
        server=_server(record, server),
        devices=plural(record.plan.clients, "device"),
        pace=f"every {plain(1000 * interval_s)} ms" if interval_s < 1 else f"every {duration(interval_s)}",
        about=", ".join(filter(None, [_in_full(record, server), _workers(record), _polled(record)])),
        lasting=duration(record.window_s),
        when=minute(record.started.get("started_at")),
        commit=commit(record.started.get("environment") or {}),
        run_id=record.run_id,
    )


def servers(records: Sequence[Record]) -> str:
    """The servers of several runs, each once; `no server` where none was measured."""
    named = list(dict.fromkeys(_server(record, record.facts.get("server") or {}) for record in records))
    more = f" and {len(named) - _MOST_SERVERS} more" if len(named) > _MOST_SERVERS else ""
    return ", ".join(named[:_MOST_SERVERS]) + more if named else "no server measured"


def of_many(records: Sequence[Record], each: str) -> list[str]:
    """Below the title of several runs: what was polled in full, and when, how many, of which commit.

    Args:
        each: what one of them is called, `cell`.
    """
    if not records:
        return []
    first = records[0]
    full = _in_full(first, first.facts.get("server") or {})
    named = commit(first.started.get("environment") or {})
    dated = [minute(first.started.get("started_at")), plural(len(records), each), f"commit {named}" if named else ""]
    return [*filter(None, [full]), " · ".join(filter(None, dated))]


def minute(utc: object) -> str:
    """`2026-11-28 15:25 UTC`, of a time as the record has it."""
    day, _, time = str(utc or "").partition("T")
    return f"{day} {time[:5]} UTC" if time else day


def commit(environment: Mapping[str, Any]) -> str:
    """The commit of the code, shortened, and whether its files were changed."""
    told = environment.get("commit") or {}
    if not told.get("id"):
        return ""
    return str(told["id"])[:_SHOWN_OF_COMMIT] + (" and changes" if told.get("changed") else "")


def _server(record: Record, server: Mapping[str, Any]) -> str:
    """A framework that the lab brings goes by its name and version, a user's server by the name of the target."""
    if record.scenario.server_url:
        return record.scenario.server_url.rstrip("/")
    if record.started["scenario"].get("target", HELLO) != HELLO:
        return asked.target_name(record)
    name, version = str(server.get("name") or record.scenario.server), server.get("framework_version")
    if version and server.get("framework") == name.partition("-")[0]:
        return f"{_spoken(name)} {version}"
    return _spoken(name)


def _spoken(name: str) -> str:
    """`Falcon`, `Falcon-wsgi`, `aiohttp`: as its makers write it, as far as that is a matter of the first letter."""
    return name if name.startswith(("aiohttp", "nginx", "bare")) else name[:1].upper() + name[1:]


def _in_full(record: Record, server: Mapping[str, Any]) -> str:
    return str(server.get("title") or (f"target {asked.target_name(record)}" if asked.target(record) else ""))


def _workers(record: Record) -> str:
    external = record.scenario.server_url or not (record.facts.get("server") or {}).get("started_by_lab", True)
    return "" if external else plural(record.scenario.workers, "worker")


def _polled(record: Record) -> str:
    return f"polled for {together(record.endpoints)}, {count(record.plan.polls_per_s)} polls/s"
