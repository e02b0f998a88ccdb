"""Did each of several servers have the machine to itself in its turn, and is enough of the run left to compare them?

Evidence -> one finding. A run with one server has no turns. Never invalid: what the checks of the record hold is whole, and
turns that run into each other make two servers more alike than they are, not less.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks.evidence import Evidence, Found, percentage, unknown
from experiments.analyse.checks.limits import PIECES_LOST, TURNS_OVERLAP
from experiments.analyse.duets.pieces import pieces
from experiments.analyse.polls import measured
from experiments.record.schema import UNSENT


def turns(evidence: Evidence) -> Found:
    """Polls that were under way when the next server's turn began, and pieces whose cost was not seen."""
    plan = evidence.record.plan
    if plan.systems == 1:
        return unknown("one_server")
    found = pieces(evidence.record, evidence.arranged)
    lost = found["cpu_s"].null_count() / len(found) if len(found) else 1.0
    over = _overlapping(evidence) if plan.halves else 0.0
    few, overlap = PIECES_LOST.grade(lost), TURNS_OVERLAP.grade(over)
    kind = "pieces_lost" if few != "valid" else "overlapping" if overlap != "valid" else "kept" if plan.halves else "mixed"
    said = f"{percentage(over)} of polls beyond their turn, " if plan.halves else ""
    return Found(
        kind=kind,
        status="suspect" if "suspect" in (few, overlap) else "valid",
        figure=f"{said}{percentage(lost)} of pieces without a cost",
        limit=f"up to {percentage(TURNS_OVERLAP.valid_to)} and {percentage(PIECES_LOST.valid_to)} valid, above suspect",
        of_limit=max(lost / PIECES_LOST.valid_to, over / TURNS_OVERLAP.valid_to),
    )


def _overlapping(evidence: Evidence) -> float:
    """Share of the polls that were sent and ended in a later turn than they were due in."""
    plan = evidence.record.plan
    turn_s = plan.shortest_s / plan.systems
    begun = -plan.warmup_s
    sent = measured(evidence.arranged).filter(~pl.col("outcome").is_in(UNSENT))
    number = [((pl.col(column) - begun) / turn_s).floor() for column in ("first_due_s", "done_s")]
    return float(sent.select((number[0] < number[1]).mean()).item() or 0.0)
