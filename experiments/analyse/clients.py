"""What each device lived through: one row per client and endpoint.

Prepared polls -> table. Times are in milliseconds of response (since due), as in the report.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse import latency
from experiments.analyse.passes import spread
from experiments.analyse.passes.spread import Spread
from experiments.analyse.passes.sums import Sums
from experiments.analyse.polls import WAS_SENT
from experiments.record.schema import UNANSWERED, UNSENT

TIMES = ("p50", "p95", "p99", "max")
"""Of each there is `_ms` and `_censored`."""
_KEY = ("client", "endpoint")
_GROUP = pl.col("client").cast(pl.Int64) * 1024 + pl.col("endpoint").to_physical().cast(pl.Int64)
"""Device and endpoint as one number, as `polls.KEY` has them."""
_TIMED = pl.col("outcome").is_in(("ok", *UNANSWERED))
_FAILED = WAS_SENT & (pl.col("outcome") != "ok")


class ByClient:
    """Counts, reasons and response times of every device, gathered of measured polls, batch by batch."""

    def __init__(self) -> None:
        self._counts = Sums(
            _KEY,
            {
                "planned": pl.len(),
                "ok": (pl.col("outcome") == "ok").sum(),
                "failed": _FAILED.sum(),
                "unsent": pl.col("outcome").is_in(UNSENT).sum(),
                "unanswered": (_FAILED & pl.col("outcome").is_in(UNANSWERED)).sum(),
                "max_s": pl.col("response_s").filter(_TIMED).max(),
            },
            most=("max_s",),
        )
        self._times = Spread()
        self._reasons = Sums((*_KEY, "outcome", "code"), {"polls": pl.len()})

    @property
    def off_by(self) -> float:
        """By how much, as a share of it, a percentile may be longer than the exact one."""
        return self._times.off_by

    @property
    def devices(self) -> int:
        """How many devices there are, by the highest number; 1 where no poll was measured."""
        highest = self._counts.frame()["client"].max()
        return highest + 1 if isinstance(highest, int) else 1

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        self._counts.add(polls)
        timed = polls.lazy().filter(_TIMED).select(group=_GROUP, value="response_s", answered=pl.col("outcome") == "ok")
        self._times.add(timed.collect())
        error, check = pl.col("outcome") == "http_error", pl.col("failed_check").cast(pl.String)
        why = pl.when(error).then(pl.col("status").cast(pl.String)).otherwise(check)
        failed = polls.lazy().filter(_FAILED)
        self._reasons.add(failed.select(*_KEY, "outcome", code=pl.format(" ({})", why).fill_null("")).collect())

    def table(self) -> pl.DataFrame:
        """What there is of every device.

        Returns:
            frame(client, endpoint, planned, ok, failed, reasons, unsent, p50_ms, p95_ms, p99_ms, max_ms, unanswered,
            p50_censored, p95_censored, p99_censored, max_censored); `reasons` reads
            `http_error (503) 3, checks (json.ok) 2, reset 1`, most frequent first, empty without failures.
            The times cover what percentiles cover; they are null where too few polls support them, and may be longer than
            the exact ones by the share `off_by`. `unanswered` counts, of the failed ones, those that timed out. What is
            censored is longer than its number, since polls never had an answer; null where there is no number.
        """
        counts = self._counts.frame().with_columns(group=_GROUP)
        table = counts.join(self._percentiles(), on="group", how="left").join(self._said(), on=_KEY, how="left")
        return table.select(
            *_KEY,
            "planned",
            "ok",
            "failed",
            pl.col("reasons").fill_null(""),
            "unsent",
            *(pl.col(f"{name}_s").mul(1000).alias(f"{name}_ms") for name in TIMES),
            "unanswered",
            *(f"{name}_censored" for name in TIMES),
        ).sort(_KEY)

    def _percentiles(self) -> pl.DataFrame:
        percents = {f"p{percent}_s": spread.percentile(percent) for percent in (50, 95, 99)}
        longer = {f"p{percent}_censored": spread.censored(percent, latency.high_rank(percent)) for percent in (50, 95, 99)}
        unknown = pl.col("polls").sum() > pl.col("answered").sum()
        return self._times.frame().group_by("group", maintain_order=True).agg(**percents, **longer, max_censored=unknown)

    def _said(self) -> pl.DataFrame:
        text = pl.format("{}{} {}", pl.col("outcome").cast(pl.String), "code", "polls")
        return (
            self._reasons.frame()
            .sort([*_KEY, "polls", "outcome", "code"], descending=[False, False, True, False, False])
            .group_by(_KEY, maintain_order=True)
            .agg(reasons=text.str.join(", "))
        )
