"""The polls that a plan asks for, made again as a table, to compare a record with.

Plan -> frame(client, round, endpoint, due_s), one row per planned poll, clock by clock. The plan's own closed form
gives each device's rounds; the table is then built column by column, since a run has 660,000 polls.
"""

from __future__ import annotations

import polars as pl

from experiments.schedule import TICK_S, Clock, Plan


def planned_polls(plan: Plan, until_s: float, clock: Clock | None = None) -> pl.DataFrame:
    """The polls of the measured window, or of its part before `until_s`, under `fixed` pacing.

    Args:
        clock: the clock whose polls are wanted; None for those of all.

    Returns:
        frame(client, round, endpoint, due_s); `due_s` is that of the round's first poll, in seconds.
    """
    return pl.concat([_planned(plan, until_s, one) for one in ((clock,) if clock else plan.clocks)])


def _planned(plan: Plan, until_s: float, clock: Clock) -> pl.DataFrame:
    rounds = [plan.measured_rounds(client, clock, until_s) for client in range(plan.clients)]
    frame = polls_of_rounds(plan, clock, [one.start for one in rounds], [one.stop for one in rounds])
    if plan.shifts:
        # A hash of each round; the plan alone knows it.
        due = [plan.due(client, clock, round_) for client, round_ in frame.select("client", "round").iter_rows()]
        return frame.with_columns(due_s=pl.Series(due, dtype=pl.Float64)).drop("first_due_s")
    exact = pl.col("first_due_s") + (pl.col("round").cast(pl.Int64) - 1) * clock.interval_s
    return frame.with_columns(due_s=on_tick(exact)).drop("first_due_s")


def polls_of_rounds(plan: Plan, clock: Clock, starts: list[int], stops: list[int]) -> pl.DataFrame:
    """The polls of given rounds of a clock, whatever the pacing.

    Args:
        starts: first round, by client.
        stops: round after the last, by client.

    Returns:
        frame(client, round, endpoint, first_due_s); the last is when the device's round 1 is due, without jitter.
    """
    clients = range(plan.clients)
    rounds = (
        pl.DataFrame(
            {
                "client": pl.Series(clients, dtype=pl.UInt32),
                "round": pl.int_ranges(pl.Series(starts), pl.Series(stops), eager=True),
                "ahead": pl.Series([plan.cycle_start(client, clock) for client in clients], dtype=pl.Int64),
                "first_due_s": pl.Series([plan.first_due(client, clock) for client in clients], dtype=pl.Float64),
            }
        )
        .explode("round")
        .drop_nulls("round")
    )
    place, cycle, names = pl.col("round") + pl.col("ahead"), clock.cycle_rounds, pl.Enum(plan.endpoints)
    return pl.concat(
        [
            rounds.filter(place * joins // cycle > (place - 1) * joins // cycle).select(
                "client",
                pl.col("round").cast(pl.UInt32),
                pl.lit(plan.endpoints[endpoint], dtype=names).alias("endpoint"),
                "first_due_s",
            )
            for endpoint, joins in zip(clock.endpoints, clock.joins_per_cycle, strict=True)
        ]
    )


def on_tick(seconds: pl.Expr) -> pl.Expr:
    """The nearest whole tick, by the very arithmetic of `schedule.on_tick`."""
    return (seconds / TICK_S + 0.5).floor() * TICK_S
