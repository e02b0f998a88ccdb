"""The page of costs is made of what was measured: tables, ratios, versions, how fast the machine was."""

from benchmarks import page
from experiments.analyse.instrument import Cost, Figure, compare, speeds
from experiments.studies.calibrate.cost.results import Results
from tests.studies.calibrate.cost.test_targeted import cost, step

ROUNDS = [(1, 50.0, 100.0, 1.0e6, 1.0), (2, 40.0, 120.0, 0.5e6, 0.8), (3, 60.0, 90.0, 2.0e6, 0.9)]


def costs() -> list[Cost]:
    """Three rounds of an engine and a tool."""
    return [
        cost(name, us, round_=number, machine_per_s=per_s, core_free=free, lag_p99_ms=lag)
        for number, ours, theirs, per_s, free in ROUNDS
        for name, us, lag in (("epoll", ours, 0.1), ("hey", theirs, None))
    ]


def test_ratios_are_those_of_the_same_round() -> None:
    """Machines drift: the ratio of medians would be another figure, and beside itself there is none."""
    epoll, hey = compare(costs(), "epoll")
    assert epoll.times is None
    assert hey.times is not None
    assert (hey.times.median, hey.times.low, hey.times.high) == (2.0, 1.5, 3.0)
    assert [one.times for one in compare(costs())] == [None, None]


def test_the_machine_of_each_round_stands_beside_its_fastest() -> None:
    """Rounds of older results, in which nobody looked, are left out."""
    told = [(one.round, one.of_fastest, one.core_free) for one in speeds(costs())]
    assert told == [(1, 0.5, 1.0), (2, 0.25, 0.8), (3, 1.0, 0.9)]
    assert speeds([cost("epoll", 1.0)]) == []


def test_the_page_holds_all_that_was_measured_and_what_was_not() -> None:
    """Cheapest first, tools with their versions; no cell breaks a table."""
    results = Results(
        costs(), steps=[step(500, held=True)], skipped={"zrk": "no a|b"}, versions={"hey": "0.1.4", "falcon": "4.4.0"}
    )
    text = page.written(results, [Figure("memory", "1 | 2 kB", "<= 3 kB", met=True)])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert "| `epoll` | **50** | 40.0 – 60.0 |  | 1,000 |" in text.replace("50.0", "50")
    assert "| hey 0.1.4 |" in text
    assert "2.0 (1.5 – 3.0)" in text
    assert "; against falcon 4.4.0" in text
    assert "- zrk: no a|b" in text
    assert "| memory | 1 / 2 kB | <= 3 kB | reached |" in rows
    assert text.index("`epoll`") < text.index("hey 0.1.4")
