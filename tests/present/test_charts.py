"""Charts: titles, units, labels, ranges, and nothing drawn from nothing."""

import html
import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.present.axes import TimeAxis
from experiments.present.chart import MIMETYPE, Chart
from experiments.present.charts import failures, generator, heatmap, outcomes, percentiles, resources, response
from experiments.present.format import MOST_CODES
from experiments.present.html import Markup
from experiments.present.pages.run import Page
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, Answer, Poll, failing, made_up, stalling

CHARTS = (
    "response_over_time",
    "percentiles",
    "outcomes_over_time",
    "server_over_time",
    "generator_over_time",
    "device_map",
)


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest, page: Page) -> Chart:
    """Each chart of the page in turn."""
    made = getattr(page, request.param)()
    assert isinstance(made, Chart)
    return made


def numbers(content: Any) -> Iterator[float]:
    """Every number anywhere in a chart."""
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from numbers(item)
    elif isinstance(content, float):
        yield content


def axes(content: dict[str, Any], letter: str) -> list[dict[str, Any]]:
    """The axes of a chart, x or y."""
    return [value for name, value in content["layout"].items() if name.startswith(f"{letter}axis")]


def test_a_chart_says_what_it_found_and_names_itself(chart: Chart) -> None:
    """The title is what the data show, with a figure; finding, label and caption are sentences."""
    content = chart.content()
    assert content["layout"]["title"]["text"].replace("<br>", " ") == chart.finding
    assert re.search(r"\d", chart.finding)
    assert content["layout"]["meta"]["label"] == chart.label
    assert [text for text in (chart.finding, chart.label, chart.caption) if not text.endswith(".")] == []


def test_a_chart_has_its_figures_in_a_table_of_bounded_length(chart: Chart) -> None:
    """Folded away below the chart: every line that has a name is a column or a row of it."""
    below = chart.below.content
    assert "<summary>The figures of this chart, as a table</summary>" in below
    assert max(part.count("<tr>") for part in below.split("<tbody>")) <= 60
    assert below.count('<th scope="row">') > 1


def test_no_legend_names_what_is_not_seen(chart: Chart) -> None:
    """Every entry of a legend has a line of some length, or marks."""
    for trace in chart.content()["data"]:
        if trace["type"] != "scatter" or trace.get("showlegend") is False:
            continue
        known = [value is not None for value in trace["y"]]
        neighbours = any(one and other for one, other in pairwise(known))
        assert any(known)
        assert neighbours or "markers" in trace["mode"], trace["name"]


def test_every_axis_has_its_unit(chart: Chart) -> None:
    """Time and figures say what they are counted in; rows of words and devices have no unit."""
    content = chart.content()
    titles = [axis["title"]["text"] for axis in axes(content, "x")]
    assert [title for title in titles if not title.endswith((", s", ", min", ", h", ", %"))] == []
    ys = [axis["title"]["text"] for axis in axes(content, "y") if axis.get("type") != "category"]
    units = ("ms", "polls/s", "cores", "MB", "count", "device")
    assert [title for title in ys if not title.endswith(units)] == []


def test_a_chart_is_small_and_holds_no_nan(chart: Chart) -> None:
    """JSON has no NaN; a line has at most 600 points, a map at most 200 x 120 cells."""
    content = chart.content()
    json.dumps(content, allow_nan=False)
    assert all(math.isfinite(number) for number in numbers(content))
    for trace in content["data"]:
        assert len(trace.get("y", ())) <= 600
        assert len(trace["x"]) <= (120 if trace["type"] == "heatmap" else 600)


def test_a_chart_offers_no_upload(chart: Chart) -> None:
    """Nobody is invited to put a measurement on a public cloud by a slip."""
    content = chart.content()
    assert content["config"]["showSendToCloud"] is False
    assert "plotlyServerURL" not in json.dumps(content)


def test_a_chart_comes_in_a_form_for_everybody(chart: Chart) -> None:
    """plotly's data for JupyterLab and the report, a labelled page fragment for a plain export, words for a terminal."""
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {MIMETYPE, "text/html", "text/plain"}
    said = html.escape(f"{chart.finding} {chart.label}")
    assert f'aria-label="{said}"' in bundle["text/html"]
    assert "https://cdn.plot.ly/" in bundle["text/html"]
    assert "It is drawn once plotly.js is loaded from the web" in bundle["text/html"]
    assert bundle == chart._repr_mimebundle_()  # No number drawn by lot in it.


def test_a_stall_puts_response_on_a_logarithmic_axis(page: Page) -> None:
    """Two seconds without an answer do not flatten the rest of the run."""
    chart = page.response_over_time()
    assert isinstance(chart, Chart)
    assert chart.content()["layout"]["yaxis"]["type"] == "log"


