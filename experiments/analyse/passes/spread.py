"""How many polls took how long, of any number of polls, in memory that is bounded.

Batches of times -> each time that occurred, and how often. Instants are whole ticks, so that times repeat: 66 million polls
of some milliseconds have a few ten thousand different ones, and what is kept of them is exact.

Where there are more different times than may be kept, those that lie close together become one, the longest of them: every
figure is then a time that was measured, and longer than the exact one by at most `off_by` of it. That is 0.0002 % at first,
and 0.6 % only where very many groups have very different times. Maximum, mean and all counts stay exact.
"""

from __future__ import annotations

import polars as pl

MOST_KEPT = 1_000_000
"""Different times, of all groups together: about 30 MB."""
_STEPS = (2**18, 2**15, 2**12, 2**9, 2**7)
"""Times that are told apart between one and its double, fewer whenever there are too many."""
_UNMERGED = 250_000
"""As many rows wait to be put together with the others, at least."""


class Spread:
    """The times of groups of polls.

    Args:
        keys: the columns that name a group; none for one group.
        most: different times that may be kept.
    """

    def __init__(self, keys: tuple[str, ...] = (), most: int = MOST_KEPT) -> None:
        self.keys = keys
        self.total_s = 0.0
        """Sum of all times."""
        self._most = most
        self._steps: int | None = None
        self._merged: pl.DataFrame | None = None
        self._waiting: list[pl.DataFrame] = []
        self._kinds: dict[str, pl.DataType] = dict.fromkeys(keys, pl.Null())

    @property
    def off_by(self) -> float:
        """By how much, as a share of it, a time may be longer than the exact one; 0 where all are exact."""
        return 0.0 if self._steps is None else 2.0 ** (1 / self._steps) - 1

    def add(self, rows: pl.DataFrame) -> None:
        """Counts rows.

        Args:
            rows: frame(*keys, value, answered): seconds, and whether that is known to be all; without nulls.
        """
        self._kinds = {name: rows.schema[name] for name in self.keys}
        if rows.is_empty():
            return
        self.total_s += float(rows["value"].sum())
        counted = rows.group_by(*self.keys, self._place()).agg(
            pl.col("value").max().alias("time"),
            polls=pl.len().cast(pl.Int64),
            answered=pl.col("answered").sum().cast(pl.Int64),
        )
        self._waiting.append(counted.drop("place").rename({"time": "value"}))
        kept = 0 if self._merged is None else self._merged.height
        if sum(frame.height for frame in self._waiting) > max(kept, _UNMERGED):
            self._merge()

    def frame(self) -> pl.DataFrame:
        """What has been counted: frame(*keys, value, polls, answered), in ascending order."""
        self._merge()
        if self._merged is None:
            return pl.DataFrame(schema={**self._kinds, "value": pl.Float64, "polls": pl.Int64, "answered": pl.Int64})
        return self._merged.sort(*self.keys, "value")

    def _merge(self) -> None:
        if not self._waiting:
            return
        frames = self._waiting if self._merged is None else [self._merged, *self._waiting]
        self._waiting = []
        self._merged = pl.concat(frames) if len(frames) == 1 else self._together(pl.concat(frames))
        for steps in _STEPS:
            if self._merged.height <= self._most:
                return
            if self._steps is None or steps < self._steps:
                self._steps = steps
                self._merged = self._together(self._merged)

    def _together(self, frame: pl.DataFrame) -> pl.DataFrame:
        same = frame.group_by(*self.keys, self._place()).agg(
            pl.col("value").max().alias("time"), pl.col("polls", "answered").sum()
        )
        return same.drop("place").rename({"time": "value"})

    def _place(self) -> pl.Expr:
        """What is the same for times that are not told apart."""
        value = pl.col("value")
        if self._steps is None:
            return value.alias("place")
        # What a damaged record has below zero is one.
        step = (value.log(2) * self._steps).floor()
        return pl.when(value > 0).then(step.cast(pl.Int32)).alias("place")


def percentile(percent: int) -> pl.Expr:
    """Nearest-rank percentile of a group of a spread's frame, null where fewer than ten polls lie beyond.

    To be used within `agg`; exact for whole percents.
    """
    return _supported(percent, _at(_count(), _rank(percent)))


def censored(percent: int, high_rank: pl.Expr) -> pl.Expr:
    """Whether that percentile is only known to be longer, by the rule of `latency`; null where it is.

    Args:
        high_rank: the upper end of its interval, of a group of `count()` polls.
    """
    rank = _rank(percent)
    bound = _at(pl.col("answered").cum_sum(), rank).fill_null(float("inf"))
    return _supported(percent, bound > _at(_count(), pl.max_horizontal(high_rank, rank).clip(upper_bound=count())))


def count() -> pl.Expr:
    """Polls of a group."""
    return pl.col("polls").sum()


def _count() -> pl.Expr:
    return pl.col("polls").cum_sum()


def _rank(percent: int) -> pl.Expr:
    return (count() * percent + 99) // 100


def _at(reached: pl.Expr, rank: pl.Expr) -> pl.Expr:
    """The time at a rank: the first up to which so many polls were done."""
    return pl.col("value").filter(reached >= rank).first()


def _supported(percent: int, value: pl.Expr) -> pl.Expr:
    return pl.when(count() * (100 - percent) >= 1000).then(value)
