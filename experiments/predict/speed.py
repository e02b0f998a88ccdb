"""How steady the processor was while a cell was measured.

Record -> by which factor a poll cost more or less in each second than on average. A guest shares its processor with others:
the same poll costs a fifth more in one second than in the next, and a server that is nearly busy then falls behind for a
while. An average load does not show that, so forecasts replay these factors.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks.evidence import Evidence

SECOND = 1.0
"""Length of what one factor is taken over, in seconds: about the time over which a host's other guests come and go."""
_LEAST_CPU_S = 0.3
"""Of a second: the kernel counts in steps of 10 ms, which of less would be more than 3 %."""


def slowness(evidence: Evidence) -> tuple[float, ...]:
    """Processor time of the server for a poll, by second of the window, over the mean of all of them.

    Returns:
        A factor a second, in their order; empty where the seconds are too few, or took too little time to tell.
    """
    group, inside = pl.col("group") == "server", pl.col("t_s").is_between(0.0, evidence.record.window_s)
    samples = evidence.record.resources().filter(group & inside & pl.col("cpu_s").is_not_null()).sort("t_s")
    firsts = samples.group_by((pl.col("t_s") / SECOND).floor(), maintain_order=True).first()
    answered = pl.repeat(0, firsts.height, dtype=pl.Int64, eager=True)
    for rows in evidence.record.rows.batches(["done_s", "status"]):
        done = rows.filter(pl.col("status") > 0)["done_s"].sort()
        answered += done.search_sorted(firsts["t_s"]).cast(pl.Int64)
    spent = pl.DataFrame({"cpu_s": firsts["cpu_s"].diff(), "polls": answered.diff()}).drop_nulls()
    if spent.height < 2 or spent.filter((pl.col("cpu_s") < _LEAST_CPU_S) | (pl.col("polls") < 1)).height:
        return ()
    mean = float(spent["cpu_s"].sum()) / int(spent["polls"].sum())
    return tuple((spent["cpu_s"] / spent["polls"] / mean).to_list())
