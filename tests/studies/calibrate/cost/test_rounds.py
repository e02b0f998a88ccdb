"""Rounds: who is measured when, what a wrong parameter is told, and what is left out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.instrument import Cost
from experiments.errors import GeneratorError, ParameterError
from experiments.scenario import CALIBRATED
from experiments.studies.calibrate.cost import part, rounds, targets
from experiments.studies.calibrate.cost.load import Load, parse
from experiments.studies.calibrate.cost.part import LOADS, PEERS, CostPart
from experiments.studies.calibrate.cost.rounds import Contender, plan, take
from experiments.studies.calibrate.cost.targets import Target

ASKED = {"rounds": 5, "seconds": 8.0, "peers": PEERS, "loads": LOADS, "binaries": ""}
EVERYWHERE = parse(LOADS, ("falcon", "nginx"), 8.0)


def contender(name: str, *, phases: Any = ("random", "together"), is_ours: bool = True, fails: bool = False) -> Contender:
    """Somebody who costs nothing."""

    def measure(load: Load, target: Target, folder: Path, round_: int) -> Cost:
        if fails:
            raise GeneratorError("no such file")
        return Cost(
            round=round_,
            load=load.name,
            target=load.target,
            contender=name,
            cpu_us_per_poll=1.0,
            polls_per_s=1.0,
            failed=0,
        )

    return Contender(name, phases, is_ours, measure)


def test_everybody_is_measured_once_a_round_under_each_load() -> None:
    """Rounds are not mixed, and their orders differ."""
    loads = [load for load in EVERYWHERE if load.paced]
    turns = plan(loads, [contender("a"), contender("b")], 5, seed=1)
    orders = [[(str(turn.load), turn.contender.name) for turn in turns if turn.round == number] for number in range(1, 6)]
    assert [turn.round for turn in turns] == sorted(turn.round for turn in turns)
    assert {tuple(sorted(order)) for order in orders} == {
        tuple(sorted((str(load), name) for load in loads for name in "ab"))
    }
    assert len({tuple(order) for order in orders}) > 1


def test_a_load_says_how_many_polls_it_asks_for() -> None:
    """500 devices twice a second; of 10:1 every tenth round has a second one; unpaced is as many as are answered."""
    asked = {str(load): load.polls_per_s for load in EVERYWHERE}
    assert (asked["random, falcon"], asked["mix, falcon"], asked["unpaced, nginx"]) == (1000.0, 1100.0, None)


def test_the_order_depends_on_the_seed_alone() -> None:
    """A plan can be made again."""
    once, again, other = (
        [(turn.round, str(turn.load)) for turn in plan(EVERYWHERE, [contender("a")], 9, seed=seed)] for seed in (1, 1, 2)
    )
    assert once == again != other


def test_like_phases_are_compared_with_like() -> None:
    """A tool whose clients fire together gets no random load, and the mix of endpoints goes to the lab's engines alone."""
    loads = {str(load): load for load in EVERYWHERE}
    ours, both = contender("epoll"), contender("aiohttp", is_ours=False)
    in_step = contender("hey", phases=("together",), is_ours=False)
    hasty = replace(in_step, name="ab", paced=False)
    assert {one.name: [name for name, load in loads.items() if one.takes(load)] for one in (ours, both, in_step, hasty)} == {
        "epoll": ["random, falcon", "together, falcon", "together, nginx", "mix, falcon"],
        "aiohttp": ["random, falcon", "together, falcon", "together, nginx"],
        "hey": ["together, falcon", "together, nginx"],
        "ab": ["unpaced, nginx"],
    }


@contextmanager
def nobody(folder: Path) -> Iterator[Target]:
    """A target that need not be there."""
    yield Target("http://127.0.0.1:1", lambda: 0)


def test_who_fails_is_named_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are measured, and the estimate of the end is said from the second turn on."""
    monkeypatch.setitem(rounds.TARGETS, "falcon", nobody)
    said: list[str] = []
    loads = EVERYWHERE[:1]
    turns = plan(loads, [contender("good"), contender("bad", fails=True)], 1, seed=1)
    came = list(take(turns, tmp_path, said.append, later_s=0))
    assert [one for one in came if isinstance(one, tuple)] == [("bad, random, falcon, round 1", "no such file")]
    good = [one for one in came if isinstance(one, Cost)]
    assert [one.contender for one in good] == ["good"]
    assert [(one.machine_per_s or 0) > 0 and 0 < (one.core_free or 0) <= 1 for one in good] == [True]
    lines = [line for line in said if line.startswith("round")]
    assert ["all done about" in line for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("rounds", -1, "cost_rounds=-1"),
        ("rounds", "five", "cost_rounds='five'"),
        ("seconds", 0.5, "cost_seconds=0.5"),
        ("seconds", "long", "cost_seconds='long'"),
        ("peers", "hey,curl", "'curl' is not known; known are ab, siege, "),
        ("loads", "random apache", "'random apache' is no load"),
        ("loads", "slow nginx", "'slow nginx' is no load"),
        ("binaries", "wrk2=/nowhere/wrk2", "there is no such program"),
        ("binaries", "/opt/wrk2", "names no program; write name=/path"),
        ("binaries", "curl=/usr/bin/curl", "a program can be named for wrk2, zrk"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_starts(name: str, value: Any, says: str) -> None:
    """The error of an unknown tool, load or number says what is allowed."""
    with pytest.raises(ParameterError, match=says):
        CostPart(**{**ASKED, name: value})


def test_without_rounds_the_part_is_skipped_and_says_so(tmp_path: Path) -> None:
    """No process is started, no folder made, and both tables name cost_rounds as the reason."""
    said: list[str] = []
    skipped = CostPart(**{**ASKED, "rounds": 0})
    assert "cost_rounds is 0" in repr(skipped.measure(tmp_path / "cost", said.append))
    assert "cost_rounds is 0" in repr(skipped.figures())
    assert (said, list(tmp_path.iterdir())) == ([], [])


def test_what_is_not_installed_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nginx no load against it is planned; without tools the lab's own engines remain."""
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    asked = CostPart(**{**ASKED, "peers": "wrk2"})
    assert {str(turn.load) for turn in asked.turns()} == {"random, falcon", "together, falcon", "mix, falcon"}
    assert {turn.contender.name for turn in asked.turns()} == set(CALIBRATED)
    skipped = asked.skipped()
    assert "apt-get install nginx" in skipped["together, nginx"]
    assert "-p binaries wrk2=" in skipped["wrk2"]


def test_programs_that_no_distribution_has_are_named_by_their_paths() -> None:
    """Each with its name before it, whatever blanks stand around them."""
    assert part.named_binaries("") == {}
    assert part.named_binaries("wrk2=/opt/wrk2 , zrk = /opt/zrk") == {"wrk2": "/opt/wrk2", "zrk": "/opt/zrk"}


def test_every_engine_of_the_lab_is_measured() -> None:
    """An engine that joins the lab joins the comparison; only the naive one is spared the load in step."""
    asked = CostPart(**{**ASKED, "peers": ""})
    measured = {(turn.load.name, turn.contender.name) for turn in asked.turns()}
    assert {name for load, name in measured if load == "random"} == set(CALIBRATED)
    assert {name for load, name in measured if load == "mix"} == set(CALIBRATED)
    if not targets.missing("nginx"):
        assert {name for load, name in measured if load == "together"} == set(CALIBRATED) - {part.NAIVE}
