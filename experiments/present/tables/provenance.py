"""Where the figures come from: record, machine, versions, command lines, workers.

Everything here was said by a server, a parameter or the machine: all of it is text and is escaped as such.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.present.format import NONE, count, duration, number, plural, size
from experiments.present.html import Markup, table
from experiments.present.tables import connections, database, trials
from experiments.record.reading import Record

_HASHED = ("started.json", "run.json", "resources.parquet")


def provenance(record: Record) -> Markup:
    """Everything that somebody needs to judge or repeat the run."""
    facts = record.facts
    parts = [
        _facts("run", _run(record)),
        _facts("machine", _machine(facts.get("environment", {}))),
        _facts("server", _server(facts.get("server", {}), record.path)),
        _workers(facts.get("server", {}).get("workers") or []),
        *(_facts(f"beside it: {one['called']}", _server(one, record.path)) for one in facts.get("beside", ())),
        _facts("database", database.facts(facts["database"])) if facts.get("database") else Markup(""),
        _generators(facts.get("generator", {})),
        _fleet(facts.get("generator", {}).get("instances") or []),
        _facts("versions", _versions(facts.get("environment", {}))),
        _facts("calibration", _calibration(facts.get("environment", {}).get("calibration") or {})),
    ]
    return Markup("".join(part.content for part in parts))


def _facts(title: str, rows: Iterable[tuple[str, object]]) -> Markup:
    """A table of names and values; what is not known is left out."""
    known = [[name, str(value)] for name, value in rows if value not in (None, "", NONE)]
    return table([title, "value"], known, label=title, wide={1}) if known else Markup("")


def _run(record: Record) -> list[tuple[str, object]]:
    facts = record.facts
    return [
        ("run_id", record.run_id),
        ("record", place_of(record.path)),
        ("started", facts.get("started_at")),
        ("ended", facts.get("ended_at")),
        ("measured window", duration(record.window_s)),
        ("window began", facts.get("window_started_at")),
        ("devices connected from", _sources(facts.get("generator", {}).get("source_addresses") or [])),
        ("scenario hash", record.scenario.short_hash),
        ("record schema", facts.get("schema_version")),
        *((f"sha256 of {name}", digest) for name, digest in _hashes(record.path)),
    ]


def _sources(addresses: Sequence[str]) -> str | None:
    """The local addresses that the devices shared out among themselves; none where the system chose."""
    if len(addresses) < 4:
        return ", ".join(addresses)
    return f"{count(len(addresses))} addresses, {addresses[0]} to {addresses[-1]}"


def place_of(path: Path) -> str:
    """Where the record lies, without the folders above the results: those are nobody's business."""
    return f"{path.parent.name}/{path.name}"


def _hashes(path: Path) -> Iterable[tuple[str, str]]:
    for name in _HASHED:
        if (path / name).is_file():
            yield name, hashlib.sha256((path / name).read_bytes()).hexdigest()
    parts = sorted((path / "requests").glob("part-*.parquet"))
    if parts:
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.read_bytes())
        yield f"{plural(len(parts), 'part')} of requests, in order", digest.hexdigest()


def _machine(environment: Mapping[str, Any]) -> list[tuple[str, object]]:
    clock = environment.get("clock") or {}
    resolution = clock.get("resolution_s")
    return [
        ("processor", environment.get("cpu_model")),
        ("cores", _usable(environment.get("cores_usable"), environment.get("cores"), str)),
        ("memory", _usable(environment.get("memory_usable_bytes"), environment.get("memory_bytes"), size)),
        ("open files of a process", _open_files(environment.get("open_files") or {})),
        ("virtual machine", _yes_no(environment.get("hypervisor"))),
        ("system", environment.get("platform")),
        ("kernel", environment.get("kernel")),
        ("clock", f"{clock.get('name')}, {number(resolution * 1e9)} ns" if resolution else None),
    ]


def _open_files(files: Mapping[str, Any]) -> str | None:
    """The limit under which the run's processes were started, and how far it could have been raised."""
    if not files:
        return None
    soft, hard = ("any number" if files[name] is None else count(files[name]) for name in ("soft", "hard"))
    return f"{soft}; may be raised to {hard} (ulimit -Hn)"


def _usable(usable: object, total: object, words: Callable[[Any], str]) -> str | None:
    """What there is of something, and before it what the lab may use of it where that is less."""
    if total is None or usable in (None, total):
        return None if total is None else words(total)
    return f"{words(usable)} usable, of {words(total)}"


