"""Did the server give what was asked of it? This is about the server; the verdict is not.

Scenario and the polls of a run -> items, each with its limit and figure. A limit in ms speaks of every planned poll:
one that failed, or never had an answer, is in time for nobody. Polls that are the generator's fault are nobody's here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from experiments.analyse import latency
from experiments.analyse.latency import Times
from experiments.analyse.passes.sums import Sums
from experiments.scenario import Scenario

_NO_FAILURE_LIMIT = 100.0
_NOT_THE_SERVERS = ("unsent_late", "generator_error", "interrupted")
THE_SERVERS = ~pl.col("outcome").is_in(_NOT_THE_SERVERS)
"""Polls that a server is judged by."""
_PERCENT = 99.0
_RIGHT = pl.col("outcome") == "ok"
_EVIDENT = 10
"""Polls that kept no limit, from which a limit is missed even where there are too few polls for a p99; as many as a
percentile must have beyond it."""


@dataclass(frozen=True)
class Level:
    """What is asked of one endpoint."""

    p99_ms: float = 0.0
    """0 for no limit."""
    failure_pct: float | None = None
    """Of this endpoint alone; None where only all together have a limit."""


def levels(scenario: Scenario, names: Iterable[str], target: Mapping[str, Any] | None = None) -> dict[str, Level]:
    """What is asked of each endpoint: by the run's own parameters, else by its target.

    Args:
        names: all endpoints of the run.
        target: the target as the record has it; None where there is none.
    """
    by_run = {"status": scenario.slo_status_p99_ms, "bulk": scenario.slo_bulk_p99_ms}
    told = {name: one.get("slo") or {} for name, one in ((target or {}).get("endpoints") or {}).items()}
    return {
        name: Level(
            by_run.get(name) or float(told.get(name, {}).get("p99_ms") or 0.0), told.get(name, {}).get("failure_pct")
        )
        for name in names
    }


def judge(
    scenario: Scenario,
    counts: pl.DataFrame,
    times: Mapping[str, Times],
    devices: Callable[[Mapping[str, Level]], pl.DataFrame],
    target: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Holds polls against the service level.

    Args:
        counts: of the measured polls: frame(endpoint, outcome, polls).
        times: endpoint -> their responses.
        devices: what is asked of every endpoint -> `Devices.frame` of the measured polls.
        target: the target as the record has it, whose endpoints may have levels of their own.

    Returns:
        asked (a service level was given), met (null if that cannot be told) and items, each with name,
        limit, figure (in the unit of the name) and met. Items of a limit in ms have besides: within_pct,
        the percent of the polls that were answered right within the limit, and left_out_pct, the percent
        of them that failed and were left out because as many may. Their figure is null
        where too few polls support a p99, and where it falls on a poll that had no right answer.
    """
    asked = levels(scenario, times, target)
    of_all_pct = scenario.slo_failure_pct
    items: list[dict[str, Any]] = []
    for name, level in asked.items():
        items += _of_endpoint(name, level, counts.filter(pl.col("endpoint") == name), times[name], of_all_pct)
    if of_all_pct < _NO_FAILURE_LIMIT:
        items.append(_failures("failure_pct", of_all_pct, counts))
    if scenario.slo_devices_pct > 0:
        figure = devices_pct(asked, of_all_pct, devices(asked))
        met = None if figure is None else figure >= scenario.slo_devices_pct
        items.append({"name": "devices_pct", "limit": scenario.slo_devices_pct, "figure": figure, "met": met})
    verdicts = [item["met"] for item in items]
    met = None if not items else False if False in verdicts else None if None in verdicts else True
    return {"asked": bool(items), "met": met, "items": items}


def _of_endpoint(
    name: str, level: Level, counts: pl.DataFrame, times: Times, of_all_pct: float
) -> Iterator[dict[str, Any]]:
    if level.p99_ms > 0:
        yield response(name, level.p99_ms, counts, times, allowed_pct(of_all_pct, level))
    if level.failure_pct is not None:
        yield _failures(f"{name}_failure_pct", level.failure_pct, counts)


def allowed_pct(of_all_pct: float, level: Level = Level()) -> float:
    """Percent of an endpoint's polls that may fail without counting as late: what was allowed of it, else of all polls
    together, and nothing where nothing was asked."""
    allowed = of_all_pct if level.failure_pct is None else level.failure_pct
    return allowed if allowed < _NO_FAILURE_LIMIT else 0.0


