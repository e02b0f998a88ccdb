"""What people see of a target with any number of endpoints: its own names, a look each, and legends that find room."""

from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.points import Measured
from experiments.errors import VerdictError
from experiments.present.chart import Chart
from experiments.present.look import MOST_DRAWN, looks
from experiments.present.pages.run import Page
from experiments.present.pages.sweep import SweepPage
from experiments.present.tables.wrong_answers import first
from experiments.record.schema import Outcome
from tests.present.pages.test_run import CELLS
from tests.support.made_up import SMALL, Answer, Poll, made_up, target_of
from tests.support.targets import TEXTS, named

LONG = "telemetry_of_the_last_hour"


def server(poll: Poll) -> Answer:
    """Refuses status now and then, and config is often not modified."""
    if poll.endpoint == "status" and poll.round % 30 == 0:
        return Answer(0.001, Outcome.CHECKS, 200, 50, "json.next_poll_ms")
    return Answer(0.001, status=304, body_bytes=0) if poll.endpoint == "config" and poll.round % 2 else Answer(0.001)


@pytest.fixture(scope="module", params=TEXTS)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A run of one, three and five endpoints."""
    folder = tmp_path_factory.mktemp("results")
    return Page(made_up(folder, SMALL, server=server, target=named(request.param, folder / "targets")))


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A run of five endpoints."""
    folder = tmp_path_factory.mktemp("results")
    return Page(made_up(folder, SMALL, server=server, target=named("five", folder / "targets")))


def shown(page: Page, cell: str) -> str:
    """What a cell says, as text."""
    made = getattr(page, cell)()
    return f"{made.content()}{made.caption}" if isinstance(made, Chart) else str(made._repr_html_())


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_shows_a_run_of_any_target(page: Page, cell: str) -> None:
    """By the names of its endpoints; A and B are nobody's there."""
    said = shown(page, cell)
    assert said
    assert not any(letter in said for letter in ("A (status)", "B (bulk)", "of A,", "A response", "A + B", "A answered"))


def drawn(chart: object) -> dict[str, Any]:
    """A chart's data and layout."""
    assert isinstance(chart, Chart)
    return chart.content()


def test_each_endpoint_has_a_panel_of_its_own(five: Page) -> None:
    """With its name above it, a colour that no other has, and its legend beside it within the margin."""
    content = drawn(five.response_over_time())
    names = five.record.endpoints
    assert [one["text"].split("<")[1] for one in content["layout"]["annotations"]] == [f"b>{name}" for name in names]
    beside = ("send delay", "p99 limit")
    lines = [one for one in content["data"] if one["mode"] != "markers" and not one["name"].startswith(beside)]
    colours = {one["yaxis"]: one["line"]["color"] for one in lines}
    assert len(set(colours.values())) == len(names)
    longest = max(len(trace["name"]) for trace in content["data"])
    assert content["layout"]["margin"]["r"] >= 6 * longest


def test_many_lines_have_their_names_beside_the_chart(five: Page) -> None:
    """Within it, they would cover the lines; the chart is as high as its legend."""
    layout = drawn(five.percentiles())["layout"]
    assert layout["legend"]["x"] > 1
    assert layout["height"] >= 20 * len(drawn(five.percentiles())["data"])


def test_failures_are_told_by_the_expectation_that_failed(five: Page) -> None:
    """In the chart, in the table of reasons and in the sentence of the endpoint."""
    rows = [trace["y"][0] for trace in drawn(five.outcomes_over_time())["data"] if trace.get("mode") == "markers"]
    failed = five.summary["endpoints"]["status"]["failed"]
    assert rows[0] == f"not as expected: json.next_poll_ms: {failed}"
    assert f"not as expected {failed} (json.next_poll_ms: {failed})" in shown(five, "headline")
    assert "answers said that nothing had changed (304)" in shown(five, "verdict")


def test_the_page_says_what_the_target_asks_and_no_parameter_that_it_has_not(five: Page) -> None:
    """A row per endpoint, how often, what is right; without secrets and without the parameters of hello."""
    said = shown(five, "asked")
    for words in (
        "A fleet of thermostats.",
        "POST /api/v1/status",
        "in 1 of 4 rounds",
        "p99 up to 50 ms",
        "status 200 or 404",
    ):
        assert words in said
    assert "secret-of-nobody" not in said
    assert "status_bytes" not in said


