"""A notebook as a page that can be sent to somebody: answer on top, no code, every chart without the web.

Notebook in, page out; a record is opened only for a notebook that broke off (`broken_off`). As one file, plotly.js is packed
once (gzip, base64: 2 MB instead of 5) and unpacked by the reader's browser. As a folder, styles and scripts are files of
their own, and nothing in the page is inline: it stands under a strict Content-Security-Policy.
"""

from __future__ import annotations

import base64
import gzip
import html
import re
from itertools import count
from pathlib import Path
from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

from experiments.present.export.arrange import arranged, contents, identifier, titled, without_nothing
from experiments.present.export.problems import problem
from experiments.present.html import STYLES, TEMPLATES, embedded, shared_styles
from experiments.present.pages.broken_off import mended

PLOTLY = "application/vnd.plotly.v1+json"
_ONCE = re.compile(r"<!--once:([\w-]+)-->.*?<!--/once:\1-->", re.DOTALL)
_SCRIPTED = re.compile(r"<!--scripted-->.*?<!--/scripted-->", re.DOTALL)
_INLINE = re.compile(r"<script\b.*?</script>|<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_STYLE = re.compile(r"""(<[^<>]*?)\sstyle=("[^"]*"|'[^']*')""")
_H = re.compile(r"<h([1-6])(?: id=\"[^\"]*\")?>(.*?)</h\1>", re.DOTALL)
_SCRIPTS = "<!--scripts-->"


