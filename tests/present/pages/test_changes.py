"""The page of a run that is held against an earlier one."""

from pathlib import Path
from typing import Any

import pytest

import experiments as lab
from experiments.errors import ParameterError, RecordError, VerdictError
from experiments.present.pages.run import Page
from experiments.record import reading, store
from experiments.runner import summarise
from tests.studies.sweep.made_up_sweep import made_up_sweep, slow
from tests.support.made_up import SMALL, damage_facts, ideal, made_up

ASKED = SMALL.model_copy(update={"minutes": 0.2})


def page(tmp_path: Path, compare_to: Path, base_s: float = 0.001, **asked: Any) -> Page:
    """A run held against an earlier one."""
    record = summarise(made_up(tmp_path / "now", ASKED, server=ideal(base_s, base_s / 2)))
    return Page(record, record.scenario.model_copy(update={"compare_to": str(compare_to), **asked}))


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """An earlier run."""
    return summarise(made_up(tmp_path / "then", ASKED, server=ideal(0.001, 0.0005))).path


def test_without_an_earlier_run_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    """The page says how to name one."""
    record = summarise(made_up(tmp_path, ASKED))
    assert "compare_to names no earlier run" in repr(Page(record).changes())


def test_two_runs_differ_without_an_interval_and_strict_passes(tmp_path: Path, earlier: Path) -> None:
    """However much slower: one run each says nothing about how well the figure repeats."""
    shown = page(tmp_path, earlier, 0.003, strict=True)
    text = repr(shown.changes())
    assert "one run each: no interval can be given" in text
    assert "+200 %" in text or "+199 %" in text or "+201 %" in text
    shown.enforce()


def test_a_run_held_against_the_repeats_of_a_sweep_can_be_a_regression(tmp_path: Path) -> None:
    """The spread of the repeats serves for both; strict fails then."""
    asked = {name: getattr(ASKED, name) for name in ("clients", "interval_ms", "minutes", "warmup_s")}
    made_up_sweep(tmp_path / "then", asked, repeats=5, how=lambda planned: {"server": slow(0.001, planned.repeat)})
    page(tmp_path / "same", tmp_path / "then", strict=True).enforce()
    with pytest.raises(VerdictError, match=r"worse than .*then by more than 10 %"):
        page(tmp_path / "slow", tmp_path / "then", 0.003, strict=True).enforce()


def test_another_environment_is_named_first_and_fails_under_strict(tmp_path: Path, earlier: Path) -> None:
    """A changed version stands before any figure, and raises where `strict` is asked for."""
    facts = reading.load(earlier).started
    facts["environment"]["packages"]["falcon"] = "3.0.0"
    store.write_json(earlier / "started.json", facts)
    shown = page(tmp_path, earlier)
    text = repr(shown.changes())
    assert text.index("falcon was 3.0.0, now it is 4.4.0") < text.index("A response p50")
    shown.enforce()
    with pytest.raises(VerdictError, match="another environment"):
        page(tmp_path / "strict", earlier, strict=True).enforce()


def test_a_run_that_could_not_be_compared_is_not_begun(tmp_path: Path, earlier: Path) -> None:
    """Nothing there, or strict and another environment: refused before there is a folder."""
    asked = {"results_dir": str(tmp_path / "results"), "clients": 5, "minutes": 0.05}
    with pytest.raises(RecordError, match="no finished run"):
        lab.run(lab.Scenario(**asked, compare_to=str(tmp_path / "nowhere")))
    with pytest.raises(ParameterError, match="environment is not the same"):
        lab.run(lab.Scenario(**asked, compare_to=str(earlier), strict=True))
    assert not (tmp_path / "results").exists()


def test_what_was_compared_with_is_nobodys_business(tmp_path: Path, earlier: Path) -> None:
    """The place of the earlier run is no part of the question that the page shows back."""
    assert str(earlier) not in page(tmp_path, earlier).asked().content


def test_a_changed_question_is_named(tmp_path: Path, earlier: Path) -> None:
    """There is nothing in common then."""
    record = reading.load(earlier)
    asked = record.started["scenario"] | {"workers": 2}
    store.write_json(earlier / "started.json", record.started | {"scenario": asked})
    damage_facts(record, lambda facts: facts.update(scenario=asked))
    text = repr(page(tmp_path, earlier).changes())
    assert "workers was 2, now it is 1" in text
    assert "Nothing in common" in text
