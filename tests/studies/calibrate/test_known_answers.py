"""What must come out against known answers: cases small enough to be worked out by hand, and laws that hold for all."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.errors import ParameterError
from experiments.measure.engines import device
from experiments.record.reading import Record
from experiments.scenario import Scenario
from experiments.studies.calibrate.known_answers import LOADED, Expected, Line, compare, expect, with_exact_counts
from experiments.studies.calibrate.known_answers.replay import CHECKED_EVERY, Delays, Replay, table
from server.catalogue import KNOWN, PROGRAMS, SYSTEMS, body
from server.known_answer.encoder import script
from server.known_answer.programs import CUT_PAUSE_S, RELEASE_GAP_S, Answer, Episode, Program
from tests.support.made_up import Answer as MadeUpAnswer
from tests.support.made_up import damage_rows, late, made_up

PACINGS = pytest.mark.parametrize("pacing", ["fixed", "after"])
EVERY_PROGRAM = pytest.mark.parametrize("name", PROGRAMS)


def asked(**changes: Any) -> Scenario:
    """One device that polls A every second, for five seconds, from the start of the window on."""
    defaults = {"clients": 1, "interval_ms": 1000, "minutes": 5 / 60, "warmup_s": 0, "ratio": "1:0", "phase": "spread"}
    return Scenario(**defaults | {"timeout_s": 10.0} | changes)


def played(program: Program, **changes: Any) -> pl.DataFrame:
    """The polls of a device, with timeouts noticed at once."""
    return table(Replay(asked(**changes), program, Delays(noticed_s=0)).run())


def counts(expected: Expected) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in expected.figures if not figure.unit}


def program(**what: Any) -> Program:
    return Program(name="made-for-a-test", title="made for a test", **what)


def test_a_delay_is_latency_and_response_of_each_poll() -> None:
    """Five polls on the second, each answered 20 ms later."""
    polls = played(PROGRAMS["constant"])
    assert polls["due_s"].to_list() == [0, 1, 2, 3, 4]
    assert polls["sent_s"].to_list() == polls["due_s"].to_list()
    assert polls["response_s"].to_list() == pytest.approx([0.02] * 5)
    assert polls["latency_s"].to_list() == pytest.approx([0.02] * 5)
    assert polls["outcome"].to_list() == ["ok"] * 5


def test_the_second_poll_of_a_round_follows_the_first() -> None:
    """B is due when A has been answered, and has a latency of its own."""
    polls = played(PROGRAMS["constant"], ratio="1:1", minutes=1 / 60)
    assert polls.select("endpoint", "due_s", "done_s").rows() == [
        ("status", 0.0, pytest.approx(0.02)),
        ("bulk", pytest.approx(0.02), pytest.approx(0.04)),
    ]


def test_after_pacing_waits_an_interval_from_each_answer() -> None:
    """Rounds of 1.02 s: the fifth begins at 4.08 s, and no sixth before 5 s."""
    polls = played(PROGRAMS["constant"], pacing="after")
    assert polls["due_s"].to_list() == pytest.approx([0, 1.02, 2.04, 3.06, 4.08], abs=1e-5)


def test_a_stall_counts_against_every_poll_that_it_delayed() -> None:
    """A stall from 1.125 to 4.125 s: the poll of 2 s waits for its answer, those of 3 and 4 s behind it."""
    stall = program(episodes=(Episode(kind="stall", start_s=1.125, lasting_s=3.0),))
    polls = played(stall)
    assert polls["response_s"].to_list() == pytest.approx([0, 0, 2.125, 1.125, 0.125])
    assert polls["latency_s"].to_list() == pytest.approx([0, 0, 2.125, 0, 0])
    closed_loop = played(stall, pacing="after")
    assert closed_loop["response_s"].to_list() == pytest.approx([0, 0, 2.125])


def test_a_stall_releases_polls_in_the_order_in_which_they_came() -> None:
    """Four devices, a quarter of a second apart, are answered 2 ms apart."""
    stall = program(episodes=(Episode(kind="stall", start_s=0.9, lasting_s=1.05),))
    polls = played(stall, clients=4, minutes=2 / 60).filter(pl.col("round") == 2)
    assert polls["done_s"].to_list() == pytest.approx([1.95 + number * RELEASE_GAP_S for number in range(4)], abs=1e-5)


def test_a_stall_past_the_end_leaves_timeouts_and_unsent_polls() -> None:
    """Asked at 2 and at 3.5 s, given up 1.5 s later each time; the poll of 4 s has waited 1 s when the window closes."""
    polls = played(PROGRAMS["stall-past-end"], timeout_s=1.5)
    assert polls["outcome"].to_list() == ["ok", "ok", "read_timeout", "read_timeout", "unsent_busy"]
    assert polls["sent_s"].to_list() == pytest.approx([0, 1, 2, 3.5, None])
    assert polls["response_s"].to_list() == pytest.approx([0, 0, 1.5, 2, 1])
    assert polls["latency_s"].to_list() == pytest.approx([0, 0, 1.5, 1.5, None])


@pytest.mark.parametrize(("pacing", "interval_ms", "asked_s"), [("fixed", 4000, 4.0), ("after", 1500, 4.5)])
def test_a_round_that_was_begun_is_finished(pacing: str, interval_ms: int, asked_s: float) -> None:
    """A is asked before the window closes at 5 s and answered after it; its B is asked then, and nothing more."""
    slow = program(usual=Answer(delay_s=1.5))
    last = played(slow, ratio="1:1", interval_ms=interval_ms, pacing=pacing, phase="together").filter(pl.col("round") == 2)
    assert last["outcome"].to_list() == ["ok", "ok"]
    assert last["sent_s"].to_list() == pytest.approx([asked_s, asked_s + 1.5], abs=1e-5)


def test_a_failure_takes_the_connection_and_its_count_with_it() -> None:
    """Every third answer of a connection is reset: polls 3, 6 and 9, each on a connection of its own."""
    replay = Replay(asked(minutes=10 / 60), program(every=3, other=Answer(cut="reset")))
    polls = table(replay.run())
    assert [round_ for round_, outcome in polls.select("round", "outcome").rows() if outcome == "reset"] == [3, 6, 9]
    assert replay.connects == 4
    assert polls["latency_s"][2] == pytest.approx(CUT_PAUSE_S)


def test_refused_connections_are_failures_until_somebody_listens_again() -> None:
    """The polls of 2 and 3 s are refused, and the one of 4 s connects anew."""
    refusing = program(episodes=(Episode(kind="refuse", start_s=1.5, lasting_s=2.0),))
    replay = Replay(asked(), refusing)
    assert table(replay.run())["outcome"].to_list() == ["ok", "ok", "connect_refused", "connect_refused", "ok"]
    assert replay.connects == 2


def test_idle_connections_that_are_closed_cost_a_connection_and_no_poll() -> None:
    """Every round connects anew, but B goes over the connection of A."""
    replay = Replay(asked(ratio="1:1"), PROGRAMS["idle-close"])
    assert Counter(table(replay.run())["outcome"]) == {"ok": 10}
    assert replay.connects == 5


def test_wrong_bytes_are_found_where_bytes_are_compared() -> None:
    """Of 64 devices each compares its first round and one in 64, which for one of them is the first."""
    expected = expect(asked(clients=64, minutes=64 / 60), PROGRAMS["wrong-bytes"])
    assert counts(expected)["status failed: wrong_body"] == 64 + 63
    assert counts(expected)["status ok"] == 64 * 64 - (64 + 63)
    assert counts(expected)["checksums"] == 64 + 63


def test_both_sides_compare_bytes_in_the_same_rounds() -> None:
    """The devices' own figure, which decides how many wrong bytes are found."""
    assert CHECKED_EVERY == device.CHECKSUM_EVERY


