"""A poll's place in a burst is told apart from lag, as far as the generator's own work explains it."""

from typing import Any

import polars as pl
import pytest

from experiments.analyse.passes import bursts
from experiments.schedule import Plan

COST_S = 20e-6


def burst(*sent_us: float, due_s: float = 1.0, **more: Any) -> pl.DataFrame:
    """Polls of devices 0, 1, ... that were due together and sent so many microseconds later."""
    sent = [due_s + one / 1e6 for one in sent_us]
    told = {"client": list(range(len(sent))), "second": False, "ready_s": due_s, "due_s": due_s, "sent_s": sent} | more
    return pl.DataFrame(told).with_columns(lag_s=pl.col("sent_s") - pl.col("ready_s"))


def places_us(rows: pl.DataFrame, generators: int = 1) -> list[float]:
    """What is its place, of each poll."""
    found = bursts.with_places(rows, dict.fromkeys(range(generators), COST_S))["place_s"]
    return [round(1e6 * one, 3) for one in found]


def test_each_poll_has_the_work_on_those_before_it() -> None:
    """In the order in which they were sent, whatever their numbers."""
    assert places_us(burst(65, 5, 45, 25)) == [60, 0, 40, 20]


def test_what_was_sent_sooner_than_its_place_is_not_late_at_all() -> None:
    """No poll is given more than its lag."""
    assert places_us(burst(0, 5, 10)) == [0, 5, 10]


def test_a_late_begin_and_a_stall_within_are_lag() -> None:
    """Only the work is taken off: the whole burst 5 ms late, or all behind a pause, keeps that."""
    assert places_us(burst(5000, 5020, 5040)) == [0, 20, 40]
    assert places_us(burst(0, 20, 9000)) == [0, 20, 40]


def test_each_generator_has_a_burst_of_its_own() -> None:
    """Two generators send side by side, so a place counts those of the same one alone."""
    assert places_us(burst(0, 1, 30, 31, 60, 61), generators=2) == [0, 0, 20, 20, 40, 40]


@pytest.mark.parametrize("more", [{"second": True}, {"ready_s": 1.0 + 1e-3}])
def test_polls_that_wait_for_an_answer_are_in_no_burst(more: dict[str, Any]) -> None:
    """The second of a round, and one whose device was busy, come when they can."""
    assert places_us(burst(2000, 2000, 2000, **more)) == [0, 0, 0]


def test_instants_apart_are_bursts_apart() -> None:
    """Places begin anew with each; a poll that is due alone has none."""
    rows = pl.concat([burst(10, 30), burst(10, 30, due_s=2.0), burst(100, due_s=3.0)])
    assert places_us(rows) == [0, 20, 0, 20, 0]


def test_a_generator_is_given_what_a_poll_cost_it_and_no_more_than_good_tools_take() -> None:
    """One that left no word of its cost is given nothing."""
    told = [{"instance": 0, "cpu_s": 2.0, "attempts": 100_000}, {"instance": 1, "cpu_s": 9.0, "attempts": 100}]
    silent = [{"instance": 2}, {"instance": 3, "cpu_s": 1.0, "attempts": 0}]
    assert bursts.seconds_per_poll([*told, *silent]) == {0: COST_S, 1: bursts.MOST_S, 2: 0.0, 3: 0.0}


def test_a_width_is_from_due_to_the_last_that_was_sent() -> None:
    """One a burst and generator; polls never sent have no part in it."""
    rows = pl.concat([burst(10, 20, 400), burst(5, 70, due_s=2.0)])
    assert sorted(round(1e6 * one) for one in bursts.widths(rows, 1)["width_s"]) == [70, 400]
    assert sorted(round(1e6 * one) for one in bursts.widths(rows, 2)["width_s"]) == [5, 20, 70, 400]


def test_only_devices_that_are_due_together_make_bursts() -> None:
    """At random phases nobody is looked at so."""
    asked = {"clients": 5, "interval_s": 1.0, "status_weight": 1, "bulk_weight": 0, "pacing": "fixed", "seed": 1}
    plans = [Plan.of_ratio(**asked, phase=phase, warmup_s=0, window_s=1) for phase in ("together", "random", "spread")]
    assert [bursts.has_bursts(one) for one in plans] == [True, False, False]
