"""What a tool says beside the truth: which figures are right, and one sentence about those that are not.

What was asked, said and seen in, findings out; pure. A figure is off when it is further from the truth than both can be
explained by: the limits stand here, and the unrest of the machine during that attempt is added to those of times. Why it is
off is only said where the ledger reproduces the tool's figure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from experiments.studies.tools.catalogue.tool import MAX, Asked, Said, Tool
from experiments.studies.tools.truth import PERCENTS, Truth, by_the_clock, corrected, percentiles
from server import catalogue

TIME_S, TIME_RATIO = 0.003, 0.15
"""Times: tools round to whole milliseconds, and see an answer some tenths later than the server sent it."""
TAIL_S, TAIL_RATIO, TAIL = 0.06, 0.5, 99.0
"""From p99 on: of some hundred requests that is a handful, and the first ones of each tool pay for its start."""
RATE_RATIO = 0.1
"""Rates: some divide by the time until their own end."""
_STEP = 1.0
"""Percent: requests that were under way at the end shift a percentile by as much."""
_COUNT_RATIO, _STRAY = 0.01, 2
"""Counts: what was under way at the end may be counted or not."""

Kind = Literal["count", "errors", "times", "rate", "load", "hung", "failed"]
KINDS: dict[Kind, str] = {
    "count": "number of requests",
    "errors": "failures",
    "times": "times",
    "rate": "rate",
    "load": "what it asked for itself",
    "hung": "it did not end",
    "failed": "it gave no figures",
}
"""Kind of a finding -> what it is about."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Row:
    """One tool against one answer."""

    tool: Tool
    version: str
    answer: str
    asked: Asked
    said: Said | None
    """None where it said nothing that could be read."""
    truth: Truth
    findings: tuple[Finding, ...]

    @property
    def right(self) -> bool:
        """Whether all that it says is right, and it asked what it was told to."""
        return not self.findings

    @property
    def sentence(self) -> str:
        """What there is to say about it."""
        if self.findings:
            text = "; ".join(one.text for one in self.findings)
            return f"{text[0].upper()}{text[1:]}."
        if self.said is not None and not self.said.times:
            return "Its counts are right; it says nothing of times."
        lacking = self.said is not None and not {50.0, 90.0} & {*self.said.times}
        return "Right in what it says; but it has no percentiles." if lacking else "Right."

    @property
    def shown_percent(self) -> float | None:
        """The percentile that a picture shows: p90, or the longest where it has no percentiles."""
        if self.said is None:
            return None
        return next((percent for percent in (90.0, 95.0, MAX) if percent in self.said.times), None)


def judge(tool: Tool, asked: Asked, answer: str, said: Said, truth: Truth) -> tuple[Finding, ...]:
    """What is not as it should be, the gravest first."""
    return (
        *_counts(asked, said, truth),
        *_errors(asked, said, truth),
        *_times(asked, said, truth),
        *_rate(asked, said, truth),
        *_load(tool, asked, answer, truth),
        *_hidden(tool, asked, answer, said, truth),
    )


def _counts(asked: Asked, said: Said, truth: Truth) -> Iterator[Finding]:
    """Its number of requests beside what came; those under way at its end may be missing."""
    count = said.answered + said.failed if said.count is None else said.count
    slack = asked.clients + _COUNT_RATIO * truth.count
    sure = truth.count - truth.unanswered
    if count < sure - slack:
        yield Finding("count", f"says nothing of {truth.count - count:,} of the {truth.count:,} requests that came")
    elif count > truth.count + slack:
        yield Finding("count", f"counts {count:,} requests where {truth.count:,} came")


def _errors(asked: Asked, said: Said, truth: Truth) -> Iterator[Finding]:
    """What it calls failed beside what did fail."""
    slack = _STRAY + _COUNT_RATIO * truth.count
    most = truth.refused + truth.short + truth.unanswered
    if said.failed < truth.failed - slack or (not said.failed and truth.failed > _STRAY):
        what = f"{truth.failed:,} failures" if said.failed else _failures(truth)
        but = f"only {said.failed:,} of " if said.failed else "nothing of "
        yield Finding("errors", f"says {but}{what}")
    elif said.failed > most + slack:
        if truth.failed:
            yield Finding("errors", f"calls {said.failed:,} requests failed where {truth.failed:,} were")
        else:
            yield Finding("errors", f"calls {said.failed:,} requests failed, where none was")
    if said.answered > truth.answered + asked.clients + _COUNT_RATIO * truth.count:
        yield Finding("errors", f"calls {said.answered:,} well answered where {truth.answered:,} were")


def _failures(truth: Truth) -> str:
    kinds = {
        "answers 503": truth.refused,
        "answers that were cut off": truth.short,
        "requests that were never answered": truth.given_up,
    }
    return " and ".join(f"{number:,} {what}" for what, number in kinds.items() if number)


