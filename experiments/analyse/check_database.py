"""Was what the devices were told really written? Only where the server has a database that this lab can count in.

Evidence -> one check. A database that goes away is a result, as a server that dies is one; but nothing vouches for the rows
of such a run any more.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.evidence import Check, Evidence, not_applicable


def rows_written(evidence: Evidence) -> Check:
    """A answered <= rows written <= A sent, warm-up included: each poll of A moves the row of its device by one.

    A row may have been written for a device that did not wait for the answer any longer; an answer without a row is
    impossible for a server that does what it was asked for.
    """
    name, limit = "rows_written", "A answered <= rows written <= A sent"
    database = evidence.record.facts.get("database")
    if not database:
        return not_applicable(name, "This server was asked to write nothing, or writes where the lab cannot count.")
    polls = evidence.rows.filter(pl.col("endpoint") == "status")
    answered = int((polls["status"] == 200).sum())
    written = database.get("polls_written")
    if written is None:
        why = str(database.get("error") or "nobody counted them").rstrip(".")
        meaning = (
            f"What was written could not be counted ({why}), so nothing vouches for the rows. That polls failed meanwhile "
            "is a result; measure again with a database that lives to the end to be sure of the rest."
        )
        return Check(name, "suspect", f"{answered:,} answered, written unknown", limit, meaning)
    sent = int(polls["sent_s"].count()) + sum(int(item.get("retries") or 0) for item in evidence.instances)
    figure = f"{answered:,} <= {written:,} <= {sent:,}"
    if answered > written:
        meaning = (
            "More polls of A were answered than rows were written, so not every answer came from the database. Find out "
            "what answers instead of it (a cache?), or what undid its writes, and measure again."
        )
        return Check(name, "invalid", figure, limit, meaning)
    if written > sent:
        meaning = "More rows were written than polls were sent, so somebody else polled the server too. Measure again alone."
        return Check(name, "suspect", figure, limit, meaning)
    return Check(name, "valid", figure, limit, "Each poll of A that was answered has been written.")
