"""The answer of a run, and its two judgements, from made-up records."""

from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.summary import current
from experiments.present.answer import Answer, answer
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import Answer as Answered
from tests.support.made_up import damage_facts, failing, late, made_up

ASKED = Scenario(clients=20, interval_ms=250, minutes=1 / 3, warmup_s=1, ratio="1:0")
LEVEL = {"slo_status_p99_ms": 50.0, "slo_failure_pct": 0.1}


def of(record: Record) -> Answer:
    """The answer of a record."""
    return answer(record, current(record))


@pytest.mark.parametrize(
    ("made", "says", "level", "measurement"),
    [
        (
            {"asked": LEVEL},
            "Falcon 4.4.0 held 20 devices every 250 ms: p99 1.{} ms of 50 allowed, none failed; 50 % of one core.",
            "met",
            "valid",
        ),
        ({}, "Falcon 4.4.0 answered every poll of 20 devices every 250 ms: p99 1.{} ms, none failed", "not asked", "valid"),
        (
            {"server": failing(Outcome.HTTP_ERROR, every=4, status=503)},
            "Falcon 4.4.0 failed 25 % of the polls of 20 devices every 250 ms: p99 1.{} ms, http error 503;",
            "not asked",
            "valid",
        ),
        (
            {"asked": LEVEL, "server": failing(Outcome.HTTP_ERROR, every=4, status=503)},
            "Falcon 4.4.0 did not hold 20 devices every 250 ms: p99 1.{} ms of 50 allowed, 25 % http error 503;",
            "missed",
            "valid",
        ),
        (
            {"server": lambda poll: Answered(0.4)},
            "Falcon 4.4.0 did not keep up with 20 devices every 250 ms: p99 > {} ms, not sent, since their device still",
            "not asked",
            "valid",
        ),
        (
            {"server": lambda poll: Answered(1e9), "asked": {"timeout_s": 1.0}},
            "Falcon 4.4.0 answered nothing right for 20 devices every 250 ms: {} % not sent",
            "not asked",
            "valid",
        ),
        (
            {"lag": late(0.3), "asked": LEVEL},
            "No answer: this measurement says nothing reliable about Falcon 4.4.0 with 20 devices every 250 ms.",
            "cannot be said",
            "invalid",
        ),
        ({"lag": late(0.3)}, "No answer: this measurement says nothing reliable", "not asked", "invalid"),
        (
            {"cut_short_at": 12.0},
            "Cut short after 12 s of 20 s (interrupted by the experimenter); what follows is true until then. Falcon 4.4.0 "
            "answered every poll",
            "not asked",
            "suspect",
        ),
    ],
    ids=["good", "not asked", "failing", "missed", "overloaded", "silent", "invalid", "invalid, not asked", "cut short"],
)
def test_the_answer_says_what_the_data_say(
    tmp_path: Path, made: dict[str, Any], says: str, level: str, measurement: str
) -> None:
    """Which server, how many devices, how it went, and two judgements that do not lean on each other."""
    asked = ASKED.model_copy(update=made.get("asked", {}))
    found = of(
        made_up(tmp_path, asked, server=made.get("server"), lag=made.get("lag"), cut_short_at=made.get("cut_short_at"))
    )
    place = 0
    for part in says.split("{}"):
        assert part in found.text[place:], found.text
        place = found.text.index(part, place) + len(part)
    assert (found.service_level.status, found.measurement.status) == (level, measurement)


def test_failures_are_told_where_no_level_was_asked(tmp_path: Path) -> None:
    """A share of polls that the server failed stands beside `not asked`, and never with what the generator failed."""
    found = of(made_up(tmp_path / "server", ASKED, server=failing(Outcome.HTTP_ERROR, every=4, status=503)))
    assert found.service_level.said == (
        "No service level was asked for. The server failed 25 % of the polls: http error 503."
    )
    ours = of(made_up(tmp_path / "ours", ASKED, server=failing(Outcome.GENERATOR_ERROR, every=4)))
    assert "The server failed" not in ours.service_level.said
    assert "failed 25 %" not in ours.text


def test_a_server_that_died_is_said_to_have(tmp_path: Path) -> None:
    """How it ended and what was lost with it, and where its own words are."""

    def server(poll: Any) -> Answered:
        return Answered(0.001) if poll.sent_s < 10 else Answered(0.0001, Outcome.CONNECT_REFUSED, 0, 0)

    record = made_up(tmp_path, ASKED, server=server)
    found = of(damage_facts(record, lambda facts: facts["server"].update(died="exit code 137 after 10 s")))
    assert found.text == (
        "Falcon 4.4.0 died under 20 devices every 250 ms: exit code 137 after 10 s; 50 % of the polls had no right answer "
        "(connect refused)."
    )
    assert "its log" in found.next_step


def test_the_title_says_what_was_measured_and_when(tmp_path: Path) -> None:
    """Server, devices, interval; date, length, commit and run id; a commit only where one is known."""
    record = made_up(tmp_path, ASKED)
    about = of(record).subject
    assert about.title == "Falcon 4.4.0: 20 devices every 250 ms"
    assert about.dated == "2026-11-24 10:00 UTC · 20 s measured · run made-up"
    dirty = {"commit": {"id": "0123456789abcdef", "changed": True}}
    with_commit = of(damage_facts(record, lambda facts: None))
    record.started["environment"].update(dirty)
    assert "commit 0123456789 and changes" in of(record).subject.dated
    assert with_commit.subject == about