def _times(asked: Asked, said: Said, truth: Truth) -> Iterator[Finding]:
    """Its percentiles beside those of the answers: the one that is furthest off."""
    told = {percent: there for percent, there in said.times.items() if percent in PERCENTS}
    waited = truth.waited(asked.timeout_s)
    wrong = {
        percent: there
        for percent, there in told.items()
        if _off(percent, there, truth.took, truth) and _off(percent, there, waited, truth)
    }
    if not wrong or not truth.took.len():
        return
    percent = max(wrong, key=lambda one: _ratio(wrong[one], _at(truth.took, one)))
    there, here = wrong[percent], _at(truth.took, percent)
    factor = _ratio(there, here)
    by = f"{factor:.0f} times" if factor >= _TIMES_FROM else f"by {100 * abs(there - here) / here:.0f} %"
    verb = "overstates" if there > here else "understates"
    yield Finding("times", f"{verb} {name(percent)} {by} ({_ms(there)} for {_ms(here)})" + _since(asked, told, wrong, truth))


_TIMES_FROM = 3


def _since(asked: Asked, told: Mapping[float, float], wrong: Collection[float], truth: Truth) -> str:
    """Why, where the ledger gives all of the tool's percentiles when it is read in that way."""
    mean_s = asked.seconds * asked.clients / max(1, truth.count)
    all_s = asked.interval_s / asked.clients
    ways: tuple[tuple[str, Callable[[], pl.Series]], ...] = (
        ("its time ends at the first byte", lambda: truth.to_first),
        ("it leaves failed requests out of its times", lambda: truth.well),
        (
            f"it corrects for an interval that nobody asked for ({_ms(mean_s)}, its mean)",
            lambda: corrected(truth.took, mean_s),
        ),
        (
            f"it corrects for the interval of all clients together ({_ms(all_s)})",
            lambda: corrected(truth.took, all_s),
        ),
        (
            f"it corrects for the interval of a client ({_ms(asked.interval_s)})",
            lambda: corrected(truth.took, asked.interval_s),
        ),
    )
    if not any(percent < TAIL for percent in wrong):
        return ""
    for why, how in ways:
        series = how()
        nearer = all(
            2 * abs(told[percent] - _at(series, percent)) < abs(told[percent] - _at(truth.took, percent))
            for percent in wrong
        )
        if series.len() and nearer and not any(_off(percent, there, series, truth) for percent, there in told.items()):
            return f", since {why}"
    return ""


def _rate(asked: Asked, said: Said, truth: Truth) -> Iterator[Finding]:
    here = truth.per_s if truth.span_s > asked.seconds / 2 else None
    if said.per_s is not None and here and abs(said.per_s - here) > RATE_RATIO * here + 1:
        yield Finding("rate", f"prints {said.per_s:,.0f} requests/s where {here:,.0f} came")


def _load(tool: Tool, asked: Asked, answer: str, truth: Truth) -> Iterator[Finding]:
    """Whether it asked as often as it was told to; one that waits after each answer, or for them all, asks less often."""
    wanted = round(asked.per_s * asked.seconds)
    if truth.count < wanted / 2 and truth.span_s < asked.seconds / 2:
        what = f"{truth.count:,} requests where {wanted:,} were expected"
        yield Finding("load", f"asked for {truth.span_s:.2g} s only: {what}")
        return
    if not tool.paced or tool.pacing != "fixed" or catalogue.FOR_TOOLS[answer].most_connections:
        return
    if (truth.per_s or 0.0) < (1 - RATE_RATIO) * asked.per_s:
        why = ": it skips what the stall held up" if _stall_end(answer) is not None else ""
        yield Finding("load", f"asked {truth.per_s or 0.0:.0f} times a second where {asked.per_s:.0f} were wanted{why}")


def _hidden(tool: Tool, asked: Asked, answer: str, said: Said, truth: Truth) -> Iterator[Finding]:
    """What devices that poll by the clock would have felt of a stall, and its percentiles do not show."""
    if _stall_end(answer) is None or tool.ours or 90.0 not in said.times:
        return
    felt = percentiles(by_the_clock(answer, asked.clients, asked.interval_s, asked.seconds), (90.0,))[90.0]
    if said.times[90.0] < felt / 3 and not _off(90.0, said.times[90.0], truth.took, truth):
        yield Finding(
            "times",
            f"its p90 of {_ms(said.times[90.0])} hides the stall: devices that poll by the clock waited {_ms(felt)} or more "
            "in one of ten polls",
        )


def _stall_end(answer: str) -> float | None:
    return next((one.end_s for one in catalogue.FOR_TOOLS[answer].episodes if one.kind == "stall"), None)


def _off(percent: float, there: float, took: pl.Series, truth: Truth) -> bool:
    """Whether a tool's percentile is further than it may be from those of these times just below and above it."""
    low, high = (_at(took, max(0.0, min(MAX, percent + step))) for step in (-_STEP, _STEP))
    seconds, ratio = (TIME_S, TIME_RATIO) if percent < TAIL else (TAIL_S, TAIL_RATIO)
    late = truth.late_s(95.0 if percent < TAIL else MAX)
    return not low - max(seconds, ratio * low) - late <= there <= high + max(seconds, ratio * high) + late


def _ratio(there: float, here: float) -> float:
    return max(there, here) / max(1e-6, min(there, here))


def _at(seconds: pl.Series, percent: float) -> float:
    return percentiles(seconds, (percent,)).get(percent, 0.0)


def name(percent: float) -> str:
    """`p90`, or `the longest`."""
    return "the longest time" if percent == MAX else f"p{percent:g}"


def _ms(seconds: float) -> str:
    return f"{float(f'{1000 * seconds:.3g}'):,.10g} ms"

