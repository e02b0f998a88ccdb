"""Did the server give what was asked of it? This is about the server; the verdict is not.

Scenario, the endpoints of a summary and the polls behind them -> items, each with its limit and figure.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from experiments.record.schema import UNANSWERED
from experiments.scenario import Scenario

_NO_FAILURE_LIMIT = 100.0
_NOT_THE_SERVERS = ("generator_error", "interrupted")
_TIMED = pl.col("outcome").is_in(("ok", *UNANSWERED))
_FAILED = ~pl.col("outcome").is_in(("ok", "unsent_late", *_NOT_THE_SERVERS))


def judge(scenario: Scenario, endpoints: dict[str, Any], polls: pl.DataFrame) -> dict[str, Any]:
    """Compares a summary with the service level.

    Args:
        polls: the measured polls: client, endpoint, outcome, response_s.

    Returns:
        asked (a service level was given), met (null if that cannot be told) and items, each with name,
        limit, figure (in the unit of the name) and met. A percentile that is not supported can be
        neither met nor missed, unless no poll at all was answered or waited for.
    """
    items = [_response(name, limit, endpoints[name]) for name, limit in _limits(scenario).items() if limit > 0]
    if scenario.slo_failure_pct < _NO_FAILURE_LIMIT:
        items.append(_failures(scenario.slo_failure_pct, list(endpoints.values())))
    if scenario.slo_devices_pct > 0:
        figure = devices_pct(scenario, polls)
        met = None if figure is None else figure >= scenario.slo_devices_pct
        items.append({"name": "devices_pct", "limit": scenario.slo_devices_pct, "figure": figure, "met": met})
    verdicts = [item["met"] for item in items]
    met = None if not items else False if False in verdicts else None if None in verdicts else True
    return {"asked": bool(items), "met": met, "items": items}


def _limits(scenario: Scenario) -> dict[str, float]:
    return {"status": scenario.slo_status_p99_ms, "bulk": scenario.slo_bulk_p99_ms}


def devices_pct(scenario: Scenario, polls: pl.DataFrame) -> float | None:
    """Share of the devices each of which keeps the level by itself: a fleet's owner hears from the others.

    Counted, not estimated: a device keeps a limit in ms if at least 99 of 100 of its own polls of that endpoint did, which
    of fewer than a hundred is all of them; and it must have no more than its share of failures.

    Returns:
        0-100; null where no device was to poll.
    """
    limit = pl.col("endpoint").cast(pl.String).replace_strict(_limits(scenario), return_dtype=pl.Float64)
    late = _TIMED & (limit > 0) & (1000 * pl.col("response_s") > limit)
    each = polls.group_by("client", "endpoint").agg(
        polls=pl.len(), timed=_TIMED.sum(), late=late.sum(), failed=_FAILED.sum(), limit=limit.first()
    )
    # Failures that were answered fast are not timed; a device that got nothing else was not served in time.
    served = (pl.col("limit") == 0) | (pl.col("timed") > 0) | (pl.col("failed") == 0)
    in_time = (100 * pl.col("late") <= pl.col("timed")) & served
    answered = 100 * pl.col("failed").sum() <= scenario.slo_failure_pct * pl.col("polls").sum()
    share = each.group_by("client").agg(keeps=in_time.all() & answered)["keeps"].mean()
    return 100 * float(share) if isinstance(share, float) else None


def _response(name: str, limit: float, endpoint: dict[str, Any]) -> dict[str, Any]:
    figure = endpoint["response_ms"]["p99"]
    met = None if figure is None else figure <= limit
    if endpoint["planned"] and endpoint["response_ms"]["max"] is None and _server_failures(endpoint):
        met = False
    return {"name": f"{name}_response_p99_ms", "limit": limit, "figure": figure, "met": met}


def _failures(limit: float, endpoints: list[dict[str, Any]]) -> dict[str, Any]:
    """Polls that failed by the server's doing, and those unsent because their device still waited for it."""
    planned = sum(endpoint["planned"] for endpoint in endpoints)
    figure = 100 * sum(map(_server_failures, endpoints)) / planned if planned else None
    met = None if figure is None else figure <= limit
    return {"name": "failure_pct", "limit": limit, "figure": figure, "met": met}


def _server_failures(endpoint: dict[str, Any]) -> int:
    ours = sum(endpoint["failures"].get(reason, 0) for reason in _NOT_THE_SERVERS)
    return int(endpoint["failed"] - ours + endpoint["unsent_busy"])
