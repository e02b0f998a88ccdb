"""Was what the devices were told really written? Only where the server has a database that this lab can count in.

Evidence -> one finding. A database that goes away is a result, as a server that dies is one; but nothing vouches for the
rows of such a run any more.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks.evidence import Evidence, Found, number, unknown


def rows_written(evidence: Evidence) -> Found:
    """A answered <= rows written <= A sent, warm-up included: each poll of A moves the row of its device by one.

    A row may have been written for a device that did not wait for the answer any longer; an answer without a row is
    impossible for a server that does what it was asked for.
    """
    limit = "A answered <= rows written <= A sent"
    database = evidence.record.facts.get("database")
    if not database:
        return unknown("nothing")
    polls = evidence.all_counts.filter(pl.col("endpoint") == "status")
    answered = number(polls, pl.col("status") == 200)
    written = database.get("polls_written")
    if written is None:
        why = str(database.get("error") or "nobody counted them").rstrip(".")
        return Found("uncounted", "suspect", f"{answered:,} answered, written unknown", limit, values={"why": why})
    sent = number(polls, of="sent") + sum(int(item.get("retries") or 0) for item in evidence.instances)
    figure = f"{answered:,} <= {written:,} <= {sent:,}"
    if answered > written:
        return Found("more_answered", "invalid", figure, limit)
    if written > sent:
        return Found("more_written", "suspect", figure, limit)
    return Found("written", "valid", figure, limit)