def test_both_endpoints_and_both_times_have_a_curve(page: Page) -> None:
    """Response and latency of A and of B, each in the colour of its endpoint."""
    chart = page.percentiles()
    assert isinstance(chart, Chart)
    traces = chart.content()["data"]
    assert [trace["name"] for trace in traces] == [
        f"{endpoint} {kind}" for endpoint in ("A (status)", "B (bulk)") for kind in ("response", "latency")
    ]
    assert [len({trace["line"]["color"] for trace in traces[at : at + 2]}) for at in (0, 2)] == [1, 1]


def test_failures_are_counted_by_reason(page: Page) -> None:
    """The row of a reason names it and its number; all together they are the failures of the summary."""
    chart = page.outcomes_over_time()
    assert isinstance(chart, Chart)
    rows = [trace for trace in chart.content()["data"] if trace.get("mode") == "markers"]
    failed = sum(one["failed"] for one in page.summary["endpoints"].values())
    assert [trace["name"] for trace in rows] == ["reset"]
    assert sum(int(text.replace(",", "")) for trace in rows for text in trace["text"]) == failed


def test_failures_by_status_have_a_row_each(tmp_path: Path) -> None:
    """429 and 503 are two reasons; each poll is in one of the rows."""

    def server(poll: Poll) -> Answer:
        status = 400 + poll.round % 12 if poll.round % 2 else 503
        return Answer(0.0005, Outcome.HTTP_ERROR, status, 0)

    page = Page(made_up(tmp_path, SMALL, server=server))
    chart = page.outcomes_over_time()
    assert isinstance(chart, Chart)
    rows = [trace for trace in chart.content()["data"] if trace.get("mode") == "markers"]
    names = [trace["y"][0].split(":")[0] for trace in rows]
    assert names[-1] == "http error 503"
    assert {"http error 401", "http error 411"} < set(names)
    failed = sum(one["failed"] for one in page.summary["endpoints"].values())
    assert sum(int(text.replace(",", "")) for trace in rows for text in trace["text"]) == failed


def test_rare_status_codes_share_a_row() -> None:
    """The most frequent ones have their own, the others are counted together, and no poll is lost."""
    polls = {400 + n: 100 - n for n in range(20)}
    columns = {"t_s": 0.0, "outcome": "http_error", "status": list(polls), "polls": list(polls.values())}
    frame = pl.DataFrame(columns).with_columns(failed_check=pl.lit(None, dtype=pl.String))
    drawn = failures.panel(frame, TimeAxis(1.0), 1.0)
    rows = dict(name.removeprefix("http error ").split(": ") for name in drawn.axis["categoryarray"])
    frequent = list(polls)[:MOST_CODES]
    others = sum(count for code, count in polls.items() if code not in frequent)
    assert rows == {str(code): str(polls[code]) for code in frequent} | {"with other codes": f"{others:,}"}


def test_a_run_without_failures_has_no_panel_for_them(tiny: Page) -> None:
    """Only what was answered has an axis, and the finding says that this was every poll."""
    chart = tiny.outcomes_over_time()
    assert isinstance(chart, Chart)
    assert len(axes(chart.content(), "y")) == 1
    assert chart.finding.startswith("Every poll of the window was answered")


def test_too_few_polls_for_percentiles_are_drawn_one_by_one(tiny: Page) -> None:
    """A tiny run shows every poll as a dot."""
    chart = tiny.response_over_time()
    assert isinstance(chart, Chart)
    drawn = sum(len(trace["x"]) for trace in chart.content()["data"])
    assert drawn == sum(one["planned"] for one in tiny.summary["endpoints"].values())


def test_failed_cells_of_the_map_are_told_apart(page: Page) -> None:
    """A cell with a failed poll lies in a band at the top of the colour bar, above the slowest answer, and says so."""
    chart = page.device_map()
    assert isinstance(chart, Chart)
    trace = chart.content()["data"][0]
    shades = {cell for row in trace["z"] for cell in row if cell is not None}
    assert max(shades) == pytest.approx(trace["colorbar"]["tickvals"][-1], abs=0.001)
    assert max(shades) < trace["zmax"]
    assert trace["colorbar"]["ticktext"][-1] == "failed"
    assert "failed 1" in trace["customdata"][0][0] + "".join(text for row in trace["customdata"] for text in row)
    assert trace["colorscale"] == sorted(trace["colorscale"], key=lambda stop: stop[0])


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Forty devices: the server resets one, does not answer another, and stops answering all of them after 20 s of 30."""
    well = stalling(20, 90)

    def server(poll: Poll) -> Answer:
        if poll.client < 2:
            return Answer(0.001, Outcome.RESET, 0, 0) if poll.client else Answer(1e9)
        return well(poll)

    return Page(made_up(tmp_path_factory.mktemp("results"), SMALL.model_copy(update={"timeout_s": 4.0}), server=server))


def test_the_map_tells_failed_unanswered_and_unsent_apart(silent: Page) -> None:
    """Each has a band and a name of its own, and a device's cell says which it holds."""
    chart = silent.device_map()
    assert isinstance(chart, Chart)
    trace = chart.content()["data"][0]
    assert trace["colorbar"]["ticktext"][-3:] == ["not sent", "no answer", "failed"]
    bands = trace["colorbar"]["tickvals"][-3:]
    assert [trace["z"][client][0] for client in (0, 1)] == pytest.approx([bands[1], bands[2]], abs=0.001)
    assert trace["z"][0][-1] == pytest.approx(bands[0], abs=0.001)
    assert trace["customdata"][0][-1].startswith("slowest longer than ")
    assert "not sent" in trace["customdata"][0][-1]
    assert "failed" not in trace["customdata"][0][-1]
    assert len({colour for _, colour in trace["colorscale"][-6:]}) == 3


