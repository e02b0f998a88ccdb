"""This lab's engines as load tools: a run with one generator, and what its summary says of endpoint A."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from experiments.scenario import CALIBRATED
from experiments.studies.tools.catalogue.tool import MAX, Asked, Said, Tool, unreadable

_PROGRAM = Path(__file__).with_name("lab_run.py")

_TARGET = """\
description: Answers without a body.
ready: /health
endpoints:
  status:
    request: GET {path}
    share: 1
    expect: {{status: 204}}
"""


def _command(engine: str) -> Callable[[Asked, str], list[str]]:
    def command(asked: Asked, place: str) -> list[str]:
        at = urlsplit(asked.url)
        told = {
            "engine": engine,
            "server_url": f"{at.scheme}://{at.netloc}",
            "clients": asked.clients,
            "interval_ms": 1000 * asked.interval_s,
            "minutes": asked.seconds / 60,
            "phase": asked.phase,
            "timeout_s": asked.timeout_s,
            "warmup_s": 0.0,
            "results_dir": str(asked.folder),
        }
        if asked.body_bytes:
            told |= {"ratio": "1:0", "status_bytes": asked.body_bytes}
        else:
            path = asked.folder / "target.yaml"
            path.write_text(_TARGET.format(path=f"{at.path}?{at.query}"))
            told["target"] = str(path)
        return [place, str(_PROGRAM), json.dumps(told)]

    return command


def read(printed: str, asked: Asked) -> Said:
    """The last line is JSON: counts, and latency (sent to done), which is what other tools call response time."""
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if not lines:
        raise unreadable("the lab", printed)
    said = json.loads(lines[-1])
    names = {50: "p50", 90: "p90", 95: "p95", 99: "p99", MAX: "max"}
    times = {float(p): said["latency_ms"][name] / 1e3 for p, name in names.items() if said["latency_ms"][name] is not None}
    return Said(said["ok"], said["failed"], said["sent"], None, times)


ENTRIES = tuple(
    Tool(
        f"lab-{engine}",
        "make servers",
        _command(engine),
        read,
        module="experiments",
        package="falcon-asgi-performance-lab",
        phases=("random", "together", "spread"),
        ours=True,
    )
    for engine in CALIBRATED
)
"""One an engine."""

