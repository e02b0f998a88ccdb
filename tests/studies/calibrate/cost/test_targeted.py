"""Figures beside their targets: reached, missed, or not there and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.instrument import Cost, Figure, Memory, Step
from experiments.errors import ParameterError
from experiments.measure.host import fingerprint
from experiments.studies.calibrate.cost import growth
from experiments.studies.calibrate.cost.growth import carried
from experiments.studies.calibrate.cost.results import FILE, Results
from experiments.studies.calibrate.cost.targeted import figures


def cost(contender: str, cpu_us: float, *, load: str = "random", round_: int = 1, **more: Any) -> Cost:
    """One measurement against Falcon."""
    told = {"target": "falcon", "polls_per_s": 1000.0, "failed": 0} | more
    return Cost(round=round_, load=load, contender=contender, cpu_us_per_poll=cpu_us, **told)


def step(clients: int, *, held: bool, engine: str = "epoll", **more: Any) -> Step:
    """One generator with so many devices at 500 ms."""
    told = {"lag_p50_ms": 0.1, "lag_p99_ms": 1.0, "unsent": 0, "failed": 0, "cpu_us_per_poll": 33.0} | more
    return Step(engine=engine, clients=clients, polls_per_s=2.0 * clients, held=held, **told)


def line(results: Results, what: str) -> Figure:
    """The first figure whose name ends so."""
    return next(one for one in figures(results) if one.what.endswith(what))


@pytest.mark.parametrize(("stock_us", "met"), [(1200.0, True), (1190.0, False)])
def test_a_ratio_is_held_to_its_target(stock_us: float, met: bool) -> None:
    """A miss is a miss, however narrow."""
    results = Results(costs=[cost("epoll", 100.0), cost("httpx-stock", stock_us)])
    found = line(results, "random, falcon: CPU per poll, epoll : httpx-stock")
    assert (found.wanted, found.met) == ("1 : 12 or better", met)


def test_who_does_not_keep_the_rate_is_not_compared() -> None:
    """A poll costs less in a crowd and more where there are few: such a ratio is neither reached nor missed."""
    slow = cost("httpx-stock", 1200.0, polls_per_s=940.0, asked_per_s=1000.0)
    results = Results(costs=[cost("epoll", 100.0, polls_per_s=951.0, asked_per_s=1000.0), slow])
    found = line(results, "random, falcon: CPU per poll, epoll : httpx-stock")
    assert (found.measured, found.met) == ("1 : 12.0  (12.0 – 12.0), but httpx-stock did not keep the rate", None)


def test_what_was_not_measured_says_why() -> None:
    """It is neither reached nor missed."""
    results = Results(costs=[cost("httpx-stock", 1.0)], skipped={"epoll": "this lab has no such engine"})
    found = line(results, "random: CPU per poll, epoll : httpx-stock")
    assert (found.measured, found.met) == ("epoll: this lab has no such engine", None)
    assert line(results, "memory per device, httpx").measured == "not measured"


def test_the_largest_swarm_is_the_last_that_was_carried() -> None:
    """The first that was not ends the search; what a poll cost stands beside."""
    results = Results(steps=[step(1000, held=True), step(4000, held=True), step(6000, held=False)])
    found = line(results, "lag p99 <= 1 ms, epoll")
    assert (found.measured, found.wanted, found.met) == ("4,000, at 33 µs per poll", "18,000", False)
    late = Results(steps=[step(1000, held=True), step(18_000, held=True, lag_p99_ms=1.1)])
    assert [line(late, f"lag p99 <= {limit} ms, epoll").measured for limit in (5, 1)] == [
        "18,000, at 33 µs per poll (all that were tried)",
        "1,000, at 33 µs per poll",
    ]
    assert line(Results(steps=[step(18_000, held=True)]), "lag p99 <= 1 ms, epoll").met is True


@pytest.mark.parametrize(
    ("attempts", "tried"),
    [
        ([True, True, True], [1000, 2000, 4000]),
        ([True, False, True, True], [1000, 2000, 2000, 4000]),
        ([True, False, False, True], [1000, 2000, 2000]),
    ],
)
def test_the_search_ends_after_two_attempts_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: list[bool], tried: list[int]
) -> None:
    """One that failed alone may be somebody else's fault; each attempt is a step of its own."""
    held = iter(attempts)
    monkeypatch.setattr(growth, "STEPS", (1000, 2000, 4000))
    monkeypatch.setattr(growth, "_step", lambda engine, clients, folder: step(clients, held=next(held)))
    assert [one.clients for one in growth.devices("epoll", tmp_path, lambda line: None)] == tried


def test_a_machine_that_lacks_files_ends_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was carried until then stands, and the reason is said."""

    def limited(engine: str, clients: int, folder: Path) -> Step:
        if clients > 1000:
            raise ParameterError("this machine allows 1,024 open files.")
        return step(clients, held=True)

    said: list[str] = []
    monkeypatch.setattr(growth, "_step", limited)
    assert [one.clients for one in growth.devices("epoll", tmp_path, said.append)] == [500, 1000]
    assert said[-1] == "this machine allows 1,024 open files."


@pytest.mark.parametrize(
    ("lag_p99_ms", "lost", "held"), [(5.0, 12, True), (5.01, 0, False), (1.0, 13, False), (None, 0, False)]
)
def test_devices_are_carried_with_little_lag_and_next_to_no_loss(lag_p99_ms: float | None, lost: int, held: bool) -> None:
    """5 ms of lag and a poll of a thousand are allowed, no more; a lag that nobody knows is no small one."""
    assert carried(lag_p99_ms, 12_000, lost) is held


def test_verdicts_of_the_default_load_are_counted() -> None:
    """One positive control that is not valid misses the target, and is seen."""
    costs = [cost("httpx", 1.0, load="mix", round_=number, verdict="valid") for number in (1, 2)]
    mixed = Results(costs=[*costs, cost("httpx", 1.0, load="mix", round_=3, verdict="suspect")])
    found = line(mixed, "verdicts of httpx")
    assert (found.measured, found.met) == ("2 valid, 1 suspect", False)


def test_a_machine_that_was_not_quiet_is_named() -> None:
    """Runs that say nothing of it do not count."""
    causes = ["", "competitors", "competitors", None]
    costs = [cost("httpx", 1.0, round_=number, disturbed_by=cause) for number, cause in enumerate(causes)]
    found = line(Results(costs=costs), "others disturbed")
    assert (found.measured, found.met) == ("2 of 3 (2 competitors)", False)


def test_results_are_kept_for_others_to_quote(tmp_path: Path) -> None:
    """Every row, the machine, and what each engine carries."""
    results = Results(
        costs=[cost("httpx", 200.0)],
        memory=[Memory(engine="httpx", few=200, many=2000, few_rss_bytes=0, many_rss_bytes=18_000_000)],
        steps=[step(1000, held=True, engine="httpx"), step(1500, held=False, engine="httpx")],
        skipped={"hey": "not installed"},
    )
    results.keep(tmp_path)
    kept = json.loads((tmp_path / FILE).read_text())
    assert kept["carries"] == {"httpx": 2000.0}
    assert kept["machine"] == fingerprint.identity()
    assert [one["cpu_us_per_poll"] for one in kept["costs"]] == [200.0]
    assert [one["bytes_per_device"] for one in kept["memory"]] == [10_000.0]
    assert (len(kept["steps"]), kept["skipped"]) == (2, {"hey": "not installed"})