class LabReportExporter(HTMLExporter):
    """`jupyter nbconvert --to lab_report`, and "Lab_report" in the export menu of JupyterLab."""

    export_from_notebook = "Lab report (HTML)"
    in_folder = False
    """Whether styles and scripts are files beside the page."""

    @default("template_name")
    def _template_name_default(self) -> str:
        return "lab_report"

    @default("extra_template_basedirs")
    def _default_extra_template_basedirs(self) -> list[str]:
        return [str(TEMPLATES.parent)]

    @default("exclude_anchor_links")
    def _default_exclude_anchor_links(self) -> bool:
        return True

    @property
    def default_config(self) -> Config:
        """nbconvert's own, with the chart itself preferred to its fallback."""
        config: Config = super().default_config
        config.NbConvertBase.display_data_priority.insert(0, PLOTLY)
        return config

    def from_notebook_node(  # type: ignore[override]  # as nbconvert itself overrides it
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """The page, and nbconvert's resources; with `in_folder` among them the files beside the page."""
        page = _Page(in_folder=self.in_folder)
        self.register_filter("chart_html", page.chart)
        self.register_filter("once", page.once)
        self.register_filter("with_ids", with_ids)
        resources = self._init_resources(resources or {})
        # PERF: past HTMLExporter, which parses the whole page again to look for images without alternative text and
        # for parts of its own layout: 0.3 s on a page of 3 MB, and there is neither here.
        content, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        if self.in_folder:
            folder = resources["lab_report"]["folder"]
            resources["outputs"] = {**resources.get("outputs", {}), **{f"{folder}/{k}": v for k, v in page.files().items()}}
            return content.replace(_SCRIPTS, page.linked(folder)), resources
        return content.replace(_SCRIPTS, page.scripts()), resources

    def _preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """In the report's order; after what nbconvert does to it, since --execute needs the code's own order."""
        nb, resources = super()._preprocess(nb, resources)
        problems = [problem(output.ename, output.evalue) for output in _errors(nb)]
        nb, broken_off = mended(nb)
        nb, around = titled(without_nothing(arranged(nb)))
        about = {
            "title": around.title,
            "about": around.about,
            "contents": contents(nb),
            "styles": "" if self.in_folder else styles(),
            "folder": f"{resources.get('unique_key') or 'report'}_files" if self.in_folder else "",
            "errors": problems,
            "broken_off": broken_off,
        }
        return nb, {**resources, "lab_report": about}


class LabReportFolderExporter(LabReportExporter):
    """`jupyter nbconvert --to lab_report_folder --output-dir report --output index`: a page, its files beside it."""

    export_from_notebook = "Lab report (folder)"
    in_folder = True


def write(notebook: Path, report: Path) -> None:
    """The report of a notebook as one file, and beside it the same as a folder: `report.html` and `report/index.html`.

    Raises:
        OSError: it cannot be written there.
    """
    page, _ = LabReportExporter().from_filename(str(notebook))
    report.write_text(page, encoding="utf-8")
    page, resources = LabReportFolderExporter().from_filename(str(notebook))
    for name, content in {"index.html": page.encode(), **resources["outputs"]}.items():
        place = report.with_suffix("") / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def styles() -> str:
    """All rules of a report."""
    return shared_styles() + _asset("report.css")


def with_ids(prose: str) -> str:
    """Headings with the ids that the contents lead to."""
    return _H.sub(lambda found: f'<h{found[1]} id="{identifier(_text(found[2]))}">{found[2]}</h{found[1]}>', prose)


def _text(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def _errors(nb: NotebookNode) -> list[NotebookNode]:
    return [
        output for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs if output.output_type == "error"
    ]


class _Page:
    """What a page collects while it is being written: its charts, and what it holds already."""

    def __init__(self, *, in_folder: bool) -> None:
        self._in_folder = in_folder
        self._numbers = count(1)
        self._charts: dict[str, str] = {}
        self._held = {STYLES}

    def chart(self, output: NotebookNode) -> str:
        """The finding of a chart, a place for it, and its data beside it."""
        figure = output.data[PLOTLY]
        name = f"chart-{next(self._numbers)}"
        self._charts[name] = embedded(figure)
        meta = (figure.get("layout") or {}).get("meta") or {}
        finding, label = meta.get("finding") or "", meta.get("label") or "chart"
        said = f"{finding} {label}".strip()
        head = f'<p class="lab-finding">{html.escape(finding)}</p>' if finding else ""
        undrawn = "This chart is drawn by scripts, which do not run here; its figures stand in the table below."
        place = f'<div class="lab-plot" id="{name}"><p class="lab-undrawn">{undrawn}</p></div>'
        shown = f'<figure class="lab-chart" aria-label="{html.escape(said)}">{head}{place}</figure>'
        if self._in_folder:
            return shown
        return f'{shown}<script type="application/json" id="{name}-data">{self._charts[name]}</script>'

    def once(self, fragment: str) -> str:
        """The fragment without the libraries that the page holds already; in a folder without anything inline."""

        def kept(match: re.Match[str]) -> str:
            if match[1] in self._held:
                return ""
            self._held.add(match[1])
            return match[0]

        if self._in_folder:
            static = re.sub(r"</?noscript>", "", _SCRIPTED.sub("", fragment))
            return _STYLE.sub(r"\1", _INLINE.sub("", static))
        return _ONCE.sub(kept, fragment)

    def scripts(self) -> str:
        """plotly.js and what draws with it; nothing where there is no chart."""
        if not self._charts:
            return ""
        packed = base64.b64encode(gzip.compress(_plotly().encode(), 9, mtime=0)).decode()
        drawing = _asset("report.js")
        return f'<script type="text/plain" id="plotly-gz">{packed}</script>\n<script>{drawing}</script>'

    def linked(self, folder: str) -> str:
        """The same from files."""
        names = ("plotly.min.js", "charts.js", "report.js") if self._charts else ()
        return "\n".join(f'<script defer src="{folder}/{name}"></script>' for name in names)

    def files(self) -> dict[str, bytes]:
        """Name of a file beside the page -> what it holds."""
        made = {"report.css": styles()}
        if self._charts:
            charts = embedded(self._charts)
            made |= {
                "plotly.min.js": _plotly(),
                "report.js": _asset("report.js"),
                "charts.js": f"window.labCharts={charts};",
            }
        return {name: text.encode() for name, text in made.items()}


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
