"""How many polls took how long, of any number of polls, in memory that is bounded.

Batches of times -> each time that occurred, and how often. Instants are whole ticks, so that times repeat: 66 million polls
of some milliseconds have a few ten thousand different ones, and what is kept of them is exact.

Where there are more different times than may be kept, those that lie close together are taken for the longest that is as
close: a figure is then longer than the exact one by at most `off_by` of it. That is 0.0003 % at first, and 0.6 % only where
very many groups have very different times. Counts, the longest time and the sum of all stay exact.
"""

from __future__ import annotations

import polars as pl

MOST_KEPT = 1_000_000
"""Different times, of all groups together: about 30 MB."""
_STEPS = (2**18, 2**15, 2**12, 2**9, 2**7)
"""Times that are told apart between one and its double, fewer whenever there are too many."""
_UNMERGED = 250_000
"""As many rows wait to be put together with the others, at least."""
_PLACES = 2**26
"""More than a time has places: 2**18 between 2**k and 2**(k + 1) seconds, for each k from -64 to 63."""
_SCHEMA = {"group": pl.Int64, "value": pl.Float64, "polls": pl.Int64, "answered": pl.Int64}
_COUNTS = ("polls", "answered")


class Spread:
    """The times of groups of polls.

    Args:
        most: different times that may be kept.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.total_s = 0.0
        """Sum of all times."""
        self.longest_s: float | None = None
        self._most = most
        self._steps: int | None = None
        """None as long as every time is kept as it is."""
        self._merged: pl.DataFrame | None = None
        self._waiting: list[pl.DataFrame] = []

    @property
    def off_by(self) -> float:
        """By how much, as a share of it, a time may be longer than the exact one; 0 where all are exact."""
        return 0.0 if self._steps is None else 2.0 ** (1 / self._steps) - 1

    def add(self, rows: pl.DataFrame) -> None:
        """Counts rows.

        Args:
            rows: frame(group, value, answered): a number of a group up to 2**35, seconds, and whether that is known to be
                all; without nulls. Without the column `group` all are of one, 0.
        """
        if rows.is_empty():
            return
        longest = float(rows["value"].max())  # type: ignore[arg-type]
        self.longest_s = longest if self.longest_s is None else max(longest, self.longest_s)
        self.total_s += float(rows["value"].sum())
        self._waiting.append(self._counted(rows))
        kept = 0 if self._merged is None else self._merged.height
        if sum(frame.height for frame in self._waiting) > max(kept, _UNMERGED):
            self._merge()

    def frame(self) -> pl.DataFrame:
        """What has been counted: frame(group, value, polls, answered), in ascending order."""
        self._merge()
        if self._merged is None:
            return pl.DataFrame(schema=_SCHEMA)
        if self._steps is None:
            return _grouped(self._merged).select(*_SCHEMA).sort("group", "value")
        end = pl.lit(2.0).pow((pl.col("place") % _PLACES - _PLACES // 2 + 1) / self._steps)
        return self._merged.sort("place").select(*_COUNTS, group=pl.col("place") // _PLACES, value=end)

    def _counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self._steps is None:
            answered = pl.col("answered").sum().cast(pl.Int64)
            keys = [name for name in ("group", "value") if name in rows.columns]
            return rows.group_by(keys).agg(polls=pl.len().cast(pl.Int64), answered=answered)
        # PERF: sorted numbers count themselves, in a third of the time that groups of several columns take.
        place, rows = _place(self._steps), _grouped(rows)
        all_ = _lengths(rows.select(place).to_series()).rename({"len": "polls"})
        unknown = _lengths(rows.filter(~pl.col("answered")).select(place).to_series()).rename({"len": "unanswered"})
        both = all_.join(unknown, on="place", how="left")
        return both.select("place", "polls", answered=pl.col("polls") - pl.col("unanswered").fill_null(0))

    def _merge(self) -> None:
        if not self._waiting:
            return
        frames = self._waiting if self._merged is None else [self._merged, *self._waiting]
        self._waiting = []
        self._merged = pl.concat(frames)
        if len(frames) > 1:
            self._merged = self._summed(self._merged)
        for steps in _STEPS:
            if self._merged.height <= self._most:
                return
            if self._steps is None or steps < self._steps:
                self._merged = self._summed(self._coarser(self._merged, steps))
                self._steps = steps

    def _summed(self, frame: pl.DataFrame) -> pl.DataFrame:
        keys = [name for name in frame.columns if name not in _COUNTS]
        return frame.group_by(keys).agg(pl.col(_COUNTS).sum())

    def _coarser(self, frame: pl.DataFrame, steps: int) -> pl.DataFrame:
        if self._steps is None:
            return _grouped(frame).select(_place(steps), *_COUNTS)
        half = _PLACES // 2
        finer = pl.col("place") % _PLACES - half
        coarser = pl.col("place") - finer + finer // (self._steps // steps)
        return frame.with_columns(place=coarser)


def _grouped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows if "group" in rows.columns else rows.with_columns(group=pl.lit(0, dtype=pl.Int64))


def _place(steps: int) -> pl.Expr:
    """Group and time as one number: groups in their order, and within each the times in theirs."""
    # What a damaged record has at zero or below is as short as can be.
    step = (pl.col("value").clip(2.0**-63).log(2) * steps).ceil().cast(pl.Int64) - 1
    return (pl.col("group") * _PLACES + step + _PLACES // 2).alias("place")


def _lengths(places: pl.Series) -> pl.DataFrame:
    """How often each place occurs: frame(place, len)."""
    return places.sort().rle().struct.unnest().select(place="value", len=pl.col("len").cast(pl.Int64))


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
