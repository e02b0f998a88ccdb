"""Forecasts of made-up servers, of which everything is known: learnt from light cells, held against the truth."""

import dataclasses
import random

import polars as pl
import pytest

from experiments.analyse.latency import population
from experiments.predict import forecast
from experiments.predict.cell import Cell
from experiments.predict.demand import Demand, Usage
from experiments.predict.loops import Machines, Times, play
from experiments.scenario import Scenario

SERVER = Demand(900e-6, 2700e-6, 450e-6, split=True)
GENERATOR = Demand(600e-6, 900e-6, 150e-6, split=True)
_CHANCE = random.Random(7)
ON_THE_WAY = [_CHANCE.uniform(0.0003, 0.0018) for _ in range(2000)]
TRUE = Times(
    serve={"status": [SERVER.status_s], "bulk": [SERVER.bulk_s]},
    send={"status": GENERATOR.status_s / 2, "bulk": GENERATOR.bulk_s / 2},
    read={"status": GENERATOR.status_s / 2, "bulk": GENERATOR.bulk_s / 2},
    server_wake=SERVER.wake_s,
    generator_wake=GENERATOR.wake_s,
    delay={"status": ON_THE_WAY, "bulk": ON_THE_WAY},
)
EDGE = 1 / (SERVER.mean_s(1 / 11) * 2.2)
"""Devices at 500 ms and 10:1 that keep the one worker busy all the time."""


def asked(clients: float, **changes: object) -> Scenario:
    usual = {"clients": int(clients), "interval_ms": 500, "minutes": 6 / 60, "warmup_s": 1, "slo_status_p99_ms": 100}
    return Scenario.from_parameters({**usual, **changes})


def truth(scenario: Scenario) -> pl.DataFrame:
    return play(scenario.plan, TRUE, Machines(scenario.workers, 1, 2))


def measured(clients: float, noise: float = 0.0, **changes: object) -> Cell:
    """A cell of the true server; `noise` is the error of its CPU figures."""
    scenario = asked(clients, **changes)
    polls = truth(scenario)
    rates = tuple(int((polls["endpoint"] == name).sum()) / scenario.window_s for name in ("status", "bulk"))
    return Cell(
        scenario=scenario,
        server=Usage(*rates, SERVER.cores(*rates, scenario.workers) * (1 + noise), scenario.workers),
        generator=Usage(*rates, GENERATOR.cores(*rates, 1, wakes=2) * (1 + noise)),
        responses={name: population(polls, name) for name in ("status", "bulk")},
        cores=2,
        others_cores=0.0,
        busy_cores=0.0,
        server_rss_bytes=60_000_000,
    )


@pytest.fixture(scope="module")
def model() -> forecast.Model:
    """Learnt from three cells below 60 % load whose CPU is 0.5 % wrong, one of them of another mix, and one too loaded."""
    cells = [measured(0.15 * EDGE, 0.005), measured(0.45 * EDGE, -0.005), measured(0.12 * EDGE, 0.005, ratio="1:1")]
    learnt = forecast.learn([*cells, measured(0.9 * EDGE)])
    assert learnt is not None
    return learnt


def test_the_model_is_that_of_the_true_server(model: forecast.Model) -> None:
    """Learnt from the light cells alone."""
    assert len(model.loads) == 3
    assert max(model.loads) < forecast.LIGHT
    assert model.server.split
    assert model.server.mean_s(1 / 11) == pytest.approx(SERVER.mean_s(1 / 11), rel=0.06)
    assert model.doubt[0] <= 1 <= model.doubt[1]


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_response_of_a_load_that_was_not_measured(model: forecast.Model, load: float) -> None:
    """Median within a tenth and p95 within a fifth of what the true server gives."""
    scenario = asked(load * EDGE)
    polls = truth(scenario)
    found = forecast.forecast(model, scenario)
    for endpoint, percent, within in (("status", 50.0, 0.1), ("status", 95.0, 0.2), ("bulk", 50.0, 0.1)):
        times = population(polls, endpoint)
        assert found.response_s[endpoint][percent] == pytest.approx(times.quantile(percent / 100), rel=within)
    assert found.server_cores == pytest.approx(SERVER.cores(2 * int(load * EDGE), 0.2 * int(load * EDGE), 1), rel=0.05)