def test_shares_of_two_delays_are_exact() -> None:
    """One answer in eight takes 60 ms: p50 is the short delay, p90 the long one."""
    expected = expect(asked(minutes=240 / 60), PROGRAMS["two-delays"])
    slow = expected.polls.filter(pl.col("latency_s") > 0.05)
    assert (slow.height, expected.polls.height) == (30, 240)
    times = {figure.name: figure.value for figure in expected.figures}
    assert times["status latency p50"] == pytest.approx(5)
    assert times["status latency p90"] == pytest.approx(60)
    assert times["status latency p99"] is None


@PACINGS
@EVERY_PROGRAM
def test_polls_are_conserved(name: str, pacing: str) -> None:
    """planned = sent + unsent and sent = ok + failed, whatever the server does; by the clock, planned is the plan's."""
    scenario = asked(clients=20, interval_ms=250, ratio="3:1", warmup_s=0.4, timeout_s=1.3, pacing=pacing, phase="random")
    found: Counter[str] = Counter(counts(expect(scenario, PROGRAMS[name])))  # type: ignore[arg-type]
    for endpoint in ("status", "bulk"):
        failed = sum(number for what, number in found.items() if what.startswith(f"{endpoint} failed: "))
        unsent = found[f"{endpoint} unsent_busy"] + found[f"{endpoint} unsent_late"]
        assert found[f"{endpoint} planned"] == found[f"{endpoint} sent"] + unsent
        assert found[f"{endpoint} sent"] == found[f"{endpoint} ok"] + found[f"{endpoint} failed"]
        assert found[f"{endpoint} failed"] == failed
        if pacing == "fixed":
            planned = sum(scenario.plan.planned(client)[endpoint] for client in range(20))  # type: ignore[index]
            assert found[f"{endpoint} planned"] == planned


