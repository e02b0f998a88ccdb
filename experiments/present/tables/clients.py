"""Every device and endpoint in a table that can be sorted and filtered, without the web."""

from __future__ import annotations

import polars as pl

from experiments.analyse.clients import TIMES
from experiments.analyse.targets.naming import endpoints, titles
from experiments.present.format import LONGER, count, number, rounded_up
from experiments.present.html import Markup, note
from experiments.present.tables.sortable import SortableTable

_RENAMED = {
    "client": "device",
    "p50_ms": "p50, ms",
    "p95_ms": "p95, ms",
    "p99_ms": "p99, ms",
    "max_ms": "max, ms",
    "unsent": "not sent",
    "unanswered": "of these no answer",
}
_ORDER = ("client", "endpoint", "planned", "ok", "failed", "unanswered", "reasons", "unsent")


MOST_ROWS = 4000
"""Rows that are shown; a page with those of 100,000 devices would take 40 MB."""


def clients(frame: pl.DataFrame, off_by: float = 0.0) -> SortableTable | Markup:
    """One row per device and endpoint, the worst first; of very many those that fared worst.

    Args:
        frame: `analyse.clients.ByClient.table`.
        off_by: share by which its percentiles may be too long.
    """
    if not frame.height:
        return note("No device had a poll in the measured window.")
    shown = _worst(frame)
    unknown = any(shown[f"{name}_censored"].any() for name in TIMES)
    cut = f"Of {count(frame.height)} rows those {count(MOST_ROWS)} are shown that failed most often or waited longest; "
    said = [
        cut + "all are in clients.parquet of the run." if frame.height > MOST_ROWS else "",
        LONGER if unknown else "",
        rounded_up(off_by),
    ]
    return SortableTable(_readable(shown), " ".join(filter(None, said)))


def _worst(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.height <= MOST_ROWS:
        return frame
    worst = frame.with_columns(lost=pl.col("planned") - pl.col("ok"))
    worst = worst.sort("lost", "max_ms", descending=True, nulls_last=True)
    return worst.head(MOST_ROWS).drop("lost").sort("client", "endpoint")


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """The worst first: who lost most polls, then who waited longest.

    Three significant digits, words for endpoints and reasons, no column without any value.
    """
    times = [name for name in TIMES if frame[f"{name}_ms"].null_count() < frame.height]
    worst = frame.sort(
        (pl.col("planned") - pl.col("ok")) / pl.col("planned"),
        "max_ms",
        "client",
        descending=[True, True, False],
        nulls_last=True,
    )
    shown = worst.select(
        *_ORDER,
        *(pl.col(f"{name}_ms").round_sig_figs(3) for name in times),
        *(f"{name}_censored" for name in times),
    ).with_columns(
        pl.col("endpoint").cast(pl.String).replace(titles(endpoints(frame))),
        pl.col("reasons").fill_null("").str.replace_all("_", " "),
        *(_bounds(name) for name in times if frame[f"{name}_censored"].any()),
    )
    shown = shown.drop(f"{name}_censored" for name in times)
    if not frame["unanswered"].sum():
        shown = shown.drop("unanswered")
    return shown.rename({old: new for old, new in _RENAMED.items() if old in shown.columns})


def _bounds(name: str) -> pl.Expr:
    """A column of figures of which some are only lower bounds: `12.3`, `> 5520`; the table sorts both as numbers."""
    figure = pl.col(f"{name}_ms").map_elements(lambda value: number(value).replace(",", ""), return_dtype=pl.String)
    return pl.when(f"{name}_censored").then(pl.format("> {}", figure)).otherwise(figure).alias(f"{name}_ms")
