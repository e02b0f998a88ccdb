"""Runs, forecasts and fleets as the plain rows that tables and charts take. Milliseconds and percent from here on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from experiments.analyse.summary import is_longer
from experiments.predict.fleet import Fleet
from experiments.predict.forecast import Forecast
from experiments.studies.capacity.strategy import Run, Search

_TARGETS = (("p50", 50.0, 20.0), ("p95", 95.0, 35.0))
"""Percentile, percent, and within how many percent of what is measured a forecast should be."""


def cell(run: Run) -> dict[str, Any]:
    """A light cell, as `tables.capacity.cells` takes it."""
    scenario, summary, figures = run.cell.scenario, run.outcome.summary, run.figures
    row: dict[str, Any] = {"clients": scenario.clients, "ratio": scenario.ratio, "report": run.outcome.link}
    if summary is None or figures is None:
        none = ("polls_per_s", "server_pct", "server_us", "generator_pct", "p50_ms", "p95_ms")
        return row | dict.fromkeys(none) | {"verdict": run.outcome.verdict or run.outcome.status}
    first = next(iter(summary["endpoints"].values()))
    times = first["response_ms"]
    return row | {
        "polls_per_s": summary["load"]["polls_per_s_answered"],
        "server_pct": 100 * figures.load,
        "server_us": summary["server"]["cpu_us_per_request"],
        "generator_pct": 100 * figures.generator.load,
        "p50_ms": times["p50"],
        "p95_ms": times["p95"],
        "verdict": summary["verdict"]["status"],
    }


def held_out(found: Forecast, summaries: Sequence[dict[str, Any]], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Response percentiles foretold beside those measured, and the server's cores.

    Args:
        titles: endpoint -> what people call it.
    """
    made = []
    for name, title in titles.items():
        for label, percent, target in _TARGETS:
            times = [one["endpoints"][name]["response_ms"] for one in summaries]
            measured = [None if is_longer(one, label) else one[label] for one in times]
            value = found.response_s[name][percent]
            known = [value for value in measured if value is not None]
            if value is not None and len(known) == len(measured):
                made.append(against(f"response {label} of {title}, ms", 1000 * value, known, target))
    cores = [one["server"]["cpu_cores_mean"] for one in summaries]
    return [*made, against("server, cores", found.server_cores, [value for value in cores if value is not None], 15.0)]


def against(what: str, foretold: float | None, measured: Sequence[float], target_pct: float) -> dict[str, Any]:
    """One figure foretold beside the median of what was measured; the miss in percent of the latter."""
    middle = median(measured) if measured else None
    miss = 100 * (foretold / middle - 1) if foretold is not None and middle else None
    ends = (min(measured), max(measured)) if measured else None
    return {
        "what": what,
        "foretold": foretold,
        "measured": middle,
        "range": ends,
        "miss_pct": miss,
        "target_pct": target_pct,
    }


def levels(search: Search) -> list[dict[str, Any]]:
    """Every load of a search, the smallest first."""
    made = []
    for clients in sorted(search.seen):
        runs = search.at(clients)
        seen = [run.outcome.summary for run in runs if run.outcome.summary is not None]
        loads = [100 * one.load for run in runs if (one := run.figures) is not None]
        items = [item for summary in seen for item in summary["service_level"]["items"] if item["name"] == "devices_pct"]
        p99 = {name: [one["endpoints"][name]["response_ms"] for one in seen] for name in endpoints(seen)}
        row: dict[str, Any] = {
            "p99_ms": {name: _ends([one["p99"] for one in times]) for name, times in p99.items()},
            "longer": {name for name, times in p99.items() if any(is_longer(one, "p99") for one in times)},
        }
        made.append(
            {
                "clients": clients,
                "runs": [(run.shows.shown, run.outcome.link) for run in runs],
                "suspect": sum(run.shows.suspect for run in runs),
                **row,
                "devices_pct": _ends([item["figure"] for item in items]),
                "server_pct": _ends(loads),
                "why": next((run.shows.why for run in runs if run.shows.why), ""),
            }
        )
    return made


def endpoints(summaries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What was polled, in the target's order."""
    return tuple(dict.fromkeys(name for one in summaries for name in one["endpoints"]))


def _ends(values: Sequence[float | None]) -> tuple[float, float] | None:
    seen = [value for value in values if value is not None]
    return (min(seen), max(seen)) if seen else None


def point(run: Run) -> dict[str, Any]:
    """A cell in the chart of the edge."""
    summary = run.outcome.summary
    times = {name: one["response_ms"] for name, one in summary["endpoints"].items()} if summary else {}
    longer = [name for name, one in times.items() if is_longer(one, "p99")]
    p99 = {name: one.get("p99") for name, one in times.items()}
    return {"clients": run.clients, "shown": run.shows.shown, "longer": longer, **p99}


def foretold(clients: int, found: Forecast) -> dict[str, Any]:
    """A load in the chart's curve."""
    p99 = {name: times[99.0] for name, times in found.response_s.items()}
    return {"clients": clients, **{name: None if value is None else 1000 * value for name, value in p99.items()}}


def throughput(run: Run) -> float | None:
    """Polls answered a second; None for a cell that is no evidence."""
    summary = run.outcome.summary
    return summary["load"]["polls_per_s_answered"] if summary is not None and run.outcome.believed else None


def fleet(one: Fleet) -> dict[str, Any]:
    """A size of fleet, as `tables.capacity.fleet` takes it."""
    return {**asdict(one), "gbit_per_s": one.network_bits_per_s / 1e9}
