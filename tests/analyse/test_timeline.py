"""What happened when: nothing is lost or counted twice in the bins."""

import math
from pathlib import Path

import polars as pl
import pytest

from experiments.analyse import timeline
from experiments.analyse.polls import prepare
from experiments.record.schema import Outcome
from tests.support.made_up import Answer, Poll, failing, late, made_up, stalling


def of(polls: pl.DataFrame, fold: timeline.Fold, batches: int = 3) -> pl.DataFrame:
    """What comes of these polls, shown in some batches, whatever their order."""
    for number in range(batches):
        fold.add(polls.gather_every(batches, number))
    return fold.frame()


def response(polls: pl.DataFrame, endpoint: str, bin_s: float) -> pl.DataFrame:
    return of(polls, timeline.ResponseOverTime(endpoint, bin_s, last_due(polls)))


def planned(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    return of(polls, timeline.PlannedOverTime(bin_s, last_due(polls)))


def outcomes(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    return of(polls, timeline.OutcomesOverTime(bin_s))


def lag(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    return of(polls, timeline.LagOverTime(bin_s))


def slowest(polls: pl.DataFrame, bin_s: float, rows: int = 200) -> pl.DataFrame:
    return of(polls, timeline.SlowestByClient(bin_s, last_due(polls), 40, rows))


def last_due(polls: pl.DataFrame) -> float:
    return polls["first_due_s"].max() or 0.0  # type: ignore[return-value]


_LOST = {"failed": ["reset"], "unanswered": ["read_timeout"], "unsent": ["unsent_busy", "unsent_late"]}
"""Column of the map of devices -> outcomes that it counts."""


@pytest.fixture
def polls(tmp_path: Path) -> pl.DataFrame:
    """Half a minute with failures and a stall that leaves polls unsent."""
    return prepare(made_up(tmp_path, server=stalling(28, 60, failing(Outcome.RESET))))


@pytest.mark.parametrize("bin_s", [0.25, 1.0, 7.0])
def test_every_poll_is_in_one_bin(polls: pl.DataFrame, bin_s: float) -> None:
    """Outcomes and plan over time add up to all polls, by endpoint and reason; timed ones to theirs."""
    ended, due = outcomes(polls, bin_s), planned(polls, bin_s)
    counted = polls.group_by("endpoint", "outcome").agg(polls=pl.len().cast(pl.Int64)).sort("endpoint", "outcome")
    summed = ended.group_by("endpoint", "outcome").agg(pl.col("polls").sum().cast(pl.Int64))
    assert summed.sort("endpoint", "outcome").equals(counted)
    assert due["polls"].sum() == len(polls)
    timed = polls.filter(pl.col("outcome").is_in(["ok", "read_timeout", "unsent_busy"]))
    responses = [response(polls, name, bin_s) for name in ("status", "bulk")]
    assert sum(frame["n"].sum() for frame in responses) == len(timed)
    assert lag(polls, bin_s)["n"].sum() == polls["sent_s"].count()
    cells = slowest(polls, bin_s, 7)
    counted = {name: polls["outcome"].is_in(words).sum() for name, words in _LOST.items()}
    assert {name: cells[name].sum() for name in _LOST} == counted


def test_a_bin_holds_what_was_due_in_it(polls: pl.DataFrame) -> None:
    """`t_s` is the beginning of the bin, and the percentiles are those of its polls."""
    frame = response(polls, "status", 2.0)
    third = polls.filter((pl.col("endpoint") == "status") & pl.col("due_s").is_between(4, 6, closed="left"))
    values = third.filter(pl.col("outcome") == "ok")["response_s"].sort()
    assert frame["t_s"].to_list() == [2.0 * number for number in range(15)]
    row = frame.row(2, named=True)
    assert row["n"] == len(values)
    assert row["p50_s"] == values[math.ceil(len(values) / 2) - 1]
    assert row["p95_s"] == values[math.ceil(len(values) * 0.95) - 1]
    assert row["p99_s"] is None


def test_a_server_that_never_comes_back_has_no_known_times(tmp_path: Path) -> None:
    """Who came due late had less time to wait: the figures fall towards the end, and each says that it is a bound."""
    polls = prepare(made_up(tmp_path, server=stalling(10, 90)))
    frame = response(polls, "status", 1.0)
    silent = frame.filter(pl.col("t_s") >= 10)
    assert silent["p50_s"].is_sorted(descending=True)
    assert silent["p50_censored"].all()
    assert not frame.filter(pl.col("t_s") < 9)["p50_censored"].any()
    assert frame["p99_censored"].to_list() == [None] * frame.height
    cells = slowest(polls, 1.0)
    assert cells.filter(pl.col("t_s") >= 10)["censored"].all()
    assert not cells.filter(pl.col("t_s") < 9)["censored"].any()


def test_outcomes_stand_where_they_ended(tmp_path: Path) -> None:
    """What a stall of the server holds back is answered after it, and was planned before."""
    polls = prepare(made_up(tmp_path, server=stalling(10, 5)))
    answered = outcomes(polls, 1.0).group_by("t_s").agg(pl.col("polls").sum())
    due = planned(polls, 1.0).group_by("t_s").agg(pl.col("polls").sum())
    assert answered.filter(pl.col("t_s").is_between(11, 14)).is_empty()
    assert answered.filter(pl.col("t_s") == 15)["polls"].item() > 800
    assert due.filter(pl.col("t_s") < 10)["polls"].sum() == answered.filter(pl.col("t_s") < 10)["polls"].sum()


def test_the_slowest_poll_of_each_device_is_found(tmp_path: Path) -> None:
    """One device's slow poll stands in its own row, alone when there are rows enough."""
    base = failing(Outcome.HTTP_ERROR, every=10**6)

    def server(poll: Poll) -> Answer:
        slow = poll.client == 17 and 12 <= poll.sent_s < 12.25
        return base(poll)._replace(latency_s=0.2) if slow else base(poll)

    polls = prepare(made_up(tmp_path, server=server))
    alone = slowest(polls, 1.0)
    assert alone.filter(pl.col("slowest_s") > 0.1).select("first_client", "clients", "t_s").row(0) == (17, 1, 12.0)
    grouped = slowest(polls, 1.0, rows=6)
    assert grouped["first_client"].unique().sort().to_list() == [0, 7, 14, 21, 28, 35]
    assert grouped.filter(pl.col("first_client") == 35)["clients"].unique().to_list() == [5]
    assert grouped.filter(pl.col("slowest_s") > 0.1)["first_client"].to_list() == [14]


def test_lag_stands_where_polls_were_ready(tmp_path: Path) -> None:
    """A generator that stood still is seen at the time at which it did."""
    polls = prepare(made_up(tmp_path, lag=late(stall_at=10, lasting=0.5)))
    frame = lag(polls, 1.0)
    assert frame.filter(pl.col("max_s") > 0.1)["t_s"].to_list() == [10.0]


@pytest.mark.parametrize(
    ("window_s", "a_s", "b_s"), [(600, 1000, 100), (30, 1000, 100), (30, 160, 16), (7, 1, 0), (86_400, 5, 1)]
)
def test_bins_divide_the_window_and_hold_enough(window_s: float, a_s: float, b_s: float) -> None:
    """Between 10 and 300 bins, whole ones, with 300 polls of the rarer endpoint where that is possible."""
    a, b = round(window_s * a_s), round(window_s * b_s)
    bin_s = timeline.choose_bin(window_s, [a, b])
    bins = window_s / bin_s
    assert bins == pytest.approx(round(bins))
    assert 10 <= round(bins) <= 300
    rarest = min(count for count in (a, b) if count)
    assert rarest / bins >= 290 or round(bins) == 10


def test_nothing_makes_empty_frames(polls: pl.DataFrame) -> None:
    """Without polls every table has its columns and no rows."""
    none = polls.clear()
    assert timeline.choose_bin(30.0, []) > 0
    assert timeline.choose_bin(0.0, [0, 0]) > 0
    for frame in (
        response(none, "bulk", 1.0),
        outcomes(none, 1.0),
        planned(none, 1.0),
        lag(none, 1.0),
        slowest(none, 1.0),
    ):
        assert frame.height == 0
        assert "t_s" in frame.columns