def test_the_first_wrong_answers_name_endpoint_and_expectation() -> None:
    """In the target's order, one of each kind."""
    answer = {
        "endpoint": "z",
        "outcome": "checks",
        "status": 200,
        "client": 1,
        "due_s": 1.0,
        "headers": [],
        "first_bytes": "",
    }
    answers = [
        answer | {"failed_check": "json.a"},
        answer | {"failed_check": "json.b", "due_s": 2.0},
        answer | {"failed_check": "json.b", "due_s": 3.0},
        answer | {"endpoint": "a", "due_s": 9.0},
    ]
    facts = {"generator": {"instances": [{"first_wrong_answers": answers}]}}
    said = first(facts, ("z", "a")).content
    assert said.count("<tr>") == 4
    assert said.index("not as expected: json.a") < said.index("not as expected: json.b") < said.index(">a<")


def test_a_look_is_by_the_place_in_the_target() -> None:
    """The same in every chart; beyond the colours, lines are told apart by their dashes."""
    of = looks(f"e{number}" for number in range(9))
    assert len({(one.colour, one.dashes) for one in of.values()}) == 9
    assert looks(["status", "bulk"])["bulk"].title == "B (bulk)"
    assert looks(["status", "bulk"])["bulk"].short == "B (bulk)"
    assert len(looks([LONG])[LONG].short) == 22
    assert looks(["x" * 60 + "1", "x" * 60 + "2"])["x" * 60 + "1"].short.endswith("1")


def test_a_chart_of_more_endpoints_than_find_room_says_so(tmp_path: Path) -> None:
    """The first ones are drawn; the tables have all."""
    lines = "\n".join(f"  e{number}: {{request: GET /{number}, share: 1}}" for number in range(MOST_DRAWN + 3))
    target = target_of(tmp_path, f"url: http://127.0.0.1:9\nendpoints:\n{lines}\n")
    page = Page(made_up(tmp_path, SMALL.model_copy(update={"interval_ms": 500}), target=target))
    for chart in (page.response_over_time(), page.percentiles()):
        assert isinstance(chart, Chart)
        assert f"The first {MOST_DRAWN} endpoints are drawn; 3 more are in the tables." in chart.caption
    assert f"e{MOST_DRAWN + 2} response" in shown(page, "headline")


def test_a_sweep_of_a_target_is_drawn_and_listed_by_its_names(tmp_path: Path) -> None:
    """Maps, curves, small multiples and the table, and the service level of the target."""
    cells = []
    for clients in (20, 40):
        scenario = SMALL.model_copy(update={"clients": clients, "run_id": f"c{clients}"})
        record = made_up(tmp_path, scenario, server=server, target=named("five", tmp_path / "targets"))
        at = {"clients": clients, "interval_ms": 250.0}
        cells.append(Measured(f"c{clients}", at, 1, "valid", "", record, ""))
    page = SweepPage(cells, limits_ms={"status": 0.0, "bulk": 0.0}, strict=True)
    maps = drawn(page.response("p50"))
    assert maps["layout"]["annotations"][0]["text"] == "<b>status, p50, ms</b>"
    assert len(maps["layout"]["annotations"]) == 5
    kept = [one["text"] for one in drawn(page.kept())["layout"]["annotations"]]
    assert "<b>status within 50 ms, %</b>" in kept
    assert "<b>config within 250 ms, %</b>" in kept
    growth = [one["text"] for one in drawn(page.growth())["layout"]["annotations"]]
    assert growth == [*(f"<b>{name}, response p99</b>" for name in cells[0].record.endpoints), "<b>server, processor</b>"]  # type: ignore[union-attr]
    assert f"<b>{LONG}</b>" not in str(drawn(page.spreads())["layout"])
    assert "The first 3 of 5 endpoints." in page.spreads().caption  # type: ignore[union-attr]
    assert "config p99" in page.table().content
    with pytest.raises(VerdictError, match=r"of status not answered right at clients=20.*limit 0.1"):
        page.enforce()
