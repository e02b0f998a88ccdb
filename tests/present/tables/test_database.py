"""What a report says of the database of a run."""

from experiments.present.tables.database import facts, sentences
from experiments.scenario import Scenario

SCENARIO = Scenario(server="channels", workload="database", clients=8, db_delay_ms=200)
SERIAL = {"kind": "sqlite", "version": "3.40.1", "connections": 8, "at_once": 1, "serial": "One thread does it all."}


def test_a_server_that_works_one_by_one_is_explained() -> None:
    """Whoever wonders why eight devices wait in a row reads it beside the result."""
    assert sentences(SERIAL, SCENARIO) == [
        "Database: SQLite 3.40.1, at most 8 connections a worker, and each request waits 200 ms in it.",
        "At most 1 request of a worker was within database work at once.",
        "One thread does it all.",
    ]


def test_a_server_that_works_in_parallel_needs_no_explanation() -> None:
    """What was used is said, and no more."""
    said = sentences(SERIAL | {"kind": "postgresql", "version": "15.8 (Debian)", "at_once": 8}, SCENARIO)
    assert said[0].startswith("Database: PostgreSQL 15.8, at most 8 connections a worker")
    assert said[1:] == ["At most 8 requests of a worker were within database work at once."]


def test_a_database_that_failed_is_named() -> None:
    """The reason stands beside the result and in the provenance."""
    broken = SERIAL | {"error": "it did not answer.", "at_once": None, "polls_written": None}
    assert sentences(broken, SCENARIO)[-1] == "The database failed: it did not answer."
    assert ("failed", "it did not answer.") in facts(broken)


def test_without_a_database_nothing_is_said() -> None:
    """Of a run of constant bytes, or of a record made before there were databases."""
    assert sentences(None, Scenario()) == []
