"""A chart for pages that are not ours (`nbconvert --to html`, a mail): its finding in words, until the drawing is there.

plotly.js comes from the web there; without it a reader has the sentence and the table below, and no blank space. The same
chart makes the same fragment, so that two executed notebooks differ in what was measured alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from experiments.present.html import Markup, element, embedded

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
        "(jupyter nbconvert --to lab_report) needs no web. Its figures stand below, as a table.",
    )
    place = f'<div style="height:{content["layout"].get("height") or 450}px" hidden></div>'
    drawing = Markup(place + _DRAW % (embedded(content), *_library()))
    return element("div", element("div", words), drawing, role="figure", aria_label=label).content


@cache
def _library() -> tuple[str, str]:
    """Where plotly.js is on the web, and the digest without which a browser does not run it."""
    from plotly.offline import get_plotlyjs, get_plotlyjs_version

    digest = base64.b64encode(hashlib.sha256(get_plotlyjs().encode()).digest()).decode()
    return f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js", f"sha256-{digest}"