def test_the_curve_of_waiting_ends_where_nobody_is_answered(silent: Page) -> None:
    """It does not fall to zero at the end, where polls had no time to wait: bounds are triangles, and never fall."""
    chart = silent.response_over_time()
    assert isinstance(chart, Chart)
    drawn = {trace["name"]: trace for trace in chart.content()["data"]}
    line, bounds = drawn["A (status) p50"], drawn["A (status) p50, longer than"]
    assert [y for x, y in zip(line["x"], line["y"], strict=True) if x > 21] == [None] * sum(x > 21 for x in line["x"])
    seen = [y for y in bounds["y"] if y is not None]
    assert seen
    assert seen == sorted(seen)
    assert min(x for x, y in zip(bounds["x"], bounds["y"], strict=True) if y is not None) > 18
    assert "triangle" in chart.caption


def test_the_percentile_curve_is_dotted_where_it_is_a_bound(silent: Page) -> None:
    """Its known part and its bounds are lines of their own."""
    chart = silent.percentiles()
    assert isinstance(chart, Chart)
    drawn = {trace["name"]: trace for trace in chart.content()["data"]}
    assert drawn["A (status) response, longer than"]["line"]["dash"] == "dot"
    assert drawn["A (status) response, longer than"]["text"][-1].endswith("within more than")
    assert max(drawn["A (status) response"]["x"]) == min(drawn["A (status) response, longer than"]["x"])
    assert "lower bound" in chart.caption


def test_each_poll_is_drawn_as_what_it_was(tmp_path: Path) -> None:
    """Failed, without an answer, and not sent have marks of their own."""
    asked = Scenario(clients=5, minutes=5 / 60, warmup_s=1, timeout_s=1)
    server = failing(Outcome.RESET, every=1)
    page = Page(made_up(tmp_path, asked, server=lambda poll: Answer(9.0) if poll.client else server(poll)))
    chart = page.response_over_time()
    assert isinstance(chart, Chart)
    names = {trace["name"] for trace in chart.content()["data"] if trace["x"]}
    assert names == {"failed", "no answer, longer than", "not sent, device waited longer than"}


def test_no_figure_has_a_prefix_beside_its_unit(chart: Chart) -> None:
    """`320m ms` is nobody's unit, neither where a mouse points nor on an axis."""
    content = chart.content()
    templates = [trace.get("hovertemplate") or "" for trace in content["data"]]
    assert [text for text in templates if "s}" in text or re.search(r"%\{[xy]\} (ms|µs|s)\b", text)] == []
    for axis in ("xaxis", "yaxis"):
        assert content["layout"]["template"]["layout"][axis]["exponentformat"] == "none"


@pytest.mark.parametrize("name", CHARTS)
def test_an_empty_run_says_why_there_is_nothing_to_draw(empty: Page, name: str) -> None:
    """A sentence stands in the place of a chart."""
    shown = getattr(empty, name)()
    assert isinstance(shown, Markup)
    assert "lab-note" in shown.content


def test_no_rows_make_no_chart() -> None:
    """Every chart is None where its tables are empty."""
    polls = pl.DataFrame(schema={"t_s": pl.Float64, "endpoint": pl.String, "outcome": pl.String, "polls": pl.UInt32})
    times = dict.fromkeys(("t_s", "p50_s", "p95_s", "p99_s", "max_s"), pl.Float64)
    cores = dict.fromkeys(("t_s", "cores", "busy_cores", "others_cores", "steal_cores", "throttled_share"), pl.Float64)
    usage = pl.DataFrame(
        schema={
            **cores,
            "group": pl.String,
            "instance": pl.UInt16,
            **dict.fromkeys(("rss_bytes", "uss_bytes", "threads", "processes", "fds", "connections"), pl.UInt64),
        }
    )
    cells = {"first_client": pl.Int64, "clients": pl.Int64, "t_s": pl.Float64, "slowest_s": pl.Float64, "failed": pl.Int64}
    made = (
        response.over_time({"status": pl.DataFrame(schema=times)}, 60, {"status": 1}),
        percentiles.percentile_curve({("status", "response"): pl.DataFrame(schema={"tail": pl.Float64})}),
        outcomes.over_time(polls, polls, 60, 1),
        resources.server(usage, 60),
        generator.over_time(pl.DataFrame(schema=times), usage, usage, 60, 1),
        heatmap.slowest(pl.DataFrame(schema=cells), 60, 1),
    )
    assert made == (None,) * len(made)
