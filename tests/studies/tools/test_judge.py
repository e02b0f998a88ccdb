"""What a tool says beside the truth: each way to be wrong is found, named and explained, and what is right is left alone."""

from dataclasses import replace

import polars as pl
import pytest

from experiments.studies.tools.catalogue import all_tools
from experiments.studies.tools.catalogue.tool import MAX, Said
from experiments.studies.tools.judge import KINDS, Row, judge
from experiments.studies.tools.truth import Truth, corrected, percentiles
from tests.studies.tools.made_up_ledger import asked, seen

TOOLS = all_tools()
STEADY = seen([0.02] * 360)
"""As many as were asked for, all after 20 ms."""
RIGHT = Said(360, 0, 360, 90.0, {50.0: 0.0205, 90.0: 0.021, 99.0: 0.03, MAX: 0.05})


def row(said: Said, truth: Truth, *, answer: str = "steady", tool: str = "hey") -> Row:
    """That tool, judged."""
    return Row(TOOLS[tool], "1", answer, asked(), said, truth, judge(TOOLS[tool], asked(), answer, said, truth))


def kinds(said: Said, truth: Truth, **others: str) -> list[str]:
    """What is wrong with it."""
    return [one.kind for one in row(said, truth, **others).findings]


def test_a_tool_that_is_right_is_called_right() -> None:
    """A millisecond more than the server saw, a stray long one and nine under way at the end are no faults."""
    assert (row(RIGHT, STEADY).right, row(RIGHT, STEADY).sentence) == (True, "Right.")
    assert kinds(replace(RIGHT, answered=351, count=351), STEADY) == []
    without = replace(RIGHT, times={})
    assert row(without, STEADY).sentence == "Its counts are right; it says nothing of times."
    assert row(replace(RIGHT, times={MAX: 0.02}), STEADY).sentence == "Right in what it says; but it has no percentiles."


@pytest.mark.parametrize(
    ("said", "truth", "kind", "words"),
    [
        (replace(RIGHT, answered=300, count=300), STEADY, "count", "Says nothing of 60 of the 360 requests"),
        (replace(RIGHT, count=423), STEADY, "count", "Counts 423 requests where 360 came"),
        (replace(RIGHT, answered=300, failed=60), STEADY, "errors", "Calls 60 requests failed, where none was"),
        (replace(RIGHT, times={50.0: 0.01}), STEADY, "times", "Understates p50 by 50 % (10 ms for 20 ms)"),
        (replace(RIGHT, times={90.0: 1.2}), STEADY, "times", "Overstates p90 60 times (1,200 ms for 20 ms)"),
        (replace(RIGHT, per_s=11.0), STEADY, "rate", "Prints 11 requests/s where 90 came"),
        (Said(180, 0, 180), seen([0.02] * 180), "load", "Asked 45 times a second where 90 were wanted"),
    ],
)
def test_each_way_to_be_wrong_is_found_alone(said: Said, truth: Truth, kind: str, words: str) -> None:
    """It is named with both figures, and nothing else is called wrong because of it."""
    found = row(said, truth)
    assert [one.kind for one in found.findings] == [kind]
    assert found.sentence.startswith(words)
    assert kind in KINDS


def test_failures_that_a_tool_does_not_say_are_named_by_kind() -> None:
    """503 and cut answers are told apart; who calls them well answered is wrong twice."""
    statuses = [503 if number % 5 == 0 else 200 for number in range(360)]
    mixed = seen([0.02] * 360, statuses=statuses)
    assert kinds(Said(288, 72, 360), mixed) == []
    assert row(Said(360, 0, 360), mixed).sentence == (
        "Says nothing of 72 answers 503; calls 360 well answered where 288 were."
    )
    cut = seen([0.02] * 360, whole=[number % 5 != 0 for number in range(360)])
    assert "72 answers that were cut off" in row(Said(288, 0, 288), cut).sentence
    assert kinds(Said(200, 160, 360), cut) == ["errors"]