def test_capacity_is_that_of_the_true_server(model: forecast.Model) -> None:
    """The forecast edge lies within 6 % of the edge of the true server, both to a step of 2 %."""

    def holds(clients: int) -> bool:
        scenario = asked(clients)
        return float(population(truth(scenario), "status").quantile(0.99) or 0) < 0.1

    true = forecast.largest(holds, 300, 60, 3000, 2.0)
    found = forecast.capacity(model, asked(1), smallest=60, most=3000)
    assert true == pytest.approx(EDGE, rel=0.1)
    assert found == pytest.approx(true, rel=0.06)


def test_a_machine_of_uneven_speed_holds_fewer(model: forecast.Model) -> None:
    """Also on the median of several runs; a load far below the edge does not mind."""
    uneven = dataclasses.replace(model, slowness=(0.75, 1.25))
    near = asked(0.9 * EDGE)
    assert forecast.forecast(model, near).level["met"]
    assert not forecast.forecast(uneven, near, 3).level["met"]
    assert forecast.forecast(uneven, asked(0.5 * EDGE), 3).level["met"]


def test_light_cells_teach_how_uneven_the_speed_is() -> None:
    """Those that can tell; cells that cannot leave it at steady."""
    steady = forecast.learn([measured(0.15 * EDGE), measured(0.45 * EDGE)])
    uneven = forecast.learn([measured(0.15 * EDGE), dataclasses.replace(measured(0.45 * EDGE), slowness=(0.9, 1.1))])
    assert steady is not None
    assert steady.slowness == (1.0,)
    assert uneven is not None
    assert uneven.slowness == (0.9, 1.1)


def test_more_workers_than_cores_do_not_hold_more(model: forecast.Model) -> None:
    """Two workers and the generator share two cores: they hold what the cores can, far less than twice what one holds."""
    one, two = (forecast.capacity(model, asked(1, workers=workers), smallest=60, most=3000) for workers in (1, 2))
    cores = 2 / ((SERVER.mean_s(1 / 11) + GENERATOR.mean_s(1 / 11)) * 2.2)
    assert one < two < 1.05 * cores
    assert cores < 1.3 * one


def test_a_level_that_the_smallest_load_misses(model: forecast.Model) -> None:
    """No device is held within a response that the service alone exceeds."""
    assert forecast.capacity(model, asked(1, slo_status_p99_ms=0.3), smallest=200, most=3000) == 0


def test_cells_without_an_answer_in_time_teach_no_delays() -> None:
    """A server that only failed fast has CPU figures and no response times; nothing is made up for them."""
    cell = measured(0.2 * EDGE)
    failing = dataclasses.replace(cell, responses={name: values.clear() for name, values in cell.responses.items()})
    learnt = forecast.learn([failing])
    assert learnt is not None
    assert learnt.pauses == ()
    assert learnt.delays == {"status": (), "bulk": ()}


def test_nothing_is_learnt_from_loaded_cells() -> None:
    """Forecasts rest on light cells, or are not made."""
    assert forecast.learn([measured(0.9 * EDGE)]) is None
    assert forecast.learn([]) is None


@pytest.mark.parametrize("guess", [1, 100, 900, 10_000])
@pytest.mark.parametrize("edge", [3, 10, 11, 799, 1234, 4990, 9999])
def test_the_largest_that_holds_is_found_to_a_step(edge: int, guess: int) -> None:
    """From a guess far below, near or far above; nothing is tried twice, nor outside of what is allowed."""
    tried: list[int] = []

    def holds(clients: int) -> bool:
        tried.append(clients)
        return clients <= edge

    found = forecast.largest(holds, guess, 10, 5000, 2.0)
    if edge < 10:
        assert found == 0
    elif edge > 5000:
        assert found == 5000
    else:
        assert found <= edge <= max(found + 1, found * 1.02)
    assert min(tried) >= 10
    assert max(tried) <= 5000
    assert len(tried) == len(set(tried))
