"""Whether a tool may be believed: it asks servers whose answers are known, and its requests are counted.

Two programs: answers after 5 and 100 ms, as a server under a light load may give them; and a stall of a second, as it should
not. A percentile that is wrong with the first is not compared; one that is wrong with the stall alone is compared as long as
nothing took us nearly as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from experiments.analyse.checks.evidence import ms
from experiments.runner import wait_for
from experiments.studies.calibrate.second_opinion.tools import PERCENTS, Heard, Load, Percentiles, Tool, ask
from experiments.studies.tools import attempt, truth
from server import catalogue

MIXED, STALLED = "eighth-slow", "one-stall"
_CLIENTS, _INTERVAL_MS, _SECONDS, _WARMUP_S, _TIMEOUT_S = 20, 100, 3, 1, 10.0
_RIGHT_S, _RIGHT_RATIO, _STEP = 0.003, 0.15, 1.0
"""Of a percentile: seconds and share that it may be off, and by how many percent it may be shifted."""
_MISSING = 0.02
"""Share of the requests that may lack at the ends of the measured time, beside one a client."""
_STEADY = 2.0
"""How many intervals an answer may take before what is wrong after a stall is not compared."""


@dataclass(frozen=True)
class Known:
    """What came of a tool against answers that are known."""

    wrong: Mapping[float, str] = field(default_factory=dict)
    """Percent -> what it says of a mixture of answers, in a sentence; empty where it is right."""
    wrong_after_a_stall: Mapping[float, str] = field(default_factory=dict)
    """The same of a stall."""

    @property
    def said(self) -> str:
        """All of it."""
        both = (*self.wrong.values(), *self.wrong_after_a_stall.values())
        return "; ".join(both) or "right"

    def why_not(self, percent: float, longest_s: float) -> str:
        """Why a percentile is not compared; empty where it is.

        Args:
            longest_s: what our own longest answer took.
        """
        if percent in self.wrong:
            return self.wrong[percent]
        stalled = longest_s >= _STEADY * _INTERVAL_MS / 1000
        return self.wrong_after_a_stall.get(percent, "") if stalled else ""


def tried(tool: Tool, place: str, folder: Path) -> Known:
    """Has a tool ask both servers.

    Args:
        place: where its program lies.
        folder: takes what both leave.

    Raises:
        LabError: a server did not come up, or the tool gave no figures.
    """
    found = []
    for answer in (MIXED, STALLED):
        where = folder / f"known-{tool.name}-{answer}"
        where.mkdir(exist_ok=True)
        heard = _asked(tool, place, answer, where)
        seen = truth.read(where / attempt.LEDGER, _TIMEOUT_S)
        found.append(wrong(heard.percentiles, _measured(seen, tool), catalogue.FOR_TOOLS[answer].title))
    return Known(*found)


def _asked(tool: Tool, place: str, answer: str, where: Path) -> Heard:
    server, url = attempt.start(answer, where, body_bytes=100)
    try:
        wait_for(attempt.ready(server, url))
        return ask(tool, place, Load(url + catalogue.STATUS_PATH, _CLIENTS, _INTERVAL_MS, _SECONDS, _WARMUP_S), where)
    finally:
        wait_for(server.end())


def _measured(seen: truth.Truth, tool: Tool) -> pl.Series:
    """What the answers took that the tool speaks of."""
    return seen.well.filter(seen.well_came >= _WARMUP_S) if tool.warmed else seen.well


def wrong(theirs: Percentiles, took: pl.Series, title: str) -> dict[float, str]:
    """The percentiles that are not those of the answers as the server sent them, each with a sentence.

    Args:
        took: seconds of each answer.
        title: of the server's program.
    """
    found = {}
    for percent in PERCENTS:
        here = truth.percentiles(took, [max(0.0, percent - _STEP), percent, percent + _STEP])
        low, true, high = here.values() if here else (0.0, 0.0, 0.0)
        there = theirs[percent]
        if not low * (1 - _RIGHT_RATIO) - _RIGHT_S <= there <= high * (1 + _RIGHT_RATIO) + _RIGHT_S:
            found[percent] = f"p{percent:g} of {title} is {ms(there)} to it, and was {ms(true)}"
    return found


def lacking(tool: Tool, load: Load, heard: Heard) -> str:
    """Why what it wrote down cannot be compared: requests are missing or failed; empty where nothing is."""
    if heard.well < heard.requests:
        return f"{heard.requests - heard.well:,} of its {heard.requests:,} requests were not answered with 200"
    if tool.pacing == "fixed" and heard.requests < (1 - _MISSING) * load.requests - load.clients:
        return (
            f"it wrote down {heard.requests:,} requests where {load.requests:,} were due ({load.clients} clients, "
            f"{1000 / load.interval_ms:g} a second each, {load.seconds} s): some were not sent, or failed without a word"
        )
    return ""
