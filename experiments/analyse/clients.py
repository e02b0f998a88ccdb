"""What each device lived through: one row per client and endpoint.

Prepared polls -> table. Times are in milliseconds of response (since due), as in the report.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.polls import WAS_SENT
from experiments.analyse.timeline import censored, percentile_of
from experiments.record.schema import UNANSWERED, UNSENT

TIMES = ("p50", "p95", "p99", "max")
"""Of each there is `_ms` and `_censored`."""
_TIMED = pl.col("outcome").is_in(("ok", *UNANSWERED))
_FAILED = WAS_SENT & (pl.col("outcome") != "ok")


def clients_table(polls: pl.DataFrame) -> pl.DataFrame:
    """Counts, reasons and response times of every device.

    Returns:
        frame(client, endpoint, planned, ok, failed, reasons, unsent, p50_ms, p95_ms, p99_ms, max_ms, unanswered,
        p50_censored, p95_censored, p99_censored, max_censored); `reasons` reads
        `http_error (503) 3, checks (json.ok) 2, reset 1`, most frequent first, empty without failures.
        The times cover what percentiles cover; they are null where too
        few polls support them. `unanswered` counts, of the failed ones, those that timed out. What is
        censored is longer than its number, since polls never had an answer; null where there is no number.
    """
    key = ["client", "endpoint"]
    counts = polls.group_by(key).agg(
        planned=pl.len(),
        ok=(pl.col("outcome") == "ok").sum(),
        failed=_FAILED.sum(),
        unsent=pl.col("outcome").is_in(UNSENT).sum(),
        unanswered=(_FAILED & pl.col("outcome").is_in(UNANSWERED)).sum(),
    )
    table = counts.join(_times(polls, key), on=key, how="left").join(_reasons(polls, key), on=key, how="left")
    return table.select(
        *key,
        "planned",
        "ok",
        "failed",
        pl.col("reasons").fill_null(""),
        "unsent",
        *(pl.col(f"{name}_s").mul(1000).alias(f"{name}_ms") for name in TIMES),
        "unanswered",
        *(f"{name}_censored" for name in TIMES),
    ).sort(key)


def _times(polls: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    response = "response_s"
    percents = {f"p{percent}_s": percentile_of(response, percent) for percent in (50, 95, 99)}
    longer = {f"p{percent}_censored": censored(response, percent) for percent in (50, 95, 99)}
    unknown = pl.col("outcome").is_in(UNANSWERED).any()
    return polls.filter(_TIMED).group_by(key).agg(**percents, **longer, max_s=pl.col(response).max(), max_censored=unknown)


def _reasons(polls: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    error, check = pl.col("outcome") == "http_error", pl.col("failed_check").cast(pl.String)
    why = pl.when(error).then(pl.col("status").cast(pl.String)).otherwise(check)
    code = pl.format(" ({})", why).fill_null("")
    failed = polls.filter(_FAILED).with_columns(code=code)
    counted = failed.group_by(*key, "outcome", "code").agg(polls=pl.len())
    text = pl.format("{}{} {}", pl.col("outcome").cast(pl.String), "code", "polls")
    return (
        counted.sort([*key, "polls", "outcome", "code"], descending=[False, False, True, False, False])
        .group_by(key, maintain_order=True)
        .agg(reasons=text.str.join(", "))
    )
