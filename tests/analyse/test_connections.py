"""What is found out of connections: kept, closed with answers, after them, or after a rest."""

from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.summary import summarise
from experiments.present.tables import connections
from experiments.record.reading import Record
from tests.support.made_up import SMALL, damage_facts, made_up

POLLS = 1000


def run_of(tmp_path: Path, *, interval_ms: float = 3000, transport: str = "", **counted: Any) -> Record:
    """A made-up run whose one generator counted this; 20 devices, 1,000 requests."""

    def count(facts: dict[str, Any]) -> None:
        none = {"attempts": POLLS, "connects": 20, "reconnects": 0, "closes": 0, "retries": 0, "idle_close_s": None}
        instances = facts["generator"]["instances"]
        instances[0] |= none | counted
        for other in instances[1:]:
            other.pop("connects", None)
        if transport:
            facts["generator"]["transport"] = transport

    asked = SMALL.model_copy(update={"interval_ms": interval_ms})
    return damage_facts(made_up(tmp_path, asked), count)


def said(record: Record) -> str:
    return " ".join(connections.sentences(summarise(record), record.facts, record.plan.interval_s))


def rest(p5: float, p50: float, p95: float) -> dict[str, float]:
    return {"p5": p5, "p50": p50, "p95": p95}


def test_kept_connections_need_no_word(tmp_path: Path) -> None:
    """One connect a device: figures, and no sentence."""
    record = run_of(tmp_path)
    figures = summarise(record)["connections"]
    assert (figures["connects"], figures["connects_per_request"], figures["finding"]) == (20, 0.02, None)
    assert said(record) == ""


@pytest.mark.parametrize(
    ("counted", "finding", "words"),
    [
        (
            {"connects": POLLS, "closes": POLLS},
            "closes_with_answers",
            "but the server closed the connection after each answer: 1,000 connects for 1,000 polls.",
        ),
        (
            {"connects": 520, "closes": 500},
            "closes_with_answers",
            "but the server closed the connection after 500 of 1,000 answers: 520 connects for 1,000 polls.",
        ),
        (
            {"connects": POLLS, "reconnects": 900, "retries": 80, "idle_close_s": rest(0.0, 0.001, 0.01)},
            "closes_after_answers",
            "after each answer: 1,000 connects for 1,000 polls.",
        ),
        (
            {"connects": POLLS, "reconnects": 980, "idle_close_s": rest(1.0, 1.01, 1.02)},
            "short_keep_alive",
            "closed connections that rested for about 1.01 s, less than the interval of 3.00 s: 1,000 connects",
        ),
        (
            {"connects": 420, "reconnects": 390, "retries": 10, "idle_close_s": rest(2.9, 2.99, 3.0)},
            "knife_edge",
            "A knife-edge: the server closes connections that rested for about 2.99 s, and devices poll every 3.00 s, so "
            "that chance decides whether a poll finds its connection open: 420 connects for 1,000 polls, 10 of which met",
        ),
        (
            {"connects": 40, "reconnects": 20, "idle_close_s": rest(0.2, 1.5, 2.8)},
            "closes_idle",
            "closed kept connections that had rested for 200 ms to 2.80 s: 40 connects for 1,000 polls.",
        ),
    ],
)
def test_what_the_server_closes_is_named(tmp_path: Path, counted: dict[str, Any], finding: str, words: str) -> None:
    """The finding says by what rule connections end, and its sentence gives both counts."""
    record = run_of(tmp_path, **counted)
    assert summarise(record)["connections"]["finding"] == finding
    assert words in said(record)


@pytest.mark.parametrize("counted", [{"connects": 29, "closes": 9}, {"reconnects": 9, "idle_close_s": rest(2.9, 3.0, 3.0)}])
def test_what_happens_seldom_is_no_habit(tmp_path: Path, counted: dict[str, Any]) -> None:
    """A server may end a connection after a thousand requests."""
    assert said(run_of(tmp_path, **counted)) == ""


def test_what_nobody_counted_is_unknown(tmp_path: Path) -> None:
    """A transport that is not ours does not tell; 0 would be a false figure."""
    record = run_of(tmp_path, transport="mine:make", connects=0)
    assert summarise(record)["connections"] is None
    assert "not known" in connections.figures(summarise(record)).content


def test_where_no_connection_could_be_made_there_are_none(tmp_path: Path) -> None:
    """Zero is a figure where everything was refused."""

    def nothing(facts: dict[str, Any]) -> None:
        facts["totals"]["ok"] = 0

    record = damage_facts(run_of(tmp_path, connects=0), nothing)
    assert summarise(record)["connections"]["connects"] == 0


def test_a_name_with_several_machines_is_said() -> None:
    """On top where others than this machine are meant; among the facts always."""
    several = {"address": "192.0.2.2", "addresses": ["192.0.2.1", "192.0.2.2"]}
    here = {"address": "127.0.0.1", "addresses": ["::1", "127.0.0.1"]}
    words = [connections.sentences({}, {"server": server}, 0.25) for server in (several, here, {})]
    assert [len(said) for said in words] == [1, 0, 0]
    assert all(figure in words[0][0] for figure in ("2 addresses", "192.0.2.2"))
    assert "192.0.2.1" not in words[0][0]
    assert connections.address(here) == "127.0.0.1; the name also has ::1"
    assert connections.address({}) is None


def test_a_transport_that_could_not_be_closed_is_said_once() -> None:
    """Two generators with the same error give one sentence."""
    errors = [{"closing_error": "ValueError('no'), 3 of 3 times"}] * 2
    (said,) = connections.sentences({}, {"generator": {"instances": errors}}, 0.25)
    assert "(ValueError('no'), 3 of 3 times)" in said
