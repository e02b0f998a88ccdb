"""The polls that a plan asks for, as columns beside a table of polls, to compare a record with.

Plan -> a table of what is of each device, and expressions over it: the plan's own closed forms, for many rows at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from experiments import chance
from experiments.schedule import TICK_S, Clock, Plan

_ENDPOINT = pl.col("endpoint").to_physical()
_ROUND = pl.col("round").cast(pl.Int64)


def table_of(plan: Plan, clock: Clock) -> pl.DataFrame:
    """What the closed forms need of each device: frame(client, ahead, round_1_s, jitter, ahead_of_piece, system)."""
    clients = range(plan.clients)
    jitter = [plan.jitter_state(client, clock) if plan.jitter_s else 0 for client in clients]
    pieces = [plan.intervals_ahead(client, clock) if plan.halves else 0 for client in clients]
    return pl.DataFrame(
        {
            "client": pl.Series(clients, dtype=pl.UInt32),
            "ahead": pl.Series([plan.cycle_start(client, clock) for client in clients], dtype=pl.Int64),
            "round_1_s": pl.Series([plan.first_due(client, clock) for client in clients], dtype=pl.Float64),
            "jitter": pl.Series(jitter, dtype=pl.UInt64),
            "ahead_of_piece": pl.Series(pieces, dtype=pl.Int64),
            "system": pl.Series([plan.system(client) for client in clients], dtype=pl.Int64),
        }
    )


def due_s(plan: Plan, clock: Clock) -> pl.Expr:
    """When a round is due by the clock, by the very arithmetic of `Plan.due`; of rows beside `table_of`."""
    exact = pl.col("round_1_s") + (_ROUND - 1) * clock.interval_s
    late = [_turn_s(plan, clock)] if plan.halves else []
    if plan.jitter_s:
        late.append(plan.jitter_s * _unit(pl.col("jitter") + _ROUND.cast(pl.UInt64) * _u64(chance.STEP)))
    return on_tick(exact + sum(late[1:], start=late[0]) if late else exact)


def _turn_s(plan: Plan, clock: Clock) -> pl.Expr:
    """When the turn of a device's server begins; null beyond the pieces of the window."""
    a_round, systems = round(clock.interval_s / plan.shortest_s), plan.systems
    piece = ((_ROUND - 1) * a_round + pl.col("ahead_of_piece")) // plan.piece_rounds
    most = math.ceil((plan.warmup_s + plan.window_s + plan.ramp_up_s) / plan.shortest_s / plan.piece_rounds) + 2
    known = ((number, system) for number in range(-most, most) for system in range(systems))
    turns = {number * systems + system: plan.turn_s(number, system) for number, system in known}
    return (piece * systems + pl.col("system")).replace_strict(turns, default=None, return_dtype=pl.Float64)


def is_planned(clock: Clock) -> pl.Expr:
    """Whether there is such a device, and its round has this endpoint; of rows beside `table_of`."""
    place, cycle = _ROUND + pl.col("ahead"), clock.cycle_rounds
    joins = dict(zip(clock.endpoints, clock.joins_per_cycle, strict=True))
    # PERF: what is polled in every round needs no arithmetic.
    steps = {
        endpoint: place * often // cycle > (place - 1) * often // cycle
        for endpoint, often in joins.items()
        if often < cycle
    }
    polled = [(endpoint == _ENDPOINT) & steps.get(endpoint, pl.lit(value=True)) for endpoint in joins]
    return pl.col("ahead").is_not_null() & pl.any_horizontal(polled)


def polls_before(plan: Plan, clock: Clock, client: int, round_: int) -> int:
    """Polls of a device in the rounds of its cycles before this one; differences of two such counts are what is of use."""
    place = round_ - 1 + plan.cycle_start(client, clock)
    return sum(place * joins // clock.cycle_rounds for joins in clock.joins_per_cycle)


def polls_of_rounds(plan: Plan, clock: Clock, starts: Sequence[int], stops: Sequence[int], clients: range) -> pl.DataFrame:
    """The polls of given rounds of a clock, whatever the pacing.

    Args:
        starts: first round, by client.
        stops: round after the last, by client.
        clients: of whom.

    Returns:
        The columns of `table_of`, and round and endpoint.
    """
    some = slice(clients.start, clients.stop)
    rounds = (
        table_of(plan, clock)[some]
        .with_columns(round=pl.int_ranges(pl.Series(starts[some]), pl.Series(stops[some]), eager=True))
        .explode("round")
        .drop_nulls("round")
        .with_columns(pl.col("round").cast(pl.UInt32))
    )
    names = pl.Enum(plan.endpoints)
    each = [rounds.with_columns(endpoint=pl.lit(plan.endpoints[endpoint], dtype=names)) for endpoint in clock.endpoints]
    return pl.concat(each).filter(is_planned(clock))


def on_tick(seconds: pl.Expr) -> pl.Expr:
    """The nearest whole tick, by the very arithmetic of `schedule.on_tick`."""
    return (seconds / TICK_S + 0.5).floor() * TICK_S


def _unit(state: pl.Expr) -> pl.Expr:
    """`chance.unit` of many states; sums and products of 64 bits wrap."""
    z = state + _u64(chance.STEP)
    z = (z ^ (z // 2**30)) * _u64(0xBF58476D1CE4E5B9)
    z = (z ^ (z // 2**27)) * _u64(0x94D049BB133111EB)
    z = z ^ (z // 2**31)
    return (z // 2**11).cast(pl.Float64) * 2.0**-53


def _u64(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)
