"""The calibration's own parts: parameters, trials, the certificate. What it measures belongs to `make calibrate`."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.errors import ParameterError, ServerStartError
from experiments.measure.host import fingerprint
from experiments.present.tables.provenance import provenance
from experiments.record import reading, store
from experiments.scenario import Scenario
from experiments.studies.calibrate import certificate, known, limits, text
from experiments.studies.calibrate.certificate import Tried
from experiments.studies.calibrate.page import Calibration
from experiments.studies.calibrate.trial import Case, Trial, attempted
from tests.support.made_up import made_up

ASKED = {"variant": "quick", "engines": "httpx", "pacings": "fixed,after", "honest_runs": 3}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("variant", "slow", "'quick' and 'full'"),
        ("engines", "httpx,curl", "engine='curl'"),
        ("pacings", "sometimes", "pacing='sometimes'"),
        ("honest_runs", 0, "at least 1"),
        ("honest_runs", True, "honest_runs=True: a whole number"),
        ("engines", None, "engines=None: a text is needed"),
        ("wrk2", True, "wrk2=True: a text is needed"),
        ("cost_rounds", True, "cost_rounds=True"),
        ("cost_seconds", True, "cost_seconds=True"),
        ("cost_rounds", -1, "cost_rounds=-1"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_starts(tmp_path: Path, name: str, value: Any, says: str) -> None:
    """The error says what is allowed, and no folder was made."""
    with pytest.raises(ParameterError, match=says):
        Calibration.of(ASKED | {name: value, "results_dir": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_papermill_injected_must_be_a_parameter() -> None:
    """A typing error is not ignored here either."""
    cells = ["# Parameters\nvariannt = 'full'"]
    with pytest.raises(ParameterError, match="did you mean 'variant'"):
        Calibration.from_notebook({**ASKED, "results_dir": "", "variannt": "full", "In": cells})


def test_costs_are_measured_where_rounds_are_asked_for(tmp_path: Path) -> None:
    """With none asked for, every cell of that part says that it was skipped, and starts nothing."""
    calibration = Calibration.of(ASKED | {"results_dir": str(tmp_path)})
    for cell in (calibration.costs, calibration.cost_chart, calibration.largest_swarms, calibration.cost_figures):
        assert repr(cell()) == "Skipped: cost_rounds is 0. `make benchmark` measures this part alone."


def test_a_trial_that_cannot_be_tried_has_failed(tmp_path: Path) -> None:
    """It says why, and does not end the others."""

    def fails(runs_dir: Path) -> Trial:
        raise ServerStartError("no room")

    (trial,) = attempted(Case("part", "this", "that", fails), tmp_path).trials
    assert (trial.ok, trial.came) == (False, "could not be tried: no room")


FIGURES = pl.DataFrame(
    [
        ("constant, fixed, httpx", "status ok", "", 100.0, 100.0, 0.0, 0.0, True),
        ("constant, fixed, httpx", "status response p50", "ms", 20.0, 20.4, 0.4, 1.0, True),
        ("stall, after, httpx", "bulk latency p99", "ms", 90.0, 88.0, -2.0, 1.8, False),
    ],
    schema=known.LINES,
    orient="row",
)
TRIED = Tried("quick", ["httpx"], ["fixed", "after"])


def test_a_certificate_speaks_for_this_machine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs here find it; with another version it says nothing."""
    trials = {"known answers": [Trial("a", "", "", ok=True), Trial("b", "", "", ok=None)]}
    made = certificate.certify(tmp_path, TRIED, trials, FIGURES)
    assert made["passed"]
    assert made["parts"] == {"known answers": {"passed": 1, "failed": 0, "skipped": 1}}
    assert fingerprint.certificate(tmp_path) == made
    monkeypatch.setattr(fingerprint, "identity", lambda: {"python": "another"})
    assert fingerprint.certificate(tmp_path) is None