@EVERY_PROGRAM
def test_every_program_is_a_system_of_the_catalogue(name: str) -> None:
    """Its command names it, and its times can be written as JSON."""
    system = SYSTEMS[KNOWN + name]
    assert system.command(python="python", port=1, workers=1)[-2:] == ["--program", name]
    assert math.isfinite(system.keep_alive_s)


@pytest.mark.slow
@PACINGS
@EVERY_PROGRAM
def test_a_calibration_knows_all_counts_exactly(name: str, pacing: str) -> None:
    """For a load that supports p99 there are phases in which no poll is near a boundary."""
    asking = {"clients": 64, "interval_ms": 500, "minutes": 8 / 60, "warmup_s": 0.5, "timeout_s": 1.5, "ratio": "10:1"}
    scenario = with_exact_counts(Scenario(**asking, pacing=pacing), PROGRAMS[name])
    assert expect(scenario, PROGRAMS[name]).inexact == ()


def test_a_poll_beside_a_boundary_makes_a_range() -> None:
    """A poll due as a stall begins may or may not be caught by it: both counts are allowed, no more."""
    bursts = program(episodes=(Episode(kind="answer", start_s=2.0, lasting_s=0.5, answer=Answer(status=503)),))
    known = {figure.name: (figure.low, figure.value, figure.high) for figure in expect(asked(), bursts).inexact}
    assert known == {
        "status ok": (4, 4, 5),
        "status failed": (0, 1, 1),
        "status failed: http_error": (0, 1, 1),
    }


def test_phases_that_cannot_be_found_are_refused() -> None:
    """A thousand devices leave no gap of several ms in a second."""
    with pytest.raises(ParameterError, match="no seed from 1 to 3 makes"):
        with_exact_counts(asked(clients=1000), PROGRAMS["stall"], LOADED, tries=3)


@pytest.mark.parametrize("changes", [{"workers": 2}, {"status_bytes": 1}])
def test_what_has_no_known_answer_is_refused(changes: dict[str, Any]) -> None:
    """Two workers would have two clocks, and a body of one byte cannot be cut."""
    with pytest.raises(ParameterError):
        expect(asked(**changes), PROGRAMS["constant"])


