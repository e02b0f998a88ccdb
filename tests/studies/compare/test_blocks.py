"""The plan of a comparison: what each block holds, and in which order."""

import itertools
from collections import Counter

from experiments.studies.compare.blocks import blocks
from experiments.studies.compare.params import SYSTEMS
from tests.studies.compare.made_up_systems import asked

ALL = "falcon,bare-asgi,django"


def test_every_block_holds_every_system_once_and_falcon_again() -> None:
    """For each series that concerns it; the database is asked of those that have one."""
    one = asked(systems=ALL, workloads="static,database", blocks=3)
    for number, block in enumerate(blocks(one), 1):
        assert Counter((run.series.workload, run.system, run.role) for run in block) == {
            ("static", "falcon", "system"): 1,
            ("static", "falcon", "again"): 1,
            ("static", "bare-asgi", "system"): 1,
            ("static", "django", "system"): 1,
            ("database", "falcon", "system"): 1,
            ("database", "falcon", "again"): 1,
            ("database", "django", "system"): 1,
        }
        assert {run.block for run in block} == {number}


def test_runs_that_are_paired_are_neighbours_in_an_order_of_their_own() -> None:
    """The runs of a series follow one another; no two of six blocks need have the same order, and the seed decides."""
    planned = blocks(asked(systems=ALL, workloads="static,database", blocks=6))
    for block in planned:
        series = [run.series.name for run in block]
        assert sum(one != other for one, other in itertools.pairwise(series)) == 1
    orders = [tuple((run.series.name, run.system, run.role) for run in block) for block in planned]
    assert len(set(orders)) > 1
    again = [run.cell for block in blocks(asked(systems=ALL, workloads="static,database", blocks=6)) for run in block]
    assert again == [run.cell for block in planned for run in block]
    assert len({cell.name for cell in again}) == len(again)


def test_runs_of_a_block_differ_in_the_system_alone() -> None:
    """Phases too are alike within a block, and others in the next."""
    first, second = blocks(asked(systems=ALL))
    assert len({run.cell.scenario.model_copy(update={"server": ""}) for run in first}) == 1
    assert {run.cell.scenario.seed for run in first} != {run.cell.scenario.seed for run in second}


def test_falcons_pool_is_spread_over_the_blocks() -> None:
    """As many runs as asked for in all, in the first series alone; no block has two more than another."""
    planned = blocks(asked(blocks=4, falcon_runs=30, loads="20,40"))
    counts = [sum(run.series.name == "static-20" for run in block) for block in planned]
    assert sum(counts) == 30
    assert max(counts) - min(counts) <= 1
    assert [sum(run.series.name == "static-40" for run in block) for block in planned] == [2] * 4


def test_memory_and_waiting_are_measured_once() -> None:
    """At the end of the first block; who has no database is not asked to wait for one."""
    one = asked(
        systems="falcon,bare-asgi,django-asgi,channels,django", workloads="static,database", memory_clients=50, serial=True
    )
    first, second = blocks(one)
    assert {run.role for run in second} == {"system", "again"}
    roles = [(run.role, run.system) for run in first if run.role in ("memory", "serial")]
    assert roles == [
        *(("memory", name) for name in one.systems),
        *(("serial", name) for name in SYSTEMS if name in ("falcon", "django-asgi", "channels")),
    ]
    assert first[-1].role == "serial"
    memory = next(run.cell.scenario for run in first if run.role == "memory")
    assert memory.clients == 50
    assert memory.warmup_s > memory.interval_ms / 1000


def test_who_is_skipped_has_no_runs() -> None:
    """A database-only system beside a static workload."""
    (first, _) = blocks(asked(systems="falcon,falcon-sqlalchemy"))
    assert {run.system for run in first} == {"falcon"}
