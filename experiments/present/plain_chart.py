"""A chart for pages that are not ours (`nbconvert --to html`, a mail): its figures as a table, until the drawing is there.

plotly.js comes from the web there; without it a reader has a sentence and the table, and no blank space. The same chart
makes the same fragment, so that two executed notebooks differ in what was measured alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from experiments.present.format import count, number
from experiments.present.html import Markup, element, embedded, table

MOST_VALUES = 60
"""Points of a chart up to which each has a row of its own; of more the ends and extremes are told."""

_DRAW = """<script>(() => {
const [words, place] = document.currentScript.parentElement.children;
const chart = %s;
window.labPlotly ??= new Promise((loaded, failed) => {
if (window.Plotly) { loaded(); return; }
const script = document.createElement("script");
Object.assign(script, {src: "%s", integrity: "%s", crossOrigin: "anonymous", onload: loaded, onerror: failed});
document.head.append(script);
});
window.labPlotly.then(() => {
place.hidden = false;
return Plotly.newPlot(place, chart.data, chart.layout, chart.config);
}).then(() => { words.hidden = true; }, () => { place.hidden = true; });
})();</script>"""


def fragment(content: Mapping[str, Any], label: str) -> str:
    """The chart as HTML.

    Args:
        content: data, layout and config, as plotly.js draws them.
        label: what it shows, for those who cannot see it.
    """
    words = element(
        "p",
        f"Chart: {label.rstrip('.')}. It is drawn once plotly.js is loaded from the web; the lab's own report "
        "(jupyter nbconvert --to lab_report) needs no web. Its figures:",
    )
    place = f'<div style="height:{content["layout"].get("height") or 450}px" hidden></div>'
    drawing = Markup(place + _DRAW % (embedded(content), *_library()))
    return element("div", element("div", words, figures(content["data"])), drawing, role="figure", aria_label=label).content


def figures(traces: Sequence[Mapping[str, Any]]) -> Markup:
    """The values of a chart, a row each; of a large one what each line, bar or map reaches."""
    if sum(len(_values(trace, "y")) for trace in traces) <= MOST_VALUES and not any("z" in trace for trace in traces):
        rows = [
            [str(trace.get("name") or ""), _shown(x), _shown(y)]
            for trace in traces
            for x, y in zip(_values(trace, "x"), _values(trace, "y"), strict=False)
        ]
        return table(("", "x", "y"), rows, label="values of the chart", numbers=(1, 2))
    head = ("", "points", "from x", "to x", "least", "greatest", "last")
    return table(head, map(_reach, traces), label="figures of the chart", numbers=range(1, len(head)))


def _reach(trace: Mapping[str, Any]) -> list[str]:
    xs = _values(trace, "x")
    values = list(_flat(trace["z"])) if "z" in trace else _values(trace, "y")
    numbers = [value for value in values if isinstance(value, int | float)]
    ends = [_shown(xs[0]), _shown(xs[-1])] if xs else ["", ""]
    extremes = [_shown(min(numbers)), _shown(max(numbers))] if numbers else ["", ""]
    return [str(trace.get("name") or ""), count(len(values)), *ends, *extremes, _shown(values[-1] if values else None)]


def _values(trace: Mapping[str, Any], axis: str) -> list[Any]:
    found = trace.get(axis)
    return list(found) if isinstance(found, list | tuple) else []


def _flat(rows: Iterable[Any]) -> Iterable[Any]:
    for row in rows:
        yield from row if isinstance(row, list | tuple) else [row]


def _shown(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else "–" if value is None else str(value)


@cache
def _library() -> tuple[str, str]:
    """Where plotly.js is on the web, and the digest without which a browser does not run it."""
    from plotly.offline import get_plotlyjs, get_plotlyjs_version

    digest = base64.b64encode(hashlib.sha256(get_plotlyjs().encode()).digest()).decode()
    return f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js", f"sha256-{digest}"