def test_answers_in_the_middle_of_an_episode_and_at_its_edges() -> None:
    """An episode begins at its start and is over at its end."""
    bursts = PROGRAMS["bursts-503"]
    at = [1.124, 1.125, 1.374, 1.375, 1.7, 1.9]
    assert [bursts.answer(1, when).status for when in at] == [200, 503, 503, 200, 503, 200]


def test_scripts_are_byte_for_byte_what_a_program_says() -> None:
    """Head, framing, pieces and cuts of a body of ten bytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
    length = head + b"Content-Length: 10\r\n\r\n"
    right = body(10)

    def written(answer: Answer) -> list[tuple[float, bytes]]:
        return [(round(when, 6), piece) for when, piece in script(answer, 10).pieces]

    assert written(Answer()) == [(0, length + right)]
    assert written(Answer(delay_s=0.5, body="altered")) == [(0.5, length + right[:-1] + b"!")]
    assert written(Answer(body="short")) == [(0, length.replace(b"10", b"9") + right[:-1])]
    assert written(Answer(cut="reset")) == [(0, length + right[:5])]
    assert written(Answer(pieces=2, over_s=0.2)) == [(0, length + right[:5]), (0.2, right[5:])]
    chunks = b"5\r\n" + right[:5] + b"\r\n5\r\n" + right[5:] + b"\r\n0\r\n\r\n"
    assert written(Answer(chunked=True, pieces=2)) == [(0, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)]


def record_of(tmp_path: Path, scenario: Scenario) -> Record:
    """A run against a server that answers everything after 20 ms, made up by other code than the one under test."""
    return made_up(tmp_path, scenario, server=lambda poll: MadeUpAnswer(0.02), lag=late(by_s=0.0))


CONSTANT = Scenario(clients=40, interval_ms=250, minutes=0.2, warmup_s=1, engine="httpx-stock")


def bad(lines: tuple[Line, ...]) -> set[str]:
    return {line.figure for line in lines if not line.ok}


@PACINGS
def test_a_right_record_is_found_right(tmp_path: Path, pacing: str) -> None:
    """A record that was made up by other code agrees in every figure."""
    scenario = CONSTANT.model_copy(update={"pacing": pacing})
    lines = compare(record_of(tmp_path, scenario), expect(scenario, PROGRAMS["constant"]))
    assert bad(lines) == set()
    assert {"status planned", "bulk ok", "status response p99", "bulk latency p90"} <= {line.figure for line in lines}


def test_wrong_counts_and_reasons_are_named(tmp_path: Path) -> None:
    """A lost row and a poll that failed for a reason that nobody expected each show, with the error."""
    record = damage_rows(
        record_of(tmp_path, CONSTANT),
        lambda rows: rows.sort("endpoint", "due_s").head(-1).with_columns(
            outcome=pl.when(pl.int_range(pl.len()) == 500).then(pl.lit("reset")).otherwise(pl.col("outcome").cast(pl.String))
            .cast(rows.schema["outcome"])
        ),
    )  # fmt: skip
    lines = {line.figure: line for line in compare(record, expect(CONSTANT, PROGRAMS["constant"]))}
    assert lines["bulk planned"].error == lines["bulk ok"].error == -1
    assert lines["status failed: reset"].measured == lines["status failed: reset"].error == 1
    assert not lines["status failed: reset"].ok
    assert lines["status planned"].ok


@pytest.mark.parametrize(("by_s", "found"), [(0.0009, set[str]()), (0.0011, {"status response p50", "status latency p50"})])
def test_percentiles_may_be_wrong_by_a_millisecond(tmp_path: Path, by_s: float, found: set[str]) -> None:
    """2 % of 20 ms is less than 1 ms, so 1 ms is the limit."""
    record = damage_rows(
        record_of(tmp_path, CONSTANT),
        lambda rows: rows.with_columns(done_s=pl.when(endpoint="status").then(pl.col("done_s") + by_s).otherwise("done_s")),
    )
    lines = compare(record, expect(CONSTANT, PROGRAMS["constant"]))
    assert {name for name in bad(lines) if name.startswith("status") and name.endswith("p50")} == found
