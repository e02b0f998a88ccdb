"""What a sweep shows: no figure of an invalid run has a colour, every repeat has its dot, and nothing empty is drawn."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from experiments.analyse.points import Point, cells_table
from experiments.errors import VerdictError
from experiments.present.chart import Chart
from experiments.present.charts.studies import grid, growth, spreads
from experiments.present.exporter import LabReportExporter
from experiments.present.html import Markup
from experiments.present.pages.sweep import SweepPage
from experiments.studies.sweep.grid import Planned
from experiments.studies.sweep.page import Sweep
from tests.present.notebooks import executed, notebook
from tests.studies.sweep.made_up_sweep import busy, made_up_sweep, of_no_use
from tests.support.made_up import Answer, ideal

ASKED: dict[str, Any] = {"clients": "[20, 40, 80]", "interval_ms": "[250, 500]", "minutes": 0.2, "warmup_s": 0.5}


def mixed(planned: Planned) -> dict[str, Any] | None:
    """80 devices at 250 ms are invalid, at 500 ms not measured; one repeat of 40 at 250 ms is invalid."""
    clients, interval_ms = planned.at["clients"], planned.at["interval_ms"]
    if clients == 80:
        return of_no_use(planned) if interval_ms == 250 else None
    return of_no_use(planned) if (clients, interval_ms, planned.repeat) == (40, 250, 2) else busy(planned)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> SweepPage:
    """A sweep of which not everything may be used."""
    return shown(tmp_path_factory.mktemp("mixed"), mixed)


def shown(folder: Path, how: Any, repeats: int = 2, asked: dict[str, Any] = ASKED, **level: float) -> SweepPage:
    made_up_sweep(folder, asked, repeats=repeats, how=how)
    return Sweep.of((level or {"slo_status_p99_ms": 2.0}) | {"sweep_dir": str(folder)}).measure(lambda progress: None)


def traces(chart: Chart | Markup, kind: str) -> list[dict[str, Any]]:
    assert isinstance(chart, Chart)
    return [trace for trace in chart.content()["data"] if trace["type"] == kind]


@pytest.mark.parametrize("draw", [lambda page: page.response("p95"), lambda page: page.kept(), lambda page: page.costs()])
def test_a_point_without_a_believable_run_is_hatched_and_has_no_colour(page: SweepPage, draw: Any) -> None:
    """In every map: neither a value nor a shade, but a pattern and its state in words."""
    heats, bars = (traces(draw(page), kind) for kind in ("heatmap", "bar"))
    assert len(heats) == len(bars) >= 1
    for heat, bar in zip(heats, bars, strict=True):
        empty = {
            (i, j)
            for j, row in enumerate(heat["z"])
            for i, value in enumerate(row)
            if value is None and not heat["text"][j][i]
        }
        assert empty == {(2, 0), (2, 1)}
        assert {(x, round(base + 0.48)) for x, base in zip(bar["x"], bar["base"], strict=True)} == empty
        assert bar["text"] == ["<b>invalid</b>", "<b>not measured</b>"]
        assert bar["marker"]["pattern"]["shape"] == "/"
        assert bar["marker"]["color"] == "white"


def test_a_point_with_a_repeat_left_out_has_a_star(page: SweepPage) -> None:
    """The field says that not all of it is valid; the others have none."""
    (heat, *_) = traces(page.response("p95"), "heatmap")
    stars = [(i, j) for j, row in enumerate(heat["text"]) for i, text in enumerate(row) if text.endswith("*")]
    assert stars == [(1, 0)]
    assert "(valid, invalid)" in heat["customdata"][0][1]


def test_a_field_says_the_figure_of_its_point(page: SweepPage) -> None:
    """The map reads its figures with clients across and intervals up, rounded in the text alone."""
    (heat, *_) = traces(page.response("p95"), "heatmap")
    at = {(point.at["clients"], point.at["interval_ms"]): point for point in page._points}
    value = at[20, 500.0].response_ms["status"]["p95"]
    assert value is not None
    assert heat["text"][1][0] == f"{value:.2f}"
    assert heat["z"][1][0] == pytest.approx(value, abs=1e-4)


def test_where_all_are_alike_nothing_is_dark(page: SweepPage) -> None:
    """No failure anywhere is the lightest shade."""
    failed = [heat for heat in traces(page.kept(), "heatmap") if {v for row in heat["z"] for v in row} - {None} == {0.0}]
    assert failed
    assert all((heat["zmin"], heat["zmax"]) == (0, 1) for heat in failed)


@pytest.mark.parametrize(
    ("known", "repeats", "shades"),
    [
        # One run each: 1 % is next to nothing, a quarter is from light to dark.
        ([39.0, 39.4], [], (0.0, 0.05)),
        ([30.0, 40.0], [], (0.9, 1.0)),
        # Repeats lie 2 apart: a difference of 1 is less than a step of colour; where they agree, it is all of them.
        ([39.0, 40.0], [[38.0, 40.0], [39.0, 41.0]], (0.0, 0.25)),
        ([39.0, 40.0], [[39.0, 39.001], [40.0, 40.001]], (0.9, 1.0)),
        # Far apart: logarithms. Repeats a factor of two apart tell a factor of 30 apart, repeats a factor of five do not.
        ([1.0, 30.0], [[1.0, 2.0], [30.0, 60.0]], (0.25, 0.5)),
        ([1.0, 30.0], [[1.0, 5.0], [30.0, 150.0]], (0.0, 0.25)),
    ],
)
def test_a_colour_is_no_more_than_repeats_can_tell_apart(
    known: list[float], repeats: list[list[float]], shades: tuple[float, float]
) -> None:
    """Part of the colours that the difference of two points takes."""
    scale = grid._Scale(known, repeats)
    low, high = (scale.shade(value) for value in known)
    assert low is not None
    assert high is not None
    assert shades[0] <= (high - low) / (scale.high - scale.low) <= shades[1]


def test_the_map_of_memory_makes_nothing_of_a_percent(page: SweepPage) -> None:
    """39.0 and 39.4 MB, one run each, have nearly the same shade."""
    base = page._points[0]
    server = [{**base.server, "rss_bytes": size} for size in (39.0e6, 39.4e6)]
    pair = [
        Point(**{**vars(base), "at": {**base.at, "clients": n}, "server": costs, "repeats": {}})
        for n, costs in enumerate(server, 1)
    ]
    alone = SweepPage(page.cells, notes=(), limits_ms={})
    alone.__dict__["_points"] = pair
    heat = traces(alone.costs(), "heatmap")[-1]
    assert heat["text"] == [["39.0", "39.4"]]
    (low, high), *_ = heat["z"]
    assert 0 < (high - low) / (heat["zmax"] - heat["zmin"]) < 0.05


def unanswered(planned: Planned) -> dict[str, Any]:
    """At 40 devices nobody is ever answered."""
    return {"server": (lambda poll: Answer(1e9)) if planned.at["clients"] == 40 else ideal(0.001)}


def test_a_field_whose_polls_never_had_an_answer_says_longer(tmp_path: Path) -> None:
    """In the map, over clients, in the table; and `strict` fails it, although nobody waited for so long as the limit."""
    asked = ASKED | {"clients": "[30, 40, 60]", "interval_ms": "[250]"}
    shown_page = shown(tmp_path, unanswered, 1, asked, slo_status_p99_ms=60_000.0)
    (heat, *_) = traces(shown_page.response("p50"), "heatmap")
    assert [text.startswith("> ") for text in heat["text"][0]] == [False, True, False]
    lines = [trace for trace in traces(shown_page.growth(), "scatter") if trace["mode"].startswith("lines")]
    assert [y is None for y in lines[0]["y"]] == [False, True, False]
    assert "&gt; " in shown_page.table().content
    shown_page._strict = True
    with pytest.raises(VerdictError, match=r"response p99 of A, ms: 0 % of the polls were answered right .* clients=40"):
        shown_page.enforce()


def test_without_a_service_level_the_map_says_how_to_ask_for_one(tmp_path: Path) -> None:
    """Failures are shown all the same, and no map counts polls within a limit of nothing."""
    chart = shown(tmp_path, busy, 1, slo_status_p99_ms=0.0).kept()
    assert isinstance(chart, Chart)
    assert "where slo_status_p99_ms" in chart.caption
    assert not any("within" in one["text"] for one in chart.content()["layout"]["annotations"])


def test_every_believable_repeat_has_a_dot_and_no_other(page: SweepPage) -> None:
    """Lines go through points, dots are repeats; invalid ones are left out."""
    drawn = traces(page.growth(), "scatter")
    last = max(trace["yaxis"] for trace in drawn)
    dots = [
        (x, trace["name"]) for trace in drawn if trace["yaxis"] == last and trace["mode"] == "markers" for x in trace["x"]
    ]
    lines = [
        (x, trace["name"]) for trace in drawn if trace["yaxis"] == last and trace["mode"] == "lines" for x in trace["x"]
    ]
    assert sorted(lines) == [(clients, f"interval_ms {interval}") for clients in (20, 40) for interval in (250, 500)]
    assert sorted(dots) == sorted([*lines, *(one for one in lines if one != (40, "interval_ms 250"))])
    assert sorted(trace["name"] for trace in drawn if trace.get("showlegend")) == ["interval_ms 250", "interval_ms 500"]


def test_each_number_of_clients_has_one_entry_in_the_legend(page: SweepPage) -> None:
    """Whatever small chart it is first drawn in; curves end where ten polls lie beyond."""
    drawn = traces(page.spreads(), "scatter")
    assert sorted(trace["name"] for trace in drawn if trace.get("showlegend")) == ["20", "40"]
    assert len(drawn) == 2 * 2 * 2


def test_other_axes_have_maps_of_their_own(tmp_path: Path) -> None:
    """One for each combination, with its name; too many are counted in words."""
    chart = shown(tmp_path, busy, 1, ASKED | {"clients": "[20]", "ratio": "[10:1, 5:1]"}).response("p50")
    assert isinstance(chart, Chart)
    titles = [one["text"] for one in chart.content()["layout"]["annotations"]]
    assert [title.partition("<br>")[2] for title in titles] == ["ratio 10:1", "ratio 10:1", "ratio 5:1", "ratio 5:1"]


def test_many_combinations_are_not_all_drawn(page: SweepPage) -> None:
    """What is left out is said."""
    base = page._points[0]
    many = [Point(**{**vars(base), "at": {**base.at, "workers": workers}}) for workers in range(1, 21)]
    chart = grid.maps("?", many, [grid.Figure("cores", lambda point: point.server["cores"])], "Read.")
    assert chart is not None
    assert "8 further combinations" in chart.caption


def test_where_nothing_may_be_used_a_sentence_stands(tmp_path: Path) -> None:
    """Every piece of the page is a note, and no empty chart is drawn."""
    page = shown(tmp_path, lambda planned: None)
    for piece in (page.response("p99"), page.kept(), page.costs(), page.growth(), page.spreads(), page.provenance()):
        assert isinstance(piece, Markup)
        assert "lab-note" in piece.content
    assert growth.over(page._points, cells_table(page.cells)) is None
    assert spreads.multiples(page._points) is None
    assert "not measured" in repr(page.table())


def test_one_point_alone_has_no_growth(tmp_path: Path) -> None:
    """A line needs two values, so a note stands in its place while the maps are still drawn."""
    page = shown(tmp_path, busy, 1, ASKED | {"clients": "[20]", "interval_ms": "[250]"})
    assert isinstance(page.growth(), Markup)
    assert isinstance(page.costs(), Chart)


def test_with_one_number_of_clients_the_other_axis_is_drawn_over(tmp_path: Path) -> None:
    """The chart of growth takes interval_ms, the parameter that was varied."""
    chart = shown(tmp_path, busy, 1, ASKED | {"clients": "[20]"}).growth()
    assert isinstance(chart, Chart)
    assert "Server, processor: 0.0640 cores at interval_ms 250, 0.0420 cores at 500." in chart.finding


def test_the_page_of_a_sweep_is_small_and_whole(page: SweepPage) -> None:
    """Every chart and table is in one file, below 6 MB, and nothing is asked of the web."""
    shows = [page.verdict, lambda: page.response("p95"), page.kept, page.costs, page.growth, page.spreads, page.table]
    written, _ = LabReportExporter().from_notebook_node(nbformat.from_dict(notebook(*map(executed, shows))))  # type: ignore[no-untyped-call]
    assert written.count('class="lab-plot"') == 5
    assert len(written) < 6e6
    assert 'src="http' not in written