def _yes_no(value: object) -> object:
    """True and False in words; what is neither says itself."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _server(server: Mapping[str, Any], run_path: Path) -> list[tuple[str, object]]:
    framework = " ".join(str(server.get(key) or "") for key in ("framework", "framework_version"))
    rows: list[tuple[str, object]] = [
        ("name", server.get("name")),
        ("framework", framework.strip()),
        ("commit", server.get("commit")),
        ("packages of its own", ", ".join(server.get("packages") or ())),
        ("address", server.get("url")),
        ("devices connected to", connections.address(server)),
        ("started by the lab", _yes_no(server.get("started_by_lab"))),
        ("command", command_line(server.get("command") or [], run_path)),
        ("processes that were sampled", _sampled(server.get("sampled") or {})),
        ("processes not sampled, since", server.get("unseen")),
        *_may_use(server.get("may_use") or {}),
        ("connections that may wait (backlog)", _backlog(server)),
        ("died", server.get("died")),
        ("exit", _exit(server.get("exit"))),
    ]
    for endpoint, headers in (server.get("headers") or {}).items():
        rows.append((f"headers of {endpoint}", "\n".join(f"{k}: {v}" for k, v in dict(headers).items())))
    return rows


def _may_use(may_use: Mapping[str, Any]) -> list[tuple[str, object]]:
    return [
        ("cores that it may use", may_use.get("cores")),
        ("CPU quota, cores", may_use.get("quota_cores")),
        ("memory that it may use", size(may_use.get("memory_bytes"))),
    ]


def _backlog(server: Mapping[str, Any]) -> str | None:
    """As it was read back from the listening socket, and the most that the system allows."""
    if server.get("backlog") is None:
        return None
    return f"{count(server['backlog'])}, of at most {count(server.get('backlog_most'))} (net.core.somaxconn)"


def _sampled(sampled: Mapping[str, Any]) -> str | None:
    """Which processes were found to serve; none for a server that the lab started itself."""
    if not sampled.get("name"):
        return None
    return f"{sampled['name']} {', '.join(map(str, sampled['pids']))}, with their descendants"


def command_line(command: Iterable[object], run_path: Path) -> str:
    """A command as it would be typed, with folders of this machine shortened."""
    words = [str(word) for word in command]
    if words and "/" in words[0]:
        words[0] = Path(words[0]).name
    folders = {str(run_path): place_of(run_path), str(Path.home()): "~"}
    for folder, instead in folders.items():
        words = [word.replace(f"{folder}/", f"{instead}/") for word in words]
    return shlex.join(words)


def _exit(ended: Mapping[str, Any] | None) -> str | None:
    if not ended:
        return None
    return f"{ended.get('how')}, code {ended.get('code')}, after {number(ended.get('seconds'))} s"


def _workers(workers: Iterable[Mapping[str, Any]]) -> Markup:
    rows = [[str(worker.get("pid")), count(worker.get("served"))] for worker in workers]
    head = ["worker, pid", "requests served, warm-up included"]
    return table(head, rows, label="requests served by each worker", numbers={1}) if rows else Markup("")


def _generators(generator: Mapping[str, Any]) -> Markup:
    head = ["generator", "devices", "requests", "connects", "reconnects", "retries", "processor, s", "memory, peak"]
    rows = [
        [
            f"{generator.get('engine')} {one.get('instance')}",
            *(count(one.get(key)) for key in ("clients", "attempts")),
            *(count(_told(generator, one, key)) for key in ("connects", "reconnects", "retries")),
            number(one.get("cpu_s")),
            size(one.get("rss_peak_bytes")),
        ]
        for one in generator.get("instances") or []
    ]
    return table(head, rows, label="generators", numbers=range(1, 8)) if rows else Markup("")


def _told(generator: Mapping[str, Any], one: Mapping[str, Any], key: str) -> int | None:
    """What a generator counted of its connections; older records say 0 of httpx's own client, which never told."""
    return None if generator.get("engine") == "httpx-stock" else one.get(key)


def _fleet(instances: Iterable[Mapping[str, Any]]) -> Markup:
    """The machines of a fleet, and how their clocks stood to this one's."""
    head = ["generator", "Dask worker", "here", "processor", "cores", "clock ahead, s", "known within, ms", "drift, ms"]
    rows = [
        [
            str(one.get("instance")),
            str(worker.get("number")),
            str(_yes_no(worker.get("on_this_machine"))),
            str(worker.get("machine", {}).get("cpu_model")),
            str(worker.get("machine", {}).get("cores_usable", worker.get("machine", {}).get("cores"))),
            f"{one['clock_offset_s']:,.3f}",
            f"{1000 * one['clock_error_s']:.2f}",
            NONE if one.get("clock_drift_s") is None else f"{1000 * one['clock_drift_s']:.2f}",
        ]
        for one in instances
        if (worker := one.get("worker"))
    ]
    return table(head, rows, label="machines of the fleet", numbers=range(4, 8)) if rows else Markup("")


def _versions(environment: Mapping[str, Any]) -> list[tuple[str, object]]:
    packages = environment.get("packages") or {}
    return [
        ("lab", environment.get("lab_version")),
        ("Python", " ".join(str(environment.get(key) or "") for key in ("implementation", "python")).strip()),
        ("packages", ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))),
    ]


def _calibration(certified: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What the certificate says that this record carries."""
    if not certified:
        return [("certificate", "none for this machine and these versions; make calibrate makes one")]
    known: list[tuple[str, object]] = [
        ("certified", f"{certified['certified_at']}, {certified['variant']} variant"),
        ("passed as a whole", _yes_no(certified["passed"])),
    ]
    if "figures" not in certified:
        return known  # Of a lab that did not write them down yet.
    return [
        *known,
        ("tried", trials.tried(certified)),
        *(("figures", figure) for figure in trials.figures(certified)),
        ("honest runs", certified["honest_runs"]),
        *((f"passed: {name}", outcome) for name, outcome in trials.parts(certified)),
        ("failed", "; ".join(certified["failed"])),
    ]
