"""Everything that is gathered in one pass over the polls of a record, for its summary and its verdict.

Record -> counts, times and what checks must know of each row. Counts are exact; times are what `spread` keeps of them. What
is drawn over time is gathered in a pass of its own, since its bins depend on these counts.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from experiments.analyse import send_delay
from experiments.analyse.checks import expected
from experiments.analyse.checks.completeness import Comparison
from experiments.analyse.clients import ByClient
from experiments.analyse.connecting import SentAgain
from experiments.analyse.latency import Times
from experiments.analyse.passes.before import Before
from experiments.analyse.passes.order import go_through
from experiments.analyse.passes.spread import Spread
from experiments.analyse.passes.sums import Sums
from experiments.analyse.polls import WAS_SENT, measured
from experiments.analyse.resources import Costs
from experiments.record.reading import Record
from experiments.record.schema import UNANSWERED
from experiments.schedule import TICK_S

_SAME_S = 1.5 * TICK_S
_TIMED = pl.col("outcome").is_in(("ok", *UNANSWERED))
_OK = pl.col("outcome") == "ok"
KINDS = ("response", "latency")


def digest(record: Record, costs: Costs, system: int | None = None) -> Digest:
    """What is gathered of a record, once.

    Args:
        system: of the polls of this server alone; None for those of all.
    """
    name = f"digest of {'all' if system is None else system}"
    found: Digest | None = record.kept.get(name)
    if found is None:
        made: list[Digest] = []

        def begin() -> Digest:
            made.append(Digest(record, costs, system))
            return made[-1]

        go_through(record, begin)
        found = record.kept[name] = made[-1]
    return found


class Digest:
    """Gathers what is known of the polls of a record; called with each batch of arranged polls.

    Args:
        costs: when the samples of processors begin and end.
        system: see `digest`.
    """

    def __init__(self, record: Record, costs: Costs, system: int | None = None) -> None:
        self._system = system
        plan, names = record.plan, record.endpoints
        self._pacing = plan.pacing if len(plan.clocks) == 1 else "fixed"
        done, sent = pl.col("done_s"), pl.col("sent_s")
        came = done.is_between(0, record.window_s, closed="left")
        self._counts = Sums(
            ("measured", "endpoint", "outcome", "status", "failed_check", "right"),
            {
                "polls": pl.len().cast(pl.Int64),
                "sent": sent.count().cast(pl.Int64),
                "done_covered": _within(done, costs).sum().cast(pl.Int64),
                "sent_covered": _within(sent, costs).sum().cast(pl.Int64),
                "came": came.sum().cast(pl.Int64),
                "came_bytes": pl.col("bytes").filter(came).cast(pl.Int64).sum(),
                "last_round": pl.col("round").max(),
            },
            most=("last_round",),
        )
        self._right = expected.right(record)
        self._times = {(name, kind): Spread() for name in names for kind in KINDS}
        self._punctual = {name: Spread() for name in names}
        self._lag, self._added = Spread(), Spread()
        self._ends, self._free = send_delay.ends(), Before("done_s")
        self.comparison = Comparison(
            plan, record.window_s, broken_off_s=None if record.finished else record.scenario.timeout_s
        )
        self.by_client = ByClient()
        self.sent_again = SentAgain()
        self.overlaps = self.disorders = 0
        """Polls sent before their device was free, and polls whose instants contradict each other."""
        self.last_due_s = 0.0
        """When the last round was due."""
        self.strays: list[pl.DataFrame] = []
        """Polls of the window that were due before it, and polls due in it that are not its: their round began before."""

    def __call__(self, rows: pl.DataFrame) -> None:
        """Looks at a batch.

        Args:
            rows: arranged polls, warm-up included.
        """
        rows = rows if self._system is None else rows.filter(pl.col("system") == self._system)
        polls = measured(rows)
        in_window = (pl.col("first_due_s") >= 0).fill_null(value=False).alias("measured")
        self._counts.add(rows.with_columns(in_window, self._right.alias("right")))
        self._look_at_times(polls)
        self._look_at_delays(rows)
        self._look_at_order(rows)
        self.comparison.add(rows)
        self.by_client.add(polls)
        self.sent_again.add(polls)
        strays = rows.filter((pl.col("due_s") >= 0) != (pl.col("first_due_s") >= 0))
        self.strays += [strays.select("client", "round", "endpoint", "due_s")] if strays.height else []
        last = polls["first_due_s"].max()
        self.last_due_s = max(self.last_due_s, last) if isinstance(last, float) else self.last_due_s

    def _look_at_times(self, polls: pl.DataFrame) -> None:
        for (name, kind), spread in self._times.items():
            value = pl.col(f"{kind}_s")
            timed = polls.lazy().filter((pl.col("endpoint") == name) & _TIMED & value.is_not_null())
            spread.add(timed.select(value=value, answered=_OK).collect())
        _add(self._lag, polls, "lag_s")

    def _look_at_delays(self, rows: pl.DataFrame) -> None:
        late = measured(send_delay.with_send_delay(rows, self._pacing, self._ends))
        _add(self._added, late, "added_s")
        for name, spread in self._punctual.items():
            _add(spread, late.lazy().filter((pl.col("endpoint") == name) & _TIMED), "punctual_s")

    def _look_at_order(self, rows: pl.DataFrame) -> None:
        """No device has two polls at once; due <= ready <= sent <= done, and ready is due or when the device came free."""
        names = ("due_s", "ready_s", "sent_s", "done_s")
        polls = rows.lazy().filter(WAS_SENT).select("client", *names).collect()
        free_s = self._free.of(polls)["done_s"]
        due, ready, sent, done = map(pl.col, names)
        overlap = sent < free_s - _SAME_S
        ordered = (due <= ready + _SAME_S) & (ready <= sent + _SAME_S) & (sent <= done + _SAME_S)
        kept = (ready - pl.max_horizontal(due, free_s)).abs() <= _SAME_S
        wrong = polls.select(
            overlap=overlap.fill_null(value=False).sum(),
            disorder=(~(ordered & kept).fill_null(value=False)).sum(),
        )
        overlaps, disorders = wrong.row(0)
        self.overlaps += overlaps
        self.disorders += disorders

    # -- what came of all batches ----------------------------------------------------------------

    @cached_property
    def all_counts(self) -> pl.DataFrame:
        """How many polls, warm-up included, by what they are.

        frame(measured, endpoint, outcome, status, failed_check, right, polls, sent, done_covered, sent_covered, came,
        came_bytes, last_round): `right` is whether status and length are those of a right answer, `covered` that samples of
        processors were taken then, `came` that they ended within the window.
        """
        return self._counts.frame()

    @cached_property
    def counts(self) -> pl.DataFrame:
        """The same of the measured window."""
        return self.all_counts.filter("measured")

    @cached_property
    def times(self) -> dict[tuple[str, str], Times]:
        """(endpoint, `response` or `latency`) -> how long its polls took that percentiles are about."""
        return {key: Times.counted(spread) for key, spread in self._times.items()}

    @cached_property
    def punctual(self) -> dict[str, Times]:
        """Endpoint -> the responses that a punctual generator would have seen."""
        return {name: Times.counted(spread) for name, spread in self._punctual.items()}

    @cached_property
    def lag(self) -> Times:
        """Lag of every poll that was sent."""
        return Times.counted(self._lag)

    @cached_property
    def added(self) -> Times:
        """What the generator added to the response of every poll that was sent; see `send_delay`."""
        return Times.counted(self._added)


def _within(instant: pl.Expr, costs: Costs) -> pl.Expr:
    return instant.is_between(costs.start_s, costs.end_s, closed="left")


def _add(spread: Spread, polls: pl.DataFrame | pl.LazyFrame, name: str) -> None:
    value = pl.col(name)
    spread.add(polls.lazy().filter(value.is_not_null()).select(value=value, answered=pl.lit(value=True)).collect())
