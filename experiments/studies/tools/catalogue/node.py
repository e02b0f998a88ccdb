"""Load tools that run on Node.js: one entry each, and who reads what it prints."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from experiments.studies.tools.catalogue.tool import MAX, Asked, Said, Tool, figure, maybe, unreadable


def _autocannon(asked: Asked, place: str) -> list[str]:
    options = ["-c", str(asked.clients), "-d", f"{asked.seconds:.0f}", "-R", f"{asked.per_s:g}"]
    return [place, "--json", *options, "-t", f"{max(1, asked.timeout_s):.0f}", asked.url]


def read_autocannon(printed: str, asked: Asked) -> Said:
    """Its JSON has milliseconds; with a rate its times are corrected for it, which it says in its help."""
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if not lines:
        raise unreadable("autocannon", printed)
    said = json.loads(lines[-1])
    latency, names = said["latency"], {50: "p50", 75: "p75", 90: "p90", 99: "p99", MAX: "max"}
    times = {float(percent): latency[name] / 1e3 for percent, name in names.items() if latency.get(name) is not None}
    # Its errors include its timeouts.
    failed = said["non2xx"] + said["errors"]
    return Said(said["2xx"], failed, said["requests"]["total"], said["requests"]["average"], times)


def _loadtest(asked: Asked, place: str) -> list[str]:
    options = ["-c", str(asked.clients), "-t", f"{asked.seconds:.0f}", "--rps", f"{asked.per_s:g}", "--cores", "1"]
    return [place, "-k", "-d", f"{1000 * asked.timeout_s:.0f}", *options, asked.url]


def read_loadtest(printed: str, asked: Asked) -> Said:
    """Whole milliseconds. Its errors are answers of 4xx and 5xx, timeouts and lost connections."""
    completed = int(figure(r"^Completed requests:\s+([\d,]+)", printed, "loadtest"))
    errors = int(figure(r"^Total errors:\s+([\d,]+)", printed, "loadtest"))
    rows = re.findall(r"^\s+(\d+)%\s+([\d.]+) ms", printed, re.MULTILINE)
    times = {float(percent): float(ms) / 1e3 for percent, ms in rows}
    return Said(completed - errors, errors, completed, maybe(r"^Effective rps:\s+([\d.,]+)", printed), times)


_ARTILLERY = """\
config:
  target: "{origin}"
  http: {{timeout: {timeout:g}}}
  phases: [{{duration: 1, arrivalCount: {clients}}}]
scenarios:
  - flow:
      - loop:
          - get: {{url: "{path}"}}
          - think: "{pause_ms:.0f} ms"
        count: {calls}
"""


def _artillery(asked: Asked, place: str) -> list[str]:
    script = asked.folder / "artillery.yml"
    origin, _, path = asked.url.partition("/hello")
    script.write_text(
        _ARTILLERY.format(
            origin=origin,
            timeout=asked.timeout_s,
            clients=asked.clients,
            path=f"/hello{path}",
            pause_ms=1000 * asked.interval_s,
            calls=max(1, round(asked.seconds / asked.interval_s)),
        )
    )
    return [place, "run", "--quiet", "--output", str(asked.folder / "artillery.json"), str(script)]


def read_artillery(printed: str, asked: Asked) -> Said:
    """Its report: counters by name, and a summary of `http.response_time` in milliseconds."""
    path = asked.folder / "artillery.json"
    if not path.is_file():
        raise unreadable("artillery", printed)
    told: Mapping[str, Any] = json.loads(path.read_text())["aggregate"]
    counters = told["counters"]
    codes = {name.rpartition(".")[2]: number for name, number in counters.items() if name.startswith("http.codes.")}
    errors = sum(number for name, number in counters.items() if name.startswith("errors."))
    good = sum(number for code, number in codes.items() if code.startswith("2"))
    others = sum(codes.values()) - good + errors
    summary = told["summaries"].get("http.response_time", {})
    names = {50: "p50", 75: "p75", 90: "p90", 95: "p95", 99: "p99", MAX: "max"}
    times = {float(percent): summary[name] / 1e3 for percent, name in names.items() if summary.get(name) is not None}
    return Said(good, others, counters.get("http.requests", 0), told["rates"].get("http.request_rate"), times)


_ARTILLERY_ALONE = {"ARTILLERY_DISABLE_TELEMETRY": "true", "https_proxy": "http://127.0.0.1:9"}
"""Disabled, its telemetry still sends an event without contents (lib/telemetry.js of 2.0.21): to a port on which nobody
listens. It tries four times, 5 s apart, and only then ends, which need not be waited for."""

ENTRIES = (
    Tool(
        "autocannon",
        "npm install -g autocannon",
        _autocannon,
        read_autocannon,
        "autocannon",
        version=("--version",),
    ),
    Tool("loadtest", "npm install -g loadtest", _loadtest, read_loadtest, "loadtest", version=("--version",)),
    Tool(
        "artillery",
        "npm install -g artillery",
        _artillery,
        read_artillery,
        "artillery",
        version=("--version",),
        phases=("random",),
        pacing="after",
        environment=lambda asked: _ARTILLERY_ALONE,
        has_said=lambda asked: (asked.folder / "artillery.json").is_file(),
    ),
)
"""All of them."""
