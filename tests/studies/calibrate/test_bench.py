"""Cases of a calibration: tried once, gone on with, interrupted, shown again."""

import json
from pathlib import Path

import pytest

from experiments.errors import ServerStartError, VerdictError
from experiments.studies.calibrate import known
from experiments.studies.calibrate.bench import Trials
from experiments.studies.calibrate.page import Calibration
from experiments.studies.calibrate.trial import Case, Trial, read
from experiments.studies.study import each
from tests.studies.made_up_study import study

FIGURE = {"figure": "status ok", "unit": "", "expected": 9.0, "measured": 9.0, "error": 0.0, "limit": 0.0, "ok": True}


def case(name: str, tried: list[str], ok: bool = True, part: str = "a part") -> Case:
    """One that says that it was tried."""

    def attempt(runs_dir: Path) -> Trial:
        tried.append(name)
        return Trial(name, "nine", "nine", ok, figures=[FIGURE])

    return Case(part, name, "nine", attempt)


def test_a_case_is_tried_once_and_what_came_of_it_is_kept(tmp_path: Path) -> None:
    """The next start finds it, with its figures, and tries what is missing."""
    tried: list[str] = []
    cases = [case("one", tried), case("two", tried, ok=False)]
    study(tmp_path, Trials).run(each(cases[:1]))
    came = study(tmp_path, Trials).run(each(cases))
    assert tried == ["one", "two"]
    assert [one.ok for got in came for one in got.trials] == [True, False]
    assert known.figures(read(tmp_path)["a part"]).height == 2
    assert [event["case"] for event in study(tmp_path, Trials).folder.journal.events() if event["event"] == "begun"] == tried


def test_a_case_that_cannot_be_tried_does_not_end_the_others(tmp_path: Path) -> None:
    """It has failed, and says why."""
    tried: list[str] = []

    def fails(runs_dir: Path) -> Trial:
        raise ServerStartError("no room")

    came = study(tmp_path, Trials).run(each([Case("a part", "broken", "nine", fails), case("one", tried)]))
    assert [one.came for got in came for one in got.trials] == ["could not be tried: no room", "nine"]


def test_an_interrupt_keeps_what_was_tried_before(tmp_path: Path) -> None:
    """The case under way leaves nothing, and the next start begins with it."""
    tried: list[str] = []

    def interrupted(runs_dir: Path) -> Trial:
        raise KeyboardInterrupt

    one = study(tmp_path, Trials)
    came = one.run(each([case("one", tried), Case("a part", "two", "nine", interrupted), case("three", tried)]))
    assert one.interrupted
    assert [got.case.name for got in came] == ["one"]
    study(tmp_path, Trials).run(each([case(name, tried) for name in ("one", "two", "three")]))
    assert tried == ["one", "two", "three"]


def test_nothing_is_tried_that_would_not_end_in_time(tmp_path: Path) -> None:
    """A run takes about 13 s."""
    tried: list[str] = []
    (came,) = study(tmp_path, Trials, max_hours=5 / 3600).run(each([case("one", tried)]))
    assert (tried, came.done) == ([], False)


@pytest.mark.parametrize("strict", [False, True])
def test_an_earlier_calibration_is_shown_and_judged_without_trying_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """Its table, its figures and its failures are there; the certificate of the machine stays as it is."""
    tried: list[str] = []
    cases = [case("one", tried, part=known.PART), case("two", tried, ok=False, part=known.PART)]
    monkeypatch.setattr(known, "cases", lambda *asked: cases)
    asked = {"variant": "quick", "engines": "httpx", "pacings": "fixed", "honest_runs": 1}
    place = {"results_dir": str(tmp_path), "calibration_id": "it"}
    Calibration.of(asked | place).known_answers()
    assert tried == ["one", "two"]
    before = sorted(tmp_path.rglob("*"))
    shown = Calibration.of({"calibration_dir": str(tmp_path / "it"), "strict": strict} | asked | {"engines": "epoll"})
    assert "httpx; fixed" in repr(shown.asked())
    assert "two" in repr(shown.known_answers())
    assert "status ok" in repr(shown.figures())
    assert "1 of 2" in repr(shown.certificate())
    assert tried == ["one", "two"]
    assert sorted(tmp_path.rglob("*")) == before
    if strict:
        with pytest.raises(VerdictError, match="1 trials failed: two"):
            shown.enforce()
    else:
        shown.enforce()


def test_what_was_not_tried_has_not_passed(tmp_path: Path) -> None:
    """A calibration without the time for a single trial certifies nothing, and fails where it is strict."""
    asked = {"variant": "quick", "engines": "httpx", "pacings": "fixed", "honest_runs": 1, "max_hours": 0, "strict": True}
    calibration = Calibration.of(asked | {"results_dir": str(tmp_path), "calibration_id": "it"})
    calibration.known_answers()
    calibration.positive_controls()
    assert "cannot be trusted" in repr(calibration.certificate())
    written = json.loads((tmp_path / "calibration.json").read_text())
    assert (written["passed"], written["parts"]["positive controls"]["passed"]) == (False, 0)
    with pytest.raises(VerdictError, match="was to be tried was not"):
        calibration.enforce()
