"""What a cell shows, and what was at its limit."""

from pathlib import Path
from typing import Any

import pytest

from experiments.predict.cell import Cell as Figures
from experiments.predict.demand import Usage
from experiments.record.reading import Record
from experiments.scenario import Scenario
from experiments.studies.capacity.evidence import evidence, limit
from experiments.studies.cells import Cell, Outcome


class Told(Record):
    """A record of which only the summary is known."""

    def summary(self) -> dict[str, Any]:
        return self.told

    told: dict[str, Any]


def outcome(status: str, met: bool | None, **checks: str) -> Outcome:
    """A cell with this verdict and service level."""
    item = {"name": "status_response_p99_ms", "limit": 50.0, "figure": None if met is None else 61.23, "met": met}
    record = Told(Path("nowhere"))
    object.__setattr__(
        record,
        "told",
        {
            "verdict": {
                "status": status,
                "headline": "said so",
                "checks": [{"name": name, "status": how} for name, how in checks.items()],
            },
            "service_level": {"met": met, "items": [item]},
            "endpoints": {"status": {}, "bulk": {}},
        },
    )
    return Outcome(Cell("one", Scenario()), "done", "", record)


@pytest.mark.parametrize(
    ("status", "met", "shown"),
    [
        ("valid", True, "pass"),
        ("valid", False, "fail"),
        ("valid", None, "inconclusive"),
        ("suspect", True, "pass"),
        ("suspect", False, "fail"),
        ("invalid", True, "inconclusive"),
        ("invalid", False, "inconclusive"),
    ],
)
def test_an_invalid_cell_is_no_evidence_whichever_way_it_points(status: str, met: bool | None, shown: str) -> None:
    """Neither is one with too few polls; a suspect one counts."""
    found = evidence(outcome(status, met), suspect_counts=True)
    assert found.shown == shown
    assert found.suspect is (status == "suspect")
    assert bool(found.why) is (shown != "pass")


def test_a_suspect_cell_is_no_evidence_where_that_was_asked() -> None:
    """It shows neither held nor missed, so the level is measured again."""
    assert evidence(outcome("suspect", True), suspect_counts=False).shown == "inconclusive"


def test_a_missed_limit_is_named_with_its_figure() -> None:
    """The reason of a miss gives endpoint, percentile, measured value and limit."""
    assert evidence(outcome("valid", False), suspect_counts=True).why == "response p99 of A, ms is 61.2, limit 50"


def test_a_limit_missed_for_want_of_answers_says_how_many_were_in_time() -> None:
    """Where no percentile is known, the share within the limit stands in its place."""
    found = outcome("valid", False)
    assert found.summary is not None
    found.summary["service_level"]["items"][0].update(figure=None, within_pct=97.25, left_out_pct=0.0)
    expected = "response p99 of A, ms: 97.25 % of the polls were answered right within 50 ms, 99 % should be"
    assert evidence(found, suspect_counts=True).why == expected


@pytest.mark.parametrize(
    ("checks", "gave_up"),
    [
        ({"lag": "invalid"}, True),
        ({"generator_cpu": "invalid", "host_steal": "valid"}, True),
        ({"lag": "invalid", "competitors": "suspect"}, False),
        ({"rows_complete": "invalid"}, False),
    ],
    ids=str,
)
def test_a_weak_generator_is_told_from_one_that_was_hindered(checks: dict[str, str], gave_up: bool) -> None:
    """Only the former is helped by another engine or more generators; in a suspect run it is told as well."""
    suspect = {name: "suspect" if how == "invalid" else how for name, how in checks.items()}
    assert evidence(outcome("suspect", False, **suspect), suspect_counts=True).generator_weak is gave_up
    assert evidence(outcome("invalid", False, **checks), suspect_counts=True).generator_weak is gave_up


def test_a_cell_without_a_record_is_no_evidence() -> None:
    """It says why there is none."""
    found = evidence(Outcome(Cell("one", Scenario()), "failed", "no room"), suspect_counts=True)
    assert (found.shown, found.why) == ("inconclusive", "no record: no room")


@pytest.mark.parametrize(
    ("server", "workers", "busy", "says"),
    [
        (0.98, 1, 1.7, "server CPU 98 % of a core"),
        (1.86, 2, 3.0, "server CPU 93 % of each of 2 cores"),
        (0.7, 1, 1.95, "this machine, with 1.95 of 2 cores busy: 0.70 with the server"),
        (0.4, 1, 0.9, "not processors"),
    ],
)
def test_the_limit_is_named(server: float, workers: int, busy: float, says: str) -> None:
    """The server's own thread, else the machine, else not processors at all."""
    figures = Figures(Scenario(), Usage(1, 1, server, workers), Usage(1, 1, 0.5), {}, 2, 0.1, busy, None)
    assert limit(figures).startswith(says)
