"""The queues of server and generator against closed forms, and against themselves."""

import random

import polars as pl
import pytest

from experiments.predict.loops import Machines, Times, play
from experiments.schedule import Plan

NO_TIME = {"status": 0.0, "bulk": 0.0}


def plan(**changes: object) -> Plan:
    """Fifty devices that poll A only, each twice a second for ten seconds."""
    usual = {"clients": 50, "interval_s": 0.5, "status_weight": 1, "bulk_weight": 0, "phase": "spread", "pacing": "fixed"}
    return Plan.of_ratio(**{**usual, "seed": 1, "warmup_s": 0.0, "window_s": 10.0, **changes})  # type: ignore[arg-type]


def crowd(polls: int = 20_000) -> Plan:
    """As good as Poisson arrivals of 1,000 a second: each of many devices polls once, at a random instant."""
    return plan(clients=polls, interval_s=polls / 1000, window_s=polls / 1000, phase="random")


def served(took: float | list[float], **further: object) -> Times:
    values = took if isinstance(took, list) else [took]
    return Times(serve={"status": values, "bulk": values}, **further)  # type: ignore[arg-type]


def mean_wait(polls: pl.DataFrame, took: float) -> float:
    """Mean time in the queue, in times of a service."""
    return float(polls["response_s"].mean()) / took - 1  # type: ignore[arg-type]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_random_arrivals_at_a_steady_server_wait_as_in_m_d_1(load: float) -> None:
    """Mean wait is load / (2 (1 - load)) services: Pollaczek and Khinchine."""
    took = load / 1000
    assert mean_wait(play(crowd(), served(took)), took) == pytest.approx(load / (2 * (1 - load)), rel=0.1)


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_random_arrivals_and_services_wait_as_in_m_m_1(load: float) -> None:
    """Replayed exponential services: mean wait is load / (1 - load) services."""
    chance = random.Random(5)
    took = load / 1000
    values = [chance.expovariate(1 / took) for _ in range(50_000)]
    assert mean_wait(play(crowd(), served(values)), took) == pytest.approx(load / (1 - load), rel=0.1)


def test_evenly_spread_arrivals_never_wait_below_full_load() -> None:
    """D/D/1: every response is the service, until the load exceeds 1."""
    polls = play(plan(), served(0.0099))
    assert polls["response_s"].to_list() == pytest.approx([0.0099] * 1000, abs=1e-6)


def test_beyond_full_load_the_backlog_grows_by_the_surplus() -> None:
    """D/D/1 at 1.2: after t seconds 0.2 t are waited; what was not sent by the end is unsent_busy."""
    polls = play(plan(), served(0.012)).sort("due_s")
    last = polls.filter(pl.col("outcome") == "ok").tail(50)
    behind = 0.2 * last["due_s"]
    assert (last["response_s"] - behind).abs().max() < 0.55  # type: ignore[operator]
    unsent = polls.filter(pl.col("outcome") == "unsent_busy")
    assert len(polls) == 1000
    assert len(unsent) > 0
    assert unsent["done_s"].unique().to_list() == [10.0]


def test_a_round_that_was_begun_is_finished_after_the_window() -> None:
    """As a device does: a second poll is sent although the window has closed since its first was."""
    polls = play(plan(clients=1, bulk_weight=1, interval_s=5.0, window_s=6.0, phase="together"), served(2.0))
    assert polls["outcome"].to_list() == ["ok"] * 4
    assert polls["sent_s"].max() == pytest.approx(7.0)


def test_two_workers_hold_twice_as_many() -> None:
    """Two at half the speed wait as many services as one at full speed, each with its own half of the devices."""
    took = 0.0006
    one, two = play(crowd(), served(took)), play(crowd(), served(2 * took), Machines(workers=2))
    assert mean_wait(two, 2 * took) == pytest.approx(mean_wait(one, took), rel=0.1)


def test_loops_without_a_core_of_their_own_wait_for_one() -> None:
    """Work is neither lost nor done twice: a burst of eight takes eight services on one core, however many workers."""
    burst = plan(clients=8, phase="together", window_s=0.4)
    last = [float(play(burst, served(0.01), Machines(4, cores=cores))["response_s"].max()) for cores in (1, 4)]  # type: ignore[arg-type]
    assert last[0] == pytest.approx(0.08)
    assert last[1] < 0.08


def test_a_generator_on_the_same_core_costs_what_it_uses() -> None:
    """Sending, answering and reading in turn on one core: nobody else is served meanwhile."""
    times = served(0.003, send={"status": 0.002, "bulk": 0}, read={"status": 0.004, "bulk": 0})
    shared = play(plan(), times, Machines(cores=1))
    assert shared["response_s"].to_list() == pytest.approx([0.009] * 1000, abs=1e-6)
    assert float(play(plan(clients=60), times, Machines(cores=1))["response_s"].max()) > 0.5  # type: ignore[arg-type]


