"""What changed: differences with the interval that repeats support, and no word where they support none."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments.analyse import changes, student
from experiments.analyse.changes import FAILED, Change, compare, environment_differences
from experiments.present.tables import changes as tables
from experiments.record import store
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.runner import summarise
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, Answer, Costs, Server, failing, ideal, late, made_up

ASKED = SMALL.model_copy(update={"minutes": 0.2})
P50 = "A response p50, ms"


def runs(tmp_path: Path, name: str, servers: Sequence[Server], asked: Scenario = ASKED, **how: Any) -> list[Record]:
    """A run against each of these servers."""
    return [
        summarise(made_up(tmp_path, asked.model_copy(update={"run_id": f"{name}-{n}", "seed": n}), server=server, **how))
        for n, server in enumerate(servers)
    ]


def about(base_s: float, count: int = 3) -> list[Server]:
    """Servers that answer in about so long, each a little slower than the one before."""
    return [ideal(base_s * (1 + 0.01 * n), base_s / 10, seed=n) for n in range(count)]


def one_failure(server: Server) -> Server:
    """The same server, but for a single poll of thousands."""
    return lambda poll: Answer(0.001, Outcome.RESET, 0, 0) if (poll.client, poll.round) == (3, 20) else server(poll)


def of(found: Sequence[Change], figure: str, at: str = "this run") -> Change:
    (change,) = (change for change in found if (change.figure, change.at) == (figure, at))
    return change


def test_one_run_each_gives_a_difference_and_no_interval(tmp_path: Path) -> None:
    """However many polls each has: the replicate is the run. Nothing is called a regression then."""
    found = compare(runs(tmp_path, "a", about(0.001, 1)), runs(tmp_path, "b", about(0.002, 1))).changes
    change = of(found, P50)
    assert change.difference == pytest.approx(100, abs=5)
    assert (change.low, change.high, change.kind) == (None, None, "one run each")
    assert not any(change.beyond(0) for change in found)


def test_a_server_that_became_slower_is_worse(tmp_path: Path) -> None:
    """The interval holds the true ratio; a margin below it is exceeded, one above it is not."""
    change = of(compare(runs(tmp_path, "a", about(0.001)), runs(tmp_path, "b", about(0.002))).changes, P50)
    assert change.kind == "worse"
    assert change.low is not None
    assert change.high is not None
    assert change.low < 100 < change.high
    assert (change.beyond(10), change.beyond(150)) == (True, False)
    assert change.runs == (3, 3)


def test_the_same_the_other_way_round_is_better(tmp_path: Path) -> None:
    """Half the time is 50 % less, and beyond no margin, since nothing became worse."""
    change = of(compare(runs(tmp_path, "a", about(0.002)), runs(tmp_path, "b", about(0.001))).changes, P50)
    assert (change.kind, change.beyond(0)) == ("better", False)
    assert change.difference == pytest.approx(-50, abs=2)


def test_what_lies_within_the_spread_of_the_repeats_cannot_be_told_apart(tmp_path: Path) -> None:
    """Means that differ by more than the margin are no regression while their intervals overlap."""
    wide = [[ideal(base, base / 10, seed=7) for base in bases] for bases in ((0.001, 0.003), (0.0012, 0.0036))]
    change = of(compare(runs(tmp_path, "a", wide[0]), runs(tmp_path, "b", wide[1])).changes, P50)
    assert change.difference == pytest.approx(20, abs=1)
    assert (change.kind, change.beyond(10)) == ("cannot tell apart", False)


def test_one_run_can_be_held_against_several(tmp_path: Path) -> None:
    """The spread of the several serves for both."""
    change = of(compare(runs(tmp_path, "a", about(0.001, 5)), runs(tmp_path, "b", about(0.002, 1))).changes, P50)
    assert (change.kind, change.runs) == ("worse", (5, 1))


def silent(seconds: float, count: int = 3) -> list[Server]:
    """Servers that answer most devices never, so that these wait for so long and no longer."""
    return [lambda poll, base=base: Answer(1e9) if poll.client % 4 else base(poll) for base in about(0.001, count)]  # type: ignore[misc]


def test_a_time_that_nobody_knows_is_worse_by_at_least_its_bound(tmp_path: Path) -> None:
    """A server that answers no more is no less a regression for that; the other way round nothing can be called worse."""
    waits = ASKED.model_copy(update={"timeout_s": 0.2})
    quick, hung = runs(tmp_path, "a", about(0.001), waits), runs(tmp_path, "b", silent(0.2), waits)
    worse, better = of(compare(quick, hung).changes, P50), of(compare(hung, quick).changes, P50)
    assert (worse.bound, worse.kind, worse.beyond(10)) == ("at least", "worse", True)
    assert (better.bound, better.kind, better.beyond(10)) == ("at most", "better", False)


def test_two_times_that_nobody_knows_cannot_be_told_apart(tmp_path: Path) -> None:
    """However far their bounds lie apart: those only say how long devices had patience."""
    waits = [ASKED.model_copy(update={"timeout_s": seconds}) for seconds in (0.1, 0.2)]
    before, now = (runs(tmp_path, name, silent(1), asked) for name, asked in zip("ab", waits, strict=True))
    (pair,) = {change.bound for change in _unlike(before, now) if change.figure == P50}
    assert pair == "unknown"
    assert {change.kind for change in _unlike(before, now) if change.figure == P50} == {"cannot tell apart"}


def _unlike(before: Sequence[Record], now: Sequence[Record]) -> Sequence[Change]:
    """The changes between runs that differ in their timeout, which `compare` holds for two questions."""
    asked = [[{**record.summary(), "verdict": {"status": "valid"}} for record in some] for some in (before, now)]
    return list(changes._changes("this run", *asked))


def test_a_summary_of_another_version_is_made_anew(tmp_path: Path) -> None:
    """An old one does not say which of its times nobody knows."""
    waits = ASKED.model_copy(update={"timeout_s": 0.2})
    old = runs(tmp_path, "old", silent(0.2), waits)
    for record in old:
        summary = record.summary()
        for one in summary["endpoints"].values():
            del one["response_ms"]["censored"]
        store.write_json(record.path / "summary.json", summary | {"analysis_version": 1})
    change = of(compare(old, runs(tmp_path, "new", about(0.001), waits)).changes, P50)
    assert change.bound == "at most"


def test_failures_count_in_points(tmp_path: Path) -> None:
    """There may have been none before, of which no percentage can be taken; a few more of very many are no regression."""
    bad: list[Server] = [failing(Outcome.RESET, every=10) for _ in range(3)]
    found = compare(runs(tmp_path, "a", about(0.001)), runs(tmp_path, "b", bad)).changes
    change = of(found, FAILED)
    assert change.before is not None
    assert change.now is not None
    assert change.before < 0.1 < 10 < change.now
    assert change.difference == pytest.approx(change.now - change.before)
    assert (change.kind, change.beyond(1000)) == ("worse", True)
    one: list[Server] = [one_failure(server) for server in about(0.001)]
    assert not of(compare(runs(tmp_path, "e", about(0.001)), runs(tmp_path, "f", one)).changes, FAILED).beyond(0)
    same = of(compare(runs(tmp_path, "c", about(0.001)), runs(tmp_path, "d", about(0.001))).changes, FAILED)
    assert (same.difference, same.kind, same.beyond(0)) == (0, "cannot tell apart", False)


def test_points_are_compared_with_their_like_and_taken_together(tmp_path: Path) -> None:
    """The point that only one of the two has is named; the others are also seen as a whole."""
    asked = [ASKED.model_copy(update={"clients": clients}) for clients in (20, 40, 60)]
    before = [r for one in asked for r in runs(tmp_path, f"a{one.clients}", about(0.001, 2), one)]
    now = [r for one in asked[:2] for r in runs(tmp_path, f"b{one.clients}", about(0.0015, 2), one)]
    found = compare(before, now)
    assert found.asked == ("1 points were measured only before",)
    assert {change.at for change in found.changes} == {"all points", "clients=20", "clients=40"}
    whole = of(found.changes, P50, "all points")
    assert (whole.kind, whole.runs) == ("worse", (2, 2))
    assert whole.difference == pytest.approx(50, abs=2)


def test_a_run_that_may_not_be_believed_is_left_out(tmp_path: Path) -> None:
    """An invalid run counts as left out, and is in neither mean."""
    bad = runs(tmp_path, "bad", about(0.1, 1), lag=late(0.3))
    found = compare([*runs(tmp_path, "a", about(0.001, 2)), *bad], runs(tmp_path, "b", about(0.001, 2)))
    assert found.left_out == 1
    assert of(found.changes, P50).runs == (2, 2)


def test_what_was_asked_differently_is_named(tmp_path: Path) -> None:
    """Two runs of different questions have no point in common; seed and service level are no question."""
    other = ASKED.model_copy(update={"clients": 41, "slo_status_p99_ms": 5.0})
    found = compare(runs(tmp_path, "a", about(0.001, 1)), runs(tmp_path, "b", about(0.001, 1), other))
    assert found.asked == ("clients was 40, now it is 41",)
    assert found.changes == ()


def test_environments_are_compared_by_what_may_move_a_figure() -> None:
    """Processor, system, Python and every package; the certificate of calibration is none of them."""
    before = {"cpu_model": "x", "cores": 2, "packages": {"falcon": "4.3", "httpx": "1"}, "calibration": {"passed": True}}
    now = {"cpu_model": "x", "cores": 4, "packages": {"falcon": "4.4", "uvloop": "1", "httpx": "1"}, "calibration": None}
    assert environment_differences(before, now) == [
        "cores was 2, now it is 4",
        "falcon was 4.3, now it is 4.4",
        "uvloop was None, now it is 1",
    ]


@pytest.mark.parametrize("sizes", [(2, 2), (5, 5), (1, 5), (3, 4)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(sizes: tuple[int, int]) -> None:
    """95 times in 100 for normal values, whatever the sizes: within three standard errors of 2,000 draws."""
    chance = random.Random(1)

    def draw(count: int, mean: float) -> list[float]:
        return [chance.gauss(mean, 0.3) for _ in range(count)]

    hits = 0
    for _ in range(2000):
        difference, half = changes._difference(draw(sizes[0], 1.0), draw(sizes[1], 1.5))
        assert half is not None
        hits += abs(difference - 0.5) <= half
    assert abs(hits / 2000 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 2000)


@pytest.mark.parametrize(("freedom", "wanted"), [(1, 12.706), (2, 4.303), (8, 2.306), (30, 2.042), (1000, 2.042)])
def test_quantiles_of_students_t_are_the_tables(freedom: int, wanted: float) -> None:
    """Beyond the table the last one serves, which is on the safe side."""
    assert student.t975(freedom) == wanted


def test_a_place_without_a_figure_makes_no_row(tmp_path: Path) -> None:
    """Percentiles that too few polls support are not compared."""
    tiny = Scenario(clients=5, minutes=0.05, warmup_s=0.2)
    found = compare(runs(tmp_path, "a", about(0.001, 2), tiny), runs(tmp_path, "b", about(0.001, 2), tiny)).changes
    assert {change.figure for change in found} == {P50, "server processor, µs per request", FAILED}


def test_what_the_generator_needed_tells_how_the_machine_drifted(tmp_path: Path) -> None:
    """The same program needed a fifth more CPU for a poll: so much is named, and no figure is called worse by less."""
    before = runs(tmp_path, "a", about(0.0010))
    slower = Costs(generator=1.2 * Costs().generator)
    then, now = about(0.0010), about(0.00115)
    quiet = compare(before, runs(tmp_path, "b", now))
    drifted = compare(before, runs(tmp_path, "c", now, costs=slower))
    assert (quiet.drift_pct, drifted.drift_pct) == (pytest.approx(0, abs=0.5), pytest.approx(20, abs=1))
    assert of(quiet.changes, P50).kind == "worse"
    assert of(drifted.changes, P50).kind == "cannot tell apart"
    assert of(drifted.changes, P50).difference == pytest.approx(of(quiet.changes, P50).difference, abs=1)
    assert "needed 20 % more processor time for a poll" in tables.changes(drifted, "a", 10).content
    assert of(compare(before, runs(tmp_path, "d", then)).changes, P50).kind == "cannot tell apart"
