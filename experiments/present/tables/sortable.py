"""A table that can be sorted and filtered, without the web; without scripts its first rows stand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from experiments.present.format import NONE, plural
from experiments.present.html import Markup, caption, table

MOST_ROWS = 50
"""Of the table that needs no scripts."""

_RENDER = (
    "function (data, type) { if (type === 'display') { return data === null ? '–' : data; }"
    " if (data === null) { return ''; }"
    r" var figure = /^(?:(?:>|&gt;) )?(\d+(?:\.\d+)?)$/.exec(data); return figure ? Number(figure[1]) : data; }"
)
"""Null is shown as a dash and is empty for sorting, `> 5520` sorts as its figure: a column of numbers stays one."""


@dataclass(frozen=True)
class SortableTable:
    """Any frame as a notebook shows it; `itables` brings its own script with it, once a table."""

    frame: pl.DataFrame
    said: str = ""
    """How to read it, below the table; empty for nothing."""

    def _repr_html_(self) -> str:
        from itables.javascript import generate_init_offline_itables_html
        from itables.options import dt_bundle

        library = generate_init_offline_itables_html(dt_bundle)
        below = caption(self.said).content if self.said else ""
        scripted = f"<!--once:itables-->{library}<!--/once:itables-->{self.table_html()}"
        return f"<!--scripted-->{scripted}<!--/scripted--><noscript>{self.static.content}</noscript>{below}"

    @property
    def static(self) -> Markup:
        """The first rows, for pages without scripts."""
        first = self.frame.head(MOST_ROWS)
        numbers = [place for place, kind in enumerate(first.dtypes) if kind.is_numeric()]
        body = [[NONE if value is None else str(value) for value in row] for row in first.iter_rows()]
        shown = table(first.columns, body, label="first rows of the table", numbers=numbers)
        if self.frame.height > MOST_ROWS:
            shown += caption(f"The first {MOST_ROWS} of {plural(self.frame.height, 'row')}; all of them need scripts.")
        return shown

    def table_html(self) -> str:
        """The table without the script of the library."""
        from itables import to_html_datatable

        options: dict[str, Any] = {
            # Made of the figures, not by lot, so that equal notebooks are equal; itables takes a table that is shown twice.
            "table_id": f"itables_{hashlib.sha256(self.frame.write_json().encode()).hexdigest()[:16]}",
            "connected": False,
            "maxBytes": 0,
            "display_logo_when_loading": False,
            "show_dtypes": False,
            "classes": "display compact nowrap",
            "style": "width:100%;font-size:13px",
            "pageLength": 10,
            "lengthMenu": [10, 25, 50, 100],
            "columnDefs": [{"targets": "_all", "render": _function(_RENDER)}],
            "columnControl": ["order", "searchDropdown"],
            "ordering": {"indicators": False},
        }
        return str(to_html_datatable(self.frame, **options))


def _function(source: str) -> Any:
    from itables import JavascriptFunction

    return JavascriptFunction(source)
