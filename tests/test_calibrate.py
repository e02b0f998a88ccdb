"""The calibration's own parts: parameters, damaged copies, the certificate. What it measures belongs to `make calibrate`."""

from pathlib import Path
from typing import Any

import pytest

from experiments.calibrate import certificate, lies
from experiments.calibrate.session import Calibration
from experiments.calibrate.trial import Trial, attempt
from experiments.errors import ParameterError, ServerStartError
from experiments.measure import host
from experiments.record import store
from tests.made_up import damage_facts, made_up

ASKED = {"variant": "quick", "engines": "httpx", "pacings": "fixed,after", "honest_runs": 3}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("variant", "slow", "'quick' and 'full'"),
        ("engines", "httpx,curl", "engine='curl'"),
        ("pacings", "sometimes", "pacing='sometimes'"),
        ("honest_runs", 0, "at least 1"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_starts(tmp_path: Path, name: str, value: Any, says: str) -> None:
    """One sentence, and no folder."""
    with pytest.raises(ParameterError, match=says):
        Calibration(**ASKED | {name: value, "results_dir": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_papermill_injected_must_be_a_parameter() -> None:
    """A typing error is not ignored here either."""
    cells = ["# Parameters\nvariannt = 'full'"]
    with pytest.raises(ParameterError, match="did you mean 'variant'"):
        Calibration.from_notebook({**ASKED, "results_dir": "", "variannt": "full", "In": cells})


DAMAGES = [lie for lie in lies.LIES if lie.name in ("rows removed", "rows doubled", "rows altered", "a part lost")]


@pytest.mark.parametrize("lie", DAMAGES, ids=[lie.name for lie in DAMAGES])
def test_a_damaged_copy_is_found_out_and_the_honest_record_stays(tmp_path: Path, lie: lies.Lie) -> None:
    """Each kind of damage is done to a copy, and noticed by the check that is meant for it."""
    honest = made_up(tmp_path)
    parts = sorted((honest.path / "requests").iterdir())

    def with_checksums(facts: dict[str, Any]) -> None:
        facts["generator"]["instances"][0]["part_sha256"] = [store.checksum(part) for part in parts]

    honest = damage_facts(honest, with_checksums)
    before = [part.read_bytes() for part in parts]
    trial = lies._lie_trial(lie, lies.Ground(tmp_path, honest))
    assert trial.ok, trial
    assert [part.read_bytes() for part in parts] == before


def test_a_trial_that_cannot_be_tried_has_failed() -> None:
    """It says why, and does not end the others."""

    def fails() -> Trial:
        raise ServerStartError("no room")

    trial = attempt("this", "that", fails)
    assert (trial.ok, trial.came) == (False, "could not be tried: no room")


def test_a_certificate_speaks_for_this_machine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs here find it; with another version it says nothing."""
    trials = {"known answers": [Trial("a", "", "", ok=True), Trial("b", "", "", ok=None)]}
    made = certificate.certify(tmp_path, "quick", trials)
    assert made["passed"]
    assert made["parts"] == {"known answers": {"passed": 1, "failed": 0, "skipped": 1}}
    assert host.certificate(tmp_path) == made
    monkeypatch.setattr(host, "identity", lambda: {"python": "another"})
    assert host.certificate(tmp_path) is None


def test_a_failed_trial_makes_no_passed_certificate(tmp_path: Path) -> None:
    """It is named."""
    made = certificate.certify(tmp_path, "quick", {"second opinion": [Trial("p50", "", "", ok=False)]})
    assert (made["passed"], made["failed"]) == (False, ["second opinion: p50"])