def test_waking_up_is_paid_by_those_who_find_a_loop_asleep() -> None:
    """Alone, a poll waits for three wake-ups, each half of a sleep's cost; in a burst the first pays, the rest queue."""
    times = served(0.001, server_wake=0.001, generator_wake=0.0005)
    alone = play(plan(clients=1), times)
    assert alone["response_s"].to_list() == pytest.approx([0.002] * 20, abs=1e-6)
    burst = play(plan(clients=3, phase="together", window_s=0.4), times).sort("response_s")
    assert burst["response_s"].to_list() == pytest.approx([0.002, 0.003, 0.004], abs=1e-6)


def test_a_pause_is_felt_by_those_who_come_during_it_and_by_the_backlog() -> None:
    """At light load the share that waits is the share of paused time; at high load the same pauses are felt by many more."""
    pauses = ((0.02, 2.0),)
    light, heavy = (play(crowd(), served(took, pauses=pauses)) for took in (1e-6, 0.0006))
    without = play(crowd(), served(0.0006))
    late = [float((polls["response_s"] > 0.004).mean()) for polls in (light, heavy, without)]  # type: ignore[arg-type]
    # A poll passes two loops, each with pauses of its own.
    assert late[0] == pytest.approx(2 * 2.0 * (0.02 - 0.004), rel=0.3)
    assert late[1] > 1.5 * late[0]
    assert late[2] < 0.2 * late[1]


def test_a_slow_second_leaves_a_backlog_that_the_next_ones_work_off() -> None:
    """At 80 % of a core on average, with seconds half as fast again and half as slow: the same polls wait far longer."""
    took = 0.8 / 1000
    steady = play(crowd(), served(took))
    uneven = play(crowd(), served(took, slowness=(0.5, 1.5)))
    assert mean_wait(uneven, took) > 20 * mean_wait(steady, took)


def test_busy_loops_sleep_less_as_the_demand_says() -> None:
    """The simulated wake-ups are those of `demand`: a poll finds its worker asleep as often as that is idle."""
    took, wake = 0.0006, 0.0004
    polls = play(crowd(), served(took, server_wake=wake)).sort("due_s")
    # Every poll that found it asleep, and only those, takes exactly a service and half of what a sleep costs.
    asleep = float(((polls["response_s"] - took - wake / 2).abs() < 1e-7).mean())  # type: ignore[arg-type]
    load = (took + wake) * 1000 / (1 + wake * 1000)
    assert asleep == pytest.approx(1 - load, rel=0.05)


def test_a_device_polls_one_after_the_other() -> None:
    """B is due when A is done, and the next round waits for both."""
    times = Times(serve={"status": (0.1,), "bulk": (0.5,)})
    polls = play(plan(clients=1, bulk_weight=1, window_s=1.0), times)
    assert polls.select("endpoint", "due_s", "sent_s").rows() == [
        ("status", 0.0, 0.0),
        ("bulk", pytest.approx(0.1), pytest.approx(0.1)),
        ("status", 0.5, pytest.approx(0.6)),
        ("bulk", pytest.approx(0.7), pytest.approx(0.7)),
    ]


def test_polls_are_those_of_the_plan() -> None:
    """As many of each endpoint as planned in the measured window, at their instants, warm-up left out."""
    asked = plan(clients=30, status_weight=10, bulk_weight=3, phase="random", warmup_s=1.2)
    polls = play(asked, served(0.0001))
    counts = {name: sum(asked.planned(client)[name] for client in range(30)) for name in ("status", "bulk")}
    assert {name: int((polls["endpoint"] == name).sum()) for name in counts} == counts
    due = polls.filter((pl.col("client") == 7) & (pl.col("endpoint") == "status"))["due_s"].to_list()
    assert due == [asked.due(7, clock, round_) for clock in asked.clocks for round_ in asked.measured_rounds(7, clock)]


def test_closed_loop_waits_an_interval_after_each_answer() -> None:
    """Pacing `after`: the period is the interval and the time of the poll."""
    polls = play(plan(clients=1, pacing="after", window_s=3.0), served(0.25))
    assert polls["due_s"].to_list() == pytest.approx([0.75 * n for n in range(4)], abs=1e-5)


def test_the_same_question_has_the_same_answer() -> None:
    """Chance comes from the plan's seed alone."""
    times = served([0.001, 0.002, 0.005], delay={"status": [0.0, 0.01], "bulk": [0.0]})
    assert play(plan(phase="random"), times).equals(play(plan(phase="random"), times))
    assert not play(plan(phase="random"), times).equals(play(plan(phase="random", seed=2), times))