class Devices:
    """How often each device was answered in time, gathered of measured polls, batch by batch.

    Args:
        limits_ms: endpoint -> within so much a poll is in time.
    """

    def __init__(self, limits_ms: Mapping[str, float]) -> None:
        self.limits_ms = dict(limits_ms)
        in_time = _RIGHT & (1000 * pl.col("response_s") <= _by_endpoint(self.limits_ms))
        self._sums = Sums(
            ("client", "endpoint"),
            {
                "polls": pl.len().cast(pl.Int64),
                "ours": THE_SERVERS.sum().cast(pl.Int64),
                "failed": (THE_SERVERS & ~_RIGHT).sum().cast(pl.Int64),
                "late": (THE_SERVERS & ~in_time).sum().cast(pl.Int64),
            },
        )

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        self._sums.add(polls)

    def frame(self) -> pl.DataFrame:
        """frame(client, endpoint, polls, ours, failed, late): how many; of these the server's; of those not answered right;
        and not in time."""
        return self._sums.frame()


def devices_pct(asked: Mapping[str, Level], of_all_pct: float, devices: pl.DataFrame) -> float | None:
    """Share of the devices each of which keeps the level by itself: a fleet's owner hears from the others.

    Counted, not estimated: a device keeps a limit in ms if at least 99 of 100 of its own polls of that endpoint were
    answered right within it, which of fewer than a hundred is all of them; those that failed are left out up to the share
    that may. And it must have no more than its share of failures.

    Args:
        asked: of every endpoint.
        of_all_pct: percent of a device's polls that may fail, of all endpoints together.
        devices: `Devices.frame`, by these limits.

    Returns:
        0-100; null where no device was to poll.
    """
    each = devices.with_columns(
        limit=_by_endpoint({name: level.p99_ms for name, level in asked.items()}),
        allowed=_by_endpoint({name: allowed_pct(of_all_pct, level) for name, level in asked.items()}),
        most_failed=_by_endpoint({name: _most_failed(level) for name, level in asked.items()}),
    )
    spared = pl.min_horizontal("failed", (pl.col("allowed") * pl.col("ours") / 100).floor().cast(pl.Int64))
    kept = (pl.col("limit") == 0) | (100 * (pl.col("late") - spared) <= pl.col("ours") - spared)
    few_of_each = 100 * pl.col("failed") <= pl.col("most_failed") * pl.col("polls")
    few_failures = 100 * pl.col("failed").sum() <= of_all_pct * pl.col("polls").sum()
    share = each.group_by("client").agg(keeps=(kept & few_of_each).all() & few_failures)["keeps"].mean()
    return 100 * float(share) if isinstance(share, float) else None


def _by_endpoint(values: Mapping[str, float]) -> pl.Expr:
    return pl.col("endpoint").cast(pl.String).replace_strict(dict(values), return_dtype=pl.Float64)


def _most_failed(level: Level) -> float:
    return _NO_FAILURE_LIMIT if level.failure_pct is None else level.failure_pct


def response(name: str, limit: float, counts: pl.DataFrame, times: Times, allowed: float) -> dict[str, Any]:
    """A limit on the p99 of all polls of an endpoint, those without a right answer beyond every limit.

    Args:
        limit: ms.
        counts: of the endpoint's polls: frame(outcome, polls).
        times: their responses.
        allowed: percent of the server's polls that may fail, see `allowed_pct`.

    Returns:
        The item, as `judge` has it.
    """
    planned = _number(counts.filter(THE_SERVERS))
    in_time = times.answered_within(1000 * pl.col("value") <= limit)
    spared = min(planned - times.answers, int(allowed * planned / 100))
    counted, late = planned - spared, planned - spared - in_time
    figure = _p99_ms(times, counted)
    supported = latency.supported(counted, _PERCENT)
    met = _kept(late, counted) if supported or _evident(late, counted, in_time) else None
    return {
        "name": f"{name}_response_p99_ms",
        "limit": limit,
        "figure": figure if supported else None,
        "met": met,
        "within_pct": _percent(in_time, counted),
        "left_out_pct": _percent(spared, planned),
    }


def _p99_ms(times: Times, counted: int) -> float | None:
    """Nearest rank among all that count; null where it falls on one without a right answer."""
    rank = latency.nearest_rank(counted, _PERCENT)
    return round(1000 * times.answered_at(rank), 6) if 0 < rank <= times.answers else None


def _number(counts: pl.DataFrame) -> int:
    return int(counts["polls"].sum())


def _kept(late: int, counted: int) -> bool:
    return 100 * late <= (100 - _PERCENT) * counted


def _evident(late: int, counted: int, in_time: int) -> bool:
    """Missed without a percentile: nothing was in time, or so many polls were not that no percentile is needed."""
    return late > 0 and (in_time == 0 or (late >= _EVIDENT and not _kept(late, counted)))


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 6) if whole else None


def _failures(name: str, limit: float, counts: pl.DataFrame) -> dict[str, Any]:
    """Polls that failed by the server's doing, and those unsent because their device still waited for it."""
    planned, failed = _number(counts), _number(counts.filter(THE_SERVERS & ~_RIGHT))
    figure = 100 * failed / planned if planned else None
    met = None if figure is None else figure <= limit
    return {"name": name, "limit": limit, "figure": figure, "met": met}
