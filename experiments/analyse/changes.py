"""What changed between two measurements of the same points: differences with the range that the repeats support.

Summaries before and now -> one row per point and figure. The replicate is the run: a figure of a run is one value, and an
interval comes from how far repeats lie apart, never from the polls within a run. One run each gives no interval.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance
from typing import Any, Literal

from experiments.analyse.points import BELIEVED, censored_at, figure_at
from experiments.analyse.student import mean_interval, t975
from experiments.analyse.summary import current
from experiments.analyse.targets import asked as of_run
from experiments.analyse.targets.naming import letters
from experiments.record.reading import Record
from experiments.scenario import Scenario

FAILED = "failed by the server, %"
FAILED_MARGIN = 0.1
"""Percentage points. A margin in percent means nothing where there were no failures before."""

_NOT_ASKED = {"seed", "run_id", "run_dir", "results_dir", "server_url", "strict", "compare_to", "margin_pct"}
_NOT_ASKED |= {name for name in Scenario.model_fields if name.startswith("slo_")}
"""Parameters that may differ between two runs of the same question."""
_TARGET_FILE = "target file"
"""Stands among the parameters for what the file says."""
_ENVIRONMENT = (
    *("cpu_model", "cores", "memory_bytes", "hypervisor", "cpu_governor", "platform", "kernel", "architecture"),
    *("implementation", "python", "lab_version"),
)

_MAY_USE = {"cores_usable": "cores", "memory_usable_bytes": "memory_bytes"}

Kind = Literal["worse", "better", "cannot tell apart", "one run each"]
Bound = Literal["", "at least", "at most", "unknown"]


@dataclass(frozen=True)
class Change:
    """One figure at one point."""

    at: str
    """The point, as its parameters that differ between points; or `all points`."""
    figure: str
    before: float | None
    """Typical of the runs before: geometric mean of the runs (of failures: mean); None for all points together."""
    now: float | None
    difference: float
    """In percent of before; of failures in percentage points."""
    low: float | None
    """Ends of the 95 % interval; None where repeats are lacking."""
    high: float | None
    runs: tuple[int, int]
    """Runs before and now; of all points together the number of points, twice."""
    bound: Bound = ""
    """What the difference is where a figure is only known to be longer, since polls never had an answer: at least as large
    where that is so now, at most where it was so before, unknown where both."""

    @property
    def kind(self) -> Kind:
        """Worse or better only where the interval leaves out no change at all, and what is not known cannot undo it."""
        if self.low is None or self.high is None:
            return "one run each"
        if self.low > 0 and self.bound in ("", "at least"):
            return "worse"
        return "better" if self.high < 0 and self.bound in ("", "at most") else "cannot tell apart"

    def beyond(self, margin_pct: float) -> bool:
        """Whether it is a regression: worse by more than the margin, even at the near end of the interval.

        Failures have a margin of their own, in percentage points.
        """
        margin = FAILED_MARGIN if self.figure == FAILED else margin_pct
        return self.kind == "worse" and self.low is not None and self.low > margin


@dataclass(frozen=True)
class Comparison:
    """Everything that can be said about two measurements."""

    environment: tuple[str, ...]
    """What differs in machine and versions, a sentence each."""
    asked: tuple[str, ...]
    """What differs in the question, a sentence each; points that only one of the two has are not compared."""
    left_out: int
    """Runs that may not be believed."""
    drift_pct: float | None
    """How much more CPU the generator, the same program both times, needed for a poll now, over all points; None where that
    is not known. So much the machine itself may have changed, and intervals are wider by it."""
    changes: tuple[Change, ...]


def figures(names: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Name and place in a summary of what is compared; of all of it more is worse, and none is ever zero.

    Args:
        names: the endpoints, in the target's order.
    """
    times = (
        (f"{letter} response {percentile}, ms", ("endpoints", name, "response_ms", percentile))
        for name, letter in letters(names).items()
        for percentile in ("p50", "p99")
    )
    return (*times, ("server processor, µs per request", ("server", "cpu_us_per_request")))


