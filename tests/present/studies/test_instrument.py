"""What the instrument costs, as people see it."""

import json

from experiments.analyse.instrument import Compared, Figure, Spread, Step
from experiments.present.charts.studies.instrument import cpu_per_poll
from experiments.present.tables.studies import instrument

COMPARED = [
    Compared("random", "falcon", "httpx", 5, Spread(200.0, 190.0, 230.0), 1000.0, 0.1, 1.5, 0),
    Compared("random", "falcon", "aiohttp", 5, Spread(360.0, 350.0, 361.0), 1000.0, None, None, 3, Spread(1.8, 1.5, 1.9)),
    Compared("together", "nginx", "h2load", 5, Spread(20.0, 19.0, 21.0), 1000.0, None, None, 0),
]


def test_the_chart_says_who_is_cheapest_and_draws_every_contender_once() -> None:
    """A panel a load, the cheapest on top, whiskers from the lowest to the highest round, units on the axis."""
    chart = cpu_per_poll(COMPARED, ["httpx"])
    content = chart.content()
    layout = content["layout"]
    assert chart.finding == "Endpoint A, random phases, against falcon: httpx 200 µs, aiohttp 360 µs a poll."
    assert layout["xaxis"]["title"]["text"].endswith(", µs")
    assert [layout[axis]["categoryarray"] for axis in ("yaxis", "yaxis2")] == [["aiohttp", "httpx"], ["h2load"]]
    ends = {
        name: (x - low, x, x + high)
        for trace in content["data"]
        for name, x, low, high in zip(
            trace["y"], trace["x"], trace["error_x"]["arrayminus"], trace["error_x"]["array"], strict=True
        )
    }
    assert ends == {"httpx": (190, 200, 230), "aiohttp": (350, 360, 361), "h2load": (19, 20, 21)}
    json.dumps(content, allow_nan=False)


def test_tools_and_engines_differ_in_more_than_colour() -> None:
    """Symbol and legend say the same."""
    traces = cpu_per_poll(COMPARED, ["httpx"]).content()["data"]
    kinds = {(trace["name"], trace["marker"]["symbol"], trace["marker"]["color"]) for trace in traces}
    assert len(kinds) == len({symbol for _, symbol, _ in kinds}) == 2


def test_a_lag_that_nobody_knows_is_no_figure() -> None:
    """Only the lab can tell how late it sent."""
    shown = repr(instrument.costs(COMPARED, "httpx", {"aiohttp": "3.14.0"}))
    (line,) = [line for line in shown.splitlines() if "aiohttp" in line]
    assert line.split("  ") == [
        *("random, falcon", "aiohttp 3.14.0", "360", "350 – 361", "1.8 (1.5 – 1.9)", "1,000"),
        *("–", "–", "3", "5"),
    ]


def test_without_anything_measured_a_sentence_stands_there() -> None:
    """No empty table, and no list of nothing."""
    assert repr(instrument.costs([], "epoll", {})) == "Nothing could be measured."
    assert repr(instrument.skipped({})) == ""
    assert "hey: skipped: not installed" in repr(instrument.skipped({"hey": "not installed"}))


def test_a_miss_is_shown_as_one() -> None:
    """A figure reads reached or missed, and has no mark where nothing was measured."""
    lines = [Figure("a", "1", "2", met=True), Figure("b", "3", "2", met=False), Figure("c", "not measured", "2")]
    rows = [row.split("  ") for row in repr(instrument.figures(lines)).splitlines()[1:]]
    assert rows == [["a", "1", "2", "✔ reached"], ["b", "3", "2", "✖ missed"], ["c", "not measured", "2"]]


def test_each_number_of_devices_says_whether_it_was_carried() -> None:
    """The swarm that was too large stays in the table, marked with no."""
    told = {"engine": "httpx", "lag_p50_ms": 0.1, "unsent": 0, "failed": 0, "cpu_us_per_poll": 170.0}
    taken = [
        Step(clients=1000, polls_per_s=2000.0, lag_p99_ms=2.0, held=True, **told),
        Step(clients=1500, polls_per_s=3000.0, lag_p99_ms=9.0, held=False, **told),
    ]
    assert [row.split("  ")[-1] for row in repr(instrument.steps(taken)).splitlines()] == ["carried", "yes", "no"]
