"""The same steady load measured by tools that are not ours, one after the other.

Each tool is asked between two runs of ours of the same server, phase and pacing, so that a machine that is getting slower or
quicker does so for both. They are runs of the fast engine where there is epoll: of twenty answers that come at once the last
is read after the others, and only an engine that costs as little as a tool in C reads it as soon as such a tool does (p95
beside h2load's 2.97 ms: 4.04 with the httpx engine).

What is compared is latency, from a request's first byte to its answer's last, since none of these tools tells when a request
was due. And it is compared only where the tool may be believed: `witness` first holds it against a server whose answers are
known, and its requests are counted against clients x rate x seconds, since failed ones may be missing without a word.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from experiments.analyse.checks.evidence import Evidence, ms
from experiments.analyse.latency import Times, percentiles
from experiments.errors import LabError
from experiments.measure.preflight import has_epoll
from experiments.measure.servers.local import ServerProcess
from experiments.record.reading import Record
from experiments.runner import wait_for
from experiments.scenario import Scenario
from experiments.studies.calibrate.second_opinion import witness
from experiments.studies.calibrate.second_opinion.tools import PERCENTS, TOOLS, Load, Percentiles, Tool, ask
from experiments.studies.calibrate.trial import Case, Trial, disturbances, measure
from server import catalogue

_CLIENTS, _INTERVAL_MS, _SECONDS, _WARMUP_S = 20, 100, 6, 1
_AGREE_S = 0.0005
_AGREE_RATIO = 0.25
"""hey prints tenths of a millisecond, wrk's pauses are whole ones, and both start a burst of 20 in an order of their own:
agreement within half a millisecond or a quarter is all that can be asked for on a shared machine."""


PART = "second opinion"


def second_opinions() -> list[Case]:
    """Latency of a light load of A by each tool, beside ours."""
    return [Case(PART, tool.name, f"{tool.name}, latency: agreement", partial(_opinion, tool)) for tool in TOOLS]


def _opinion(tool: Tool, results_dir: Path) -> list[Trial]:
    """Whether a tool may be believed, and what it says, between two runs of ours against the same server."""
    place = shutil.which(tool.name)
    if place is None:
        why = f"skipped: {tool.name} is not installed (apt-get install {tool.package})"
        return [Trial(f"{tool.name}, latency", "agreement", why, ok=None)]
    try:
        known = witness.tried(tool, place, results_dir)
    except LabError as error:
        return [Trial(f"{tool.name}, known answers", _RIGHT, f"{tool.name} gave no figures: {error}", ok=None)]
    first = Trial(f"{tool.name}, known answers", _RIGHT, known.said, ok=None if known.wrong else True)
    with _server(results_dir) as url:
        load = Load(url + catalogue.STATUS_PATH, _CLIENTS, _INTERVAL_MS, _SECONDS, _WARMUP_S)
        before = _ours(tool, url, results_dir)
        try:
            theirs = ask(tool, place, load, results_dir)
        except LabError as error:
            return [first, Trial(f"{tool.name}, latency", "agreement", f"{tool.name} gave no figures: {error}", ok=False)]
        ours = (before, _ours(tool, url, results_dir))
    if lacking := witness.lacking(tool, load, theirs):
        return [first, Trial(f"{tool.name}, latency", "agreement", f"not compared: {lacking}", ok=None)]
    return [first, *_compare(tool, theirs.percentiles, ours, known)]


_RIGHT = "right percentiles of answers that are known"


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """One server for both who measure; yields its URL."""
    log = folder / "second-opinion-server.log"
    server = ServerProcess(system="falcon", workers=1, log_path=log, status_bytes=100, bulk_bytes=204_800)
    wait_for(server.start())
    try:
        yield server.url
    finally:
        wait_for(server.stop())


def _ours(tool: Tool, url: str, results_dir: Path) -> Record:
    asked = {"clients": _CLIENTS, "interval_ms": _INTERVAL_MS, "minutes": _SECONDS / 60, "warmup_s": _WARMUP_S}
    engine = "epoll" if has_epoll() else "httpx"
    alike = {"ratio": "1:0", "phase": tool.phase, "pacing": tool.pacing, "engine": engine}
    return measure(Scenario.from_parameters({**asked, **alike, "server_url": url, "results_dir": str(results_dir)}))


def _compare(tool: Tool, theirs: Percentiles, ours: Sequence[Record], known: witness.Known) -> Iterator[Trial]:
    """One trial a percentile; all of our polls are taken together."""
    latencies = Times.together([Evidence(record).digest.times["status", "latency"] for record in ours])
    longest = latencies.longest_s
    for here in percentiles(latencies, PERCENTS):
        there_s = theirs[here.percent]
        name = f"{tool.name}, latency p{here.percent:g}"
        if why := known.why_not(here.percent, float(longest) if isinstance(longest, float) else 0.0):
            yield Trial(name, "agreement", f"not compared: {why}", ok=None)
            continue
        limit_s = max(_AGREE_S, _AGREE_RATIO * there_s)
        ok = here.value_s is not None and abs(here.value_s - there_s) <= limit_s
        came = "too few answers" if here.value_s is None else ms(here.value_s)
        yield Trial(
            name,
            f"within {ms(limit_s)} of {tool.name}'s {ms(there_s)} (phase {tool.phase}, pacing {tool.pacing})",
            came if ok else came + disturbances(*ours),
            ok,
            ours[0].path.name,
        )