def compare(before: Sequence[Record], now: Sequence[Record]) -> Comparison:
    """Compares the runs before with those of now, point by point.

    Two runs belong to the same point if they ask the same, but for the seed.
    """
    environments = environment_differences(before[0].started["environment"], now[0].started["environment"])
    points = _by_point(before), _by_point(now)
    names = _names([key for key in points[0] if key in points[1]])
    found = [change for key in names for change in _changes(names[key], points[0][key], points[1][key])]
    drift = _drift_pct([(points[0][key], points[1][key]) for key in names])
    used = sum(len(runs) for groups in points for runs in groups.values())
    return Comparison(
        environment=tuple(environments),
        asked=tuple(_asked_differences(*points)),
        left_out=len(before) + len(now) - used,
        drift_pct=drift,
        changes=(*(_together(found, drift) if len(names) > 1 else ()), *found),
    )


def environment_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of two fingerprints may move a figure and is not the same."""
    pairs = {name: (before.get(name), now.get(name)) for name in _ENVIRONMENT}
    # An older lab did not say what a process may use of the machine: all, as far as it knew.
    pairs |= {
        name: (before.get(name, before.get(whole)), now.get(name, now.get(whole)))
        for name, whole in _MAY_USE.items()
        if name in before or name in now
    }
    packages = before.get("packages") or {}, now.get("packages") or {}
    pairs |= {name: (packages[0].get(name), packages[1].get(name)) for name in sorted({*packages[0], *packages[1]})}
    return [f"{name} was {old}, now it is {new}" for name, (old, new) in pairs.items() if old != new]


def _by_point(records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
    """Question -> summaries of its believed runs."""
    points: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        summary = current(record)
        if summary["verdict"]["status"] in BELIEVED:
            points.setdefault(question(record), []).append(summary)
    return points


def question(record: Record) -> str:
    """What a run asks, as JSON: the same for two that may be held against each other."""
    return json.dumps(record.scenario.model_dump(exclude=_NOT_ASKED) | _told(record), sort_keys=True)


def _told(record: Record) -> dict[str, Any]:
    """What a target asks, but for where its server is and for its service level; nothing of the article's own."""
    target = of_run.target(record)
    if target is None:
        return {}
    endpoints = {
        name: {key: value for key, value in one.items() if key != "slo"} for name, one in target["endpoints"].items()
    }
    return {_TARGET_FILE: {**{name: target.get(name) for name in ("devices", "headers")}, "endpoints": endpoints}}


def _names(keys: Sequence[str]) -> dict[str, str]:
    """What tells the points apart, in words; in the order of their values."""
    asked = {key: json.loads(key) for key in keys}
    varied = [name for name in Scenario.model_fields if len({json.dumps(one.get(name)) for one in asked.values()}) > 1]
    ordered = sorted(asked.items(), key=lambda item: [item[1][name] for name in varied])
    return {key: ", ".join(f"{name}={_plain(one[name])}" for name in varied) or "this run" for key, one in ordered}


def _plain(value: object) -> str:
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def _asked_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """How the two questions differ: parameter by parameter for one point each, else how many points are not in both."""
    if len(before) == len(now) == 1:
        (old,), (new,) = map(json.loads, before), map(json.loads, now)
        return [_differs(name, old.get(name), new[name]) for name in new if old.get(name) != new[name]]
    only = len(set(before) - set(now)), len(set(now) - set(before))
    words = ("before", "now")
    return [f"{count} points were measured only {word}" for count, word in zip(only, words, strict=True) if count]


def _differs(name: str, old: object, new: object) -> str:
    if name == _TARGET_FILE:
        return "what the target file asks is not the same"
    return f"{name} was {old}, now it is {new}"