def test_who_waits_for_ever_must_be_told() -> None:
    """Four clients that were given up twice are failures, although a client may notice the last ones too late."""
    waiting = seen([0.005] * 200 + [None] * 8)
    assert waiting.unanswered == 8
    given_up = seen([None] * 4 + [0.005] * 200 + [None] * 4)
    assert [given_up.given_up, kinds(Said(200, 8, 208), given_up, answer="five-served")] == [4, []]
    assert kinds(Said(200, 0, 200), given_up, answer="five-served") == ["errors"]


@pytest.mark.parametrize(
    ("interval_s", "why"),
    [(0.1, "since it corrects for an interval that nobody asked for"), (0.1 / 9, "the interval of all clients together")],
)
def test_a_correction_is_recognised_by_its_figures(interval_s: float, why: str) -> None:
    """The ledger, corrected in that way, must give all that is off; a tool that says anything else is not explained."""
    mixed = seen([0.9 if number % 10 == 0 else 0.005 for number in range(360)])
    wrong = corrected(mixed.took, interval_s)
    times = percentiles(wrong, (50.0, 90.0, 99.0))
    assert why in row(Said(360, 0, 360, 90.0, times), mixed, answer="eighth-slow").sentence
    odd = {percent: 3 * value for percent, value in times.items()}
    assert "since" not in row(Said(360, 0, 360, 90.0, odd), mixed, answer="eighth-slow").sentence


def test_a_time_that_ends_at_the_first_byte_is_recognised() -> None:
    """Where the body takes long, such a tool understates every percentile."""
    base = seen([0.045] * 360)
    slow = replace(base, to_first=base.took - 0.04)
    said = Said(360, 0, 360, 90.0, {50.0: 0.0052, 90.0: 0.006})
    assert row(said, slow, answer="in-chunks").sentence.endswith("since its time ends at the first byte.")


def test_a_stall_that_percentiles_hide_is_said() -> None:
    """Devices by the clock waited in one of ten polls what such a p90 does not show; of this lab the response tells it."""
    stalled = seen([0.005] * 351 + [1.0] * 9)
    said = Said(360, 0, 360, 90.0, {50.0: 0.005, 90.0: 0.005})
    assert "hides the stall" in row(said, stalled, answer="one-stall").sentence
    assert kinds(said, stalled, answer="one-stall", tool="lab-httpx") == []
    assert kinds(said, stalled) == []


def test_a_tool_that_got_stuck_is_told_from_one_that_is_slow() -> None:
    """Whoever stops after its first answers has sent next to nothing, whether it keeps a rate or not."""
    said = Said(9, 0, 9)
    early = seen([0.02] * 9, over_s=0.1)
    assert row(said, early, tool="siege").sentence == (
        "Asked for 0.089 s only: 9 requests where 360 were expected."
    )
    assert kinds(said, early, tool="hey") == ["load"]
    assert kinds(Said(100, 0, 100), seen([0.02] * 100), tool="siege") == []


def test_a_wait_that_ended_with_the_timeout_counts_for_what_it_was() -> None:
    """Tools that count a request that they gave up among their times, and those that do not, are both right."""
    lost = seen([None] * 36 + [0.005] * 324)
    for longest in (0.0051, 2.0):
        assert kinds(Said(324, 36, 360, 90.0, {50.0: 0.005, MAX: longest}), lost, answer="five-served") == []


def test_unrest_of_the_machine_is_no_fault_of_a_tool() -> None:
    """Where the server itself was late by 100 ms, a time that is off by as much is not called wrong."""
    late = replace(STEADY, worked_out=STEADY.took - 0.1)
    said = replace(RIGHT, times={50.0: 0.11})
    assert (kinds(said, STEADY), kinds(said, late)) == (["times"], [])
    busy = replace(STEADY, unrest=pl.Series([0.1] * 100))
    assert kinds(said, busy) == []
