"""Two servers of one run, held against each other: `duet` in summary.json.

Evidence -> plain values. All ratios are what the second server needs for what the first needs.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import polars as pl

from experiments.analyse.checks.evidence import Evidence, names
from experiments.analyse.duets.interval import Ratio, ratio
from experiments.analyse.duets.pieces import pieces
from experiments.analyse.passes.measured import measured_batches
from experiments.analyse.polls import count


def duets(evidence: Evidence) -> list[dict[str, Any]]:
    """The first server against each of the others; none in a run with one server."""
    found = pieces(evidence.record, evidence.arranged)
    return [_duet(evidence, found, other) for other in range(1, evidence.record.plan.systems)]


def series(found: pl.DataFrame, other: int, figure: str) -> pl.DataFrame:
    """The ratio of each piece: frame(start_s, end_s, log); pieces in which one of the two has no figure are left out."""
    columns = ("piece", "start_s", "end_s", figure)
    one, two = (found.filter(pl.col("system") == number).select(columns) for number in (0, other))
    both = one.join(two, on="piece", suffix="_other").sort("piece")
    both = both.filter((pl.col(figure) > 0) & (pl.col(f"{figure}_other") > 0))
    return both.select("start_s", "end_s", log=(pl.col(f"{figure}_other") / pl.col(figure)).log())


def cpu_series(found: pl.DataFrame, other: int) -> pl.DataFrame:
    """The ratio of the CPU per request."""
    answering = found.filter(pl.col("answered") > 0)
    return series(answering.with_columns(cpu=pl.col("cpu_s") / pl.col("answered")), other, "cpu")


def _duet(evidence: Evidence, found: pl.DataFrame, other: int) -> dict[str, Any]:
    plan, called = evidence.record.plan, names(evidence.record)
    of_figure = {"cpu_ratio": cpu_series(found, other)}
    of_figure |= {f"response_{name}_ratio": series(found, other, f"{name}_s") for name in ("p50", "p95")}
    ratios = {said: ratio(one["log"].to_list()) for said, one in of_figure.items()}
    costs = {letter: _cpu_us(found.filter(pl.col("system") == number)) for letter, number in (("a", 0), ("b", other))}
    both = evidence.each[0], evidence.each[other]
    return {
        "a": called[0],
        "b": called[other],
        "split": "halves" if plan.halves else "mixed",
        "pieces": ratios["cpu_ratio"].pieces,
        "piece_s": plan.piece_rounds * plan.shortest_s,
        "cpu_us_per_request": costs,
        **{said: _told(one) for said, one in ratios.items()},
        "smallest_detectable_pct": _rounded(ratios["cpu_ratio"].smallest_detectable_pct),
        "failures": _failures(*both),
        "memory": _memory(*both),
        "cpu_resolution_s": (evidence.record.facts.get("sampler") or {}).get("cpu_resolution_s"),
    }


def _told(one: Ratio) -> dict[str, Any]:
    told = {name: _rounded(value) if isinstance(value, float) else value for name, value in asdict(one).items()}
    told["half_width_pct"] = _rounded(one.half_width_pct)
    return told | {"kind": one.kind, "smallest_detectable_pct": _rounded(one.smallest_detectable_pct)}


def _cpu_us(found: pl.DataFrame) -> float | None:
    whole = found.drop_nulls("cpu_s")
    answered = int(whole["answered"].sum())
    return _rounded(1e6 * float(whole["cpu_s"].sum()) / answered) if answered else None


def _failures(first: Evidence, second: Evidence) -> dict[str, Any]:
    """Polls that failed or waited in vain, in how many pieces, and how often chance would make so great a difference.

    What the generator did not get to is nobody's failure. Failures come in bursts, so `p` alone is an impression, no test.
    """
    counts = [count(one.counts) for one in (first, second)]
    failed = [one["failed"] + one["unsent_busy"] for one in counts]
    pieces_s = first.record.plan.piece_rounds * first.record.plan.shortest_s
    pieces = [_pieces_with_failures(one, pieces_s) for one in (first, second)]
    planned = [one["planned"] for one in counts]
    return {
        "a": failed[0],
        "b": failed[1],
        "planned_a": planned[0],
        "planned_b": planned[1],
        "pieces_a": pieces[0],
        "pieces_b": pieces[1],
        "p": _rounded(_p_of_shares(failed, planned)),
    }


def _pieces_with_failures(evidence: Evidence, piece_s: float) -> int:
    failed = ~pl.col("outcome").is_in(("ok", "unsent_late"))
    pieces = [(polls.filter(failed)["due_s"] / piece_s).floor().unique() for polls in measured_batches(evidence)]
    return pl.concat(pieces).n_unique()


def _p_of_shares(failed: list[int], planned: list[int]) -> float | None:
    """Two-sided, by the normal approximation with the pooled share."""
    if not all(planned):
        return None
    pooled = sum(failed) / sum(planned)
    error = math.sqrt(pooled * (1 - pooled) * sum(1 / number for number in planned))
    if not error:
        return 1.0
    return math.erfc(abs(failed[0] / planned[0] - failed[1] / planned[1]) / error / math.sqrt(2))


def _memory(first: Evidence, second: Evidence) -> dict[str, Any]:
    one, two = first.costs.server_rss_peak_bytes, second.costs.server_rss_peak_bytes
    return {"a_rss_peak_bytes": one, "b_rss_peak_bytes": two, "ratio": _rounded(two / one) if one and two else None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