def _drift(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> float | None:
    """Logarithm of what the generator needed for a poll now, for what it needed before; None where it is not known."""
    known = [[value for one in runs if (value := one["generator"]["cpu_us_per_poll"])] for runs in (before, now)]
    if not all(known):
        return None
    return fmean(map(math.log, known[1])) - fmean(map(math.log, known[0]))


def _drift_pct(points: Sequence[tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]]) -> float | None:
    known = [drift for before, now in points if (drift := _drift(before, now)) is not None]
    return _percent(fmean(known)) if known else None


def _changes(at: str, before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterable[Change]:
    drift = abs(_drift(before, now) or 0.0)
    for figure, place in figures(before[0]["endpoints"]):
        old, new = ([figure_at(summary, place) for summary in runs] for runs in (before, now))
        known = [math.log(value) for value in old if value], [math.log(value) for value in new if value]
        if all(known):
            longer = tuple(any(censored_at(summary, place) for summary in runs) for runs in (before, now))
            yield replace(_change(at, figure, *known, drift), bound=_BOUNDS[longer])
    failed = [_failed_pct(summary) for summary in before], [_failed_pct(summary) for summary in now]
    difference, half = _difference(*failed)
    low, high = (None, None) if half is None else (difference - half, difference + half)
    yield Change(at, FAILED, fmean(failed[0]), fmean(failed[1]), difference, low, high, (len(before), len(now)))


_BOUNDS: dict[tuple[bool, ...], Bound] = {
    (False, False): "",
    (False, True): "at least",
    (True, False): "at most",
    (True, True): "unknown",
}
"""Whether a figure was only known to be longer before, and is now -> what that makes of the difference."""


def _change(at: str, figure: str, before: Sequence[float], now: Sequence[float], drift: float) -> Change:
    """Of logarithms: their difference is that of ratios, so that runs that vary by a factor weigh alike.

    Args:
        drift: by so much the machine itself may have changed between the two, which no repeats within one of them show.
    """
    difference, half = _difference(before, now)
    wide = (half or 0.0) + drift
    low, high = (None, None) if half is None else (_percent(difference - wide), _percent(difference + wide))
    typical = math.exp(fmean(before)), math.exp(fmean(now))
    return Change(at, figure, *typical, _percent(difference), low, high, (len(before), len(now)))


def _difference(before: Sequence[float], now: Sequence[float]) -> tuple[float, float | None]:
    """Difference of means and half its 95 % interval: Student's t with a common variance, so that one run may be held
    against several.

    Source: NIST/SEMATECH, "e-Handbook of Statistical Methods", section 1.3.5.3.
    """
    difference = fmean(now) - fmean(before)
    freedom = len(before) + len(now) - 2
    if freedom < 1:
        return difference, None
    spread = sum(variance(values) * (len(values) - 1) for values in (before, now) if len(values) > 1) / freedom
    half = t975(freedom) * math.sqrt(spread * (1 / len(before) + 1 / len(now)))
    return difference, half


def _together(changes: Sequence[Change], drift_pct: float | None) -> Iterable[Change]:
    """Each figure over all points: a point is one observation of the ratio, whatever its level; a bound is none."""
    drift = abs(math.log1p((drift_pct or 0.0) / 100))
    for figure in dict.fromkeys(change.figure for change in changes if change.figure != FAILED):
        ratios = [math.log1p(change.difference / 100) for change in changes if change.figure == figure and not change.bound]
        if len(ratios) < 2:
            continue
        mean, half = mean_interval(ratios)
        ends = _percent(mean - half - drift), _percent(mean + half + drift)
        yield Change("all points", figure, None, None, _percent(mean), *ends, (len(ratios), len(ratios)))


def _percent(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)


def _failed_pct(summary: Mapping[str, Any]) -> float:
    """Failed, or never sent because the device still waited; what the generator was too late for is not the server's."""
    planned, failed, busy = (
        sum(one[key] for one in summary["endpoints"].values()) for key in ("planned", "failed", "unsent_busy")
    )
    return 100 * (failed + busy) / planned if planned else 0.0
