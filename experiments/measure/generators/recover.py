"""What is kept of a generator that was lost: its parts on disk, and a row for each of its polls that has none there.

Shard and window in; a part in the generator's name, the counts of its shard and a sentence out. Without those rows the
record would seem to have been asked for less than it was: planned = sent + unsent would hold of nothing.

A poll without a row was never sent, or it was and its row went with the generator: the rows of its last seconds were in
its memory. Nobody can tell the two apart any more. All of them are recorded as `unsent_late`, which is the worse for the
generator and says nothing of the server; the sentence tells it, and no verdict calls such a run valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import polars as pl

from experiments.errors import RecordError
from experiments.measure.generators.shard import Shard
from experiments.record import reading, store
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import UNSENT, Outcome
from experiments.schedule import Clock, Endpoint, Plan, on_tick

_NEEDED = ("client", "round", "endpoint", "due_s", "done_s", "outcome")
"""Some 25 bytes a poll, where all columns of a part take 65."""
PART_ROWS = 200_000
"""Most rows of a part: a shard that was lost early in a long run lacks millions."""


@dataclass(frozen=True)
class Salvage:
    """What is known of a lost shard."""

    totals: dict[str, int]
    """Counts of the measured window, those of the added rows included; empty if there is nothing left to count."""
    parts: int
    """Parts on disk, the added ones included."""
    checksums: list[str | None]
    """Of the parts, as they are now that nobody writes any more; None of one that is not there."""
    rows: int
    """Rows in them."""
    added_rows: int
    """Of these, rows that were added here."""
    lost_rows: int
    """Rows that should have been added, and could not be written."""
    said: str
    """What became of the polls, to be read behind what became of the generator."""


def salvage(shard: Shard, window_s: float) -> Salvage:
    """Gives each poll of a lost shard its row.

    Args:
        shard: the generator must be gone: it cannot write any more.
        window_s: length of the window that was really measured.
    """
    store.sweep(Path(shard.run_path), shard.instance)
    try:
        before = _rows(shard)
        lost_rows = _add(shard, before, window_s)
        after = _rows(shard)
        parts = reading.load(shard.run_path).parts(shard.instance)
    except RecordError:  # Its folder is gone; whoever seals the record says so.
        return Salvage({}, 0, [], 0, 0, 0, "nothing of it is left")
    added = len(after) - len(before)
    said = "every poll has its row"
    if added or lost_rows:
        said = f"{added:,} of its polls have no row of their own and are recorded as unsent_late, although some of its last "
        said += "seconds may have been sent"
    if lost_rows:
        said += f"; {lost_rows:,} more could not be written down"
    return Salvage(_count(shard.plan, after), parts, _checksums(shard, parts), len(after), added, lost_rows, said)


def _checksums(shard: Shard, parts: int) -> list[str | None]:
    paths = [Path(shard.run_path) / "requests" / f"part-{shard.instance}-{number}.parquet" for number in range(parts)]
    return [store.checksum(path) if path.is_file() else None for path in paths]


def _rows(shard: Shard) -> pl.DataFrame:
    own = pl.col("client") % shard.generators == shard.instance
    return pl.concat(rows.filter(own) for rows in reading.load(shard.run_path).rows.batches(_NEEDED))


def _add(shard: Shard, rows: pl.DataFrame, window_s: float) -> int:
    """Writes the rows that are not there; returns how many could not be written."""
    path, lost = Path(shard.run_path), 0
    polls = _absent(shard, rows, window_s)
    number, systems = reading.load(path).parts(shard.instance), shard.plan.system_of_each
    while some := list(islice(polls, PART_ROWS)):
        buffer = RowBuffer(start_at=0.0)
        for client, round_, endpoint, due in some:
            place = shard.plan.endpoints.index(endpoint)
            buffer.add(client, round_, place, due, NEVER, NEVER, window_s, 0.0, 0, 0, Outcome.UNSENT_LATE)
        try:
            store.write_part(path, shard.instance, number, buffer.take(), endpoints=shard.plan.endpoints, systems=systems)
        except OSError:
            lost += len(some)
        number += 1
    return lost


def _absent(shard: Shard, rows: pl.DataFrame, window_s: float) -> Iterator[tuple[int, int, Endpoint, float]]:
    """(client, round, endpoint, due) of each poll that has no row."""
    known = {int(str(key[0])): frame for key, frame in rows.partition_by("client", as_dict=True).items()}
    plan = shard.plan
    for client, clock in product(shard.clients, plan.clocks):
        names = [plan.endpoints[place] for place in clock.endpoints]
        mine = known.get(client, rows.clear()).filter(pl.col("endpoint").is_in(names))
        following = _absent_by_the_clock if plan.follows_the_clock(clock) else _absent_in_the_chain
        for round_, endpoint, due in following(plan, client, clock, mine, window_s):
            yield client, round_, endpoint, due


def _absent_by_the_clock(
    plan: Plan, client: int, clock: Clock, rows: pl.DataFrame, window_s: float
) -> Iterator[tuple[int, Endpoint, float]]:
    seen = set(rows.select("round", "endpoint").iter_rows())
    for round_ in plan.measured_rounds(client, clock, window_s):
        for endpoint in plan.named(client, clock, round_):
            if (round_, endpoint) not in seen:
                yield round_, endpoint, plan.due(client, clock, round_)


def _absent_in_the_chain(
    plan: Plan, client: int, clock: Clock, rows: pl.DataFrame, window_s: float
) -> Iterator[tuple[int, Endpoint, float]]:
    """Under `after`, and where answers say when to poll next: the rest of the last round, or the round due an interval after
    it; what never ended has no next."""
    round_, due, seen = 1, plan.due(client, clock, 1), set()
    if len(rows):
        last = rows.filter(pl.col("round") == rows["round"].max())
        if last["outcome"].is_in(UNSENT).any():
            return
        round_, seen = int(last["round"][0]), set(last["endpoint"])
        due = float(last["due_s"].min())  # type: ignore[arg-type]
        if seen == set(plan.named(client, clock, round_)):
            round_, seen = round_ + 1, set()
            due = on_tick(float(last["done_s"].max()) + clock.interval_s)  # type: ignore[arg-type]
    for endpoint in plan.named(client, clock, round_):
        if endpoint not in seen and due < window_s:
            yield round_, endpoint, due


def _clock(plan: Plan) -> pl.Expr:
    """The number of a poll's clock: rounds are counted on each from 1."""
    numbers = {plan.endpoints[place]: number for number, clock in enumerate(plan.clocks) for place in clock.endpoints}
    return pl.col("endpoint").cast(pl.String).replace_strict(numbers, default=0, return_dtype=pl.Int64)


def _count(plan: Plan, rows: pl.DataFrame) -> dict[str, int]:
    """Counts of the window's polls; a round belongs to it as its first poll does."""
    measured = rows.filter(pl.col("due_s").min().over("client", "round", _clock(plan)) >= 0)
    outcomes = {str(outcome): int(number) for outcome, number in measured["outcome"].value_counts().iter_rows()}
    unsent = {name: outcomes.get(name, 0) for name in UNSENT}
    sent, ok = len(measured) - sum(unsent.values()), outcomes.get("ok", 0)
    return {"planned": len(measured), "sent": sent, "ok": ok, "failed": sent - ok, **unsent}
