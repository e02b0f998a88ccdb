"""Did the server give what was asked of it? This is about the server; the verdict is not.

Scenario and the endpoints of a summary -> items, each with its limit and figure.
"""

from __future__ import annotations

from typing import Any

from experiments.scenario import Scenario

_NO_FAILURE_LIMIT = 100.0
_NOT_THE_SERVERS = ("generator_error", "interrupted")


def judge(scenario: Scenario, endpoints: dict[str, Any]) -> dict[str, Any]:
    """Compares a summary with the service level.

    Returns:
        asked (a service level was given), met (null if that cannot be told) and items, each with name,
        limit, figure (in the unit of the name) and met. A percentile that is not supported can be
        neither met nor missed, unless no poll at all was answered or waited for.
    """
    limits = {"status": scenario.slo_status_p99_ms, "bulk": scenario.slo_bulk_p99_ms}
    items = [_response(name, limit, endpoints[name]) for name, limit in limits.items() if limit > 0]
    if scenario.slo_failure_pct < _NO_FAILURE_LIMIT:
        items.append(_failures(scenario.slo_failure_pct, list(endpoints.values())))
    verdicts = [item["met"] for item in items]
    met = None if not items else False if False in verdicts else None if None in verdicts else True
    return {"asked": bool(items), "met": met, "items": items}


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
