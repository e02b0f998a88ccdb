"""The polls that a plan asks for, by the plan alone, against those of a record."""

from itertools import product

import polars as pl

from experiments.record.reading import Record

Key = tuple[int, int, str]


def assert_as_planned(record: Record) -> None:
    """The record's keys are those of the plan, warm-up included, and what the schedule alone decides is due by it."""
    plan = record.plan
    due: dict[Key, float | None] = {}
    for client, clock in product(range(plan.clients), plan.clocks):
        for round_ in range(1, plan.rounds_before(client, clock, record.window_s) + 1):
            first, *others = plan.named(client, clock, round_)
            due[client, round_, first] = plan.due(client, clock, round_)
            due |= {(client, round_, other): None for other in others}
    rows = record.requests().with_columns(pl.col("endpoint").cast(pl.String))
    found = {
        (client, round_, name): at for client, round_, name, at in rows.select("client", "round", "endpoint", "due_s").rows()
    }
    assert len(found) == rows.height
    assert found.keys() == due.keys()
    assert {key: found[key] for key, at in due.items() if at is not None} == {
        key: at for key, at in due.items() if at is not None
    }
