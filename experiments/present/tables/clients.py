"""Every device and endpoint in a table that can be sorted and filtered, without the web."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from experiments.present.markup import Markup, note
from experiments.present.words import ENDPOINTS

_NULL_AS_DASH = "function (data, type) { return data === null ? (type === 'display' ? '–' : '') : data; }"
"""Null is shown as a dash, and is empty for sorting, so that a column of numbers stays one."""

_RENAMED = {
    "client": "device",
    "p50_ms": "p50, ms",
    "p95_ms": "p95, ms",
    "p99_ms": "p99, ms",
    "max_ms": "max, ms",
    "unsent": "not sent",
}


def clients(frame: pl.DataFrame) -> ClientsTable | Markup:
    """One row a device and endpoint.

    Args:
        frame: `analyse.clients.clients_table`.
    """
    if not frame.height:
        return note("No device had a poll in the measured window.")
    return ClientsTable(_readable(frame))


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


@dataclass(frozen=True)
class ClientsTable:
    """The table as a notebook shows it; `itables` brings its own script with it, once a table."""

    frame: pl.DataFrame

    def _repr_html_(self) -> str:
        from itables.javascript import generate_init_offline_itables_html
        from itables.options import dt_bundle

        library = generate_init_offline_itables_html(dt_bundle)
        return f"<!--once:itables-->{library}<!--/once:itables-->{self.table_html()}"

    def table_html(self) -> str:
        """The table without the script of the library."""
        from itables import to_html_datatable

        options: dict[str, Any] = {
            "connected": False,
            "maxBytes": 0,
            "display_logo_when_loading": False,
            "show_dtypes": False,
            "classes": "display compact nowrap",
            "style": "width:100%;font-size:13px",
            "pageLength": 10,
            "lengthMenu": [10, 25, 50, 100],
            "columnDefs": [{"targets": "_all", "render": _function(_NULL_AS_DASH)}],
            "columnControl": ["order", "searchDropdown"],
            "ordering": {"indicators": False},
        }
        return str(to_html_datatable(self.frame, **options))


def _function(source: str) -> Any:
    from itables import JavascriptFunction

    return JavascriptFunction(source)