def test_a_certificate_says_what_was_tried_and_how_exact_it_was(tmp_path: Path) -> None:
    """Engines, pacings, the tools that were there, and the largest error of counts and of percentiles."""
    asked = [Trial("hey, latency p50", "", "", ok=True), Trial("hey, latency p90", "", "", ok=True)]
    together = Trial("all 3 positive controls together", "", "2 valid, 1 suspect with such a cause, 0 without", ok=True)
    trials = {
        limits.POSITIVE: [together, Trial("positive control 1", "", "valid", ok=True, run_id="it")],
        certificate.SECOND_OPINION: [*asked, Trial("wrk, latency", "", "skipped", ok=None)],
    }
    made = certificate.certify(tmp_path, TRIED, trials, FIGURES)
    assert (made["engines"], made["pacings"], made["tools"]) == (["httpx"], ["fixed", "after"], ["hey"])
    assert made["figures"]["counts"] == {"compared": 1, "worst_error": 0.0, "of": "status ok (constant, fixed, httpx)"}
    assert made["figures"]["percentiles_ms"] == {
        "compared": 2,
        "worst_error": 2.0,
        "of": "bulk latency p99 (stall, after, httpx)",
    }
    shown = text.certificate(made).content
    assert "Largest error of 1 counts: none." in shown
    assert "Largest error of 2 percentiles: 2.00 ms, bulk latency p99 (stall, after, httpx)." in shown
    assert "Positive controls: 2 valid, 1 suspect with such a cause, 0 without." in shown
    assert "second opinion 2 of 2 (1 skipped)" in shown
    assert "engines httpx; pacings fixed, after; other tools hey." in shown


def test_a_later_run_quotes_the_certificate(tmp_path: Path) -> None:
    """Its provenance says what was tried, when, and how exact it was."""
    made = certificate.certify(tmp_path, TRIED, {"known answers": [Trial("a", "", "", ok=True)]}, FIGURES)
    record = made_up(tmp_path / "run")
    assert "none for this machine" in provenance(record).content
    started = dict(record.started)
    started["environment"] = {**started["environment"], "calibration": made}
    for name in ("started.json", "run.json"):
        store.write_json(record.path / name, {**reading.load(record.path).facts, **started})
    shown = provenance(reading.load(record.path)).content
    assert made["certified_at"] in shown
    assert "2.00 ms, bulk latency p99 (stall, after, httpx)" in shown


def test_a_failed_trial_makes_no_passed_certificate(tmp_path: Path) -> None:
    """The certificate names the part and the trial that did not come out as it must."""
    failed = {"second opinion": [Trial("hey, latency p50", "", "", ok=False)]}
    made = certificate.certify(tmp_path, TRIED, failed, FIGURES)
    assert (made["passed"], made["failed"]) == (False, ["second opinion: hey, latency p50"])


def test_what_a_generator_carries_outlives_a_calibration_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later one that skipped the part still says so, unless machine or versions have changed."""
    certificate.certify(tmp_path, TRIED, {}, FIGURES, {"httpx": 2000.0})
    assert certificate.certify(tmp_path, TRIED, {}, FIGURES)["carries"] == {"httpx": 2000.0}
    assert certificate.certify(tmp_path, TRIED, {}, FIGURES, {"httpx": 3000.0})["carries"] == {"httpx": 3000.0}
    monkeypatch.setattr(fingerprint, "identity", lambda: {"python": "another"})
    assert certificate.certify(tmp_path, TRIED, {}, FIGURES)["carries"] == {}


def test_the_scenario_is_shown_back_beside_what_this_machine_carries(tmp_path: Path) -> None:
    """The certificate of the results folder is the one that counts."""
    certificate.certify(tmp_path, TRIED, {}, FIGURES, {"httpx": 1000.0})
    shown = repr(certificate.asked(Scenario(results_dir=str(tmp_path))))
    assert "measured to carry 1,000 polls/s of A with little lag on this machine" in shown
    assert "generators=2" in shown
