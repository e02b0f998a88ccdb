"""Every device and endpoint in a table that can be sorted and filtered, without the web."""

from __future__ import annotations

import polars as pl

from experiments.present.markup import Markup, note
from experiments.present.tables.sortable import SortableTable
from experiments.present.words import ENDPOINTS

_RENAMED = {
    "client": "device",
    "p50_ms": "p50, ms",
    "p95_ms": "p95, ms",
    "p99_ms": "p99, ms",
    "max_ms": "max, ms",
    "unsent": "not sent",
}


def clients(frame: pl.DataFrame) -> SortableTable | Markup:
    """One row a device and endpoint.

    Args:
        frame: `analyse.clients.clients_table`.
    """
    if not frame.height:
        return note("No device had a poll in the measured window.")
    return SortableTable(_readable(frame))


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Three significant digits, words for endpoints and reasons, no column without any value."""
    times = [name for name in frame.columns if name.endswith("_ms")]
    empty = [name for name in times if frame[name].null_count() == frame.height]
    shown = frame.drop(empty).with_columns(
        pl.col("endpoint").cast(pl.String).replace(ENDPOINTS),
        pl.col("reasons").fill_null("").str.replace_all("_", " "),
        pl.col([name for name in times if name not in empty]).round_sig_figs(3),
    )
    return shown.rename({old: new for old, new in _RENAMED.items() if old in shown.columns})
