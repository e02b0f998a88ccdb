"""What the generator's send delay did to the responses: the run played again with a punctual generator.

Arranged polls -> two more times a poll. Lag itself counts only the poll that was sent late. The polls
queued up behind it wait, and waiting looks like the server's fault; this tells the two apart.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.passes.before import Before, changes
from experiments.schedule import Pacing


def ends() -> Before:
    """What `with_send_delay` must know of the batch before: when each device would have ended its last poll."""
    return Before("end_s")


def with_send_delay(rows: pl.DataFrame, pacing: Pacing, before: Before | None = None) -> pl.DataFrame:
    """Adds what each poll would have felt, had no poll been sent late.

    Latencies are kept and lags left out: a device ends poll n at max(due(n), end(n - 1)) + latency(n).
    Unrolled, end(n) = L(n) + max over k <= n of (due(k) - L(k - 1)), L being the running sum of
    latencies. The second poll of a round follows the first at once; under `after` every poll is due
    by the one before, so there lag delays nothing but its own poll.

    Source: the recursion is Lindley's, "The theory of queues with a single server", 1952.

    Args:
        rows: arranged polls, warm-up included, since a device may enter the window with a queue.
        before: what `ends` made, if `rows` are one batch of several; it is kept up to date.

    Returns:
        frame(endpoint, outcome, first_due_s, punctual_s, added_s) of the polls that were sent, in
        seconds: `punctual_s` is that response, `added_s` the rest, which the generator added.
    """
    latency, due = pl.col("latency_s"), pl.col("due_s")
    needed = ("client", "endpoint", "outcome", "second", "due_s", "ready_s", "first_due_s", "response_s", "latency_s")
    # The sum goes on from device to device: what is taken off `begin` is added again.
    sent = rows.lazy().select(needed).filter(latency.is_not_null()).with_columns(total=latency.cum_sum()).collect()
    free = pl.lit(None, dtype=pl.Float64) if before is None else before.at_begin(sent)["end_s"]
    begins = pl.max_horizontal(pl.when(~pl.col("second")).then(due), free) - (pl.col("total") - latency)
    sent = sent.with_columns(begin=begins)
    # PERF: who never waited for a poll of its own begins each round when it is due, and nothing has to be compared.
    at_once = sent.select((pl.col("second") | (pl.col("ready_s") == due)).all()).item()
    punctual_anyway = at_once and not sent["second"].filter(changes(sent, 1)).any()
    begin = pl.col("begin")
    queued = begin.forward_fill() if punctual_anyway else begin.fill_null(-float("inf")).cum_max().over("client")
    played = sent.with_columns(end_s=pl.col("total") + queued)
    if before is not None:
        before.keep(played.group_by("client").agg(pl.col("end_s").last()))
    follows = pl.col("second") | pl.lit(pacing == "after")
    punctual = pl.when(follows).then(latency).otherwise(pl.col("end_s") - due)
    return played.select("endpoint", "outcome", "first_due_s", "response_s", punctual_s=punctual).select(
        "endpoint", "outcome", "first_due_s", "punctual_s", added_s=pl.col("response_s") - pl.col("punctual_s")
    )
