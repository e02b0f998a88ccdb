"""The measured polls of a record in no particular order, for figures that need none: twice as fast as `order`.

Evidence -> batches.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from experiments.analyse.checks.evidence import Evidence

_POLL = ["client", "round", "endpoint"]
NEEDED = (*_POLL, "due_s", "ready_s", "sent_s", "done_s", "status", "outcome", "failed_check")


def measured_batches(evidence: Evidence) -> Iterator[pl.DataFrame]:
    """Frames with the columns `NEEDED`, and `response_s` and `lag_s`.

    A round belongs to the window as its first poll does. Which polls lie on the other side of its beginning than their round
    is known from the pass before.
    """
    strays = pl.concat(evidence.digest.strays) if evidence.digest.strays else None
    wanted = (*NEEDED, "system") if evidence.alone else NEEDED
    for rows in evidence.record.rows.batches(wanted):
        rows = rows.filter(pl.col("system") == evidence.system) if evidence.alone else rows
        inside = rows.filter(pl.col("due_s") >= 0)
        if strays is not None:
            early, late = rows["due_s"].min(), strays["due_s"].max()
            if isinstance(early, float) and isinstance(late, float) and early <= late:
                before = rows.filter(pl.col("due_s") < 0).join(strays, on=_POLL, how="semi")
                inside = pl.concat([inside.join(strays, on=_POLL, how="anti"), before])
        yield inside.with_columns(response_s=pl.col("done_s") - pl.col("due_s"), lag_s=pl.col("sent_s") - pl.col("ready_s"))
