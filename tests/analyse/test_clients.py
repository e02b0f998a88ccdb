"""The table of what each device lived through."""

from pathlib import Path

import polars as pl
import pytest

from experiments.analyse.clients import ByClient
from experiments.analyse.polls import prepare
from experiments.record.schema import Outcome
from tests.support.made_up import SMALL, Answer, Poll, ideal, made_up

COLUMNS = ["client", "endpoint", "planned", "ok", "failed", "reasons", "unsent", "p50_ms", "p95_ms", "p99_ms", "max_ms"]
COLUMNS += ["unanswered", "p50_censored", "p95_censored", "p99_censored", "max_censored"]


def table_of(polls: pl.DataFrame) -> pl.DataFrame:
    """The table of polls that came in three batches, in whatever order."""
    by_client = ByClient()
    for number in range(3):
        by_client.add(polls.gather_every(3, number))
    return by_client.table()


@pytest.fixture
def polls(tmp_path: Path) -> pl.DataFrame:
    """Device 0 fails in two ways, device 1 is never answered, the others are well."""
    well = ideal()

    def server(poll: Poll) -> Answer:
        if poll.client == 0 and poll.round % 4 == 0:
            return Answer(0.0005, Outcome.RESET, 0, 0) if poll.round % 8 else Answer(0.0005, Outcome.HTTP_ERROR, 503, 9)
        if poll.client == 0 and poll.round % 10 == 1:
            return Answer(0.0005, Outcome.RESET, 0, 0)
        return Answer(1e9) if poll.client == 1 else well(poll)

    return prepare(made_up(tmp_path, SMALL.model_copy(update={"timeout_s": 4.0}), server=server))


def test_there_is_a_row_for_each_device_and_endpoint(polls: pl.DataFrame) -> None:
    """In order, with the columns that the report shows."""
    table = table_of(polls)
    assert table.columns == COLUMNS
    assert table["client"].to_list() == [client for client in range(40) for _ in range(2)]
    assert table["endpoint"].to_list() == ["status", "bulk"] * 40


def test_counts_are_conserved(polls: pl.DataFrame) -> None:
    """planned = ok + failed + unsent in every row, and all rows make all polls."""
    table = table_of(polls)
    assert (table["planned"] == table["ok"] + table["failed"] + table["unsent"]).all()
    assert table["planned"].sum() == len(polls)


def test_reasons_are_counted_the_most_frequent_first(polls: pl.DataFrame) -> None:
    """Each device's failures are named by reason; a device that had none has none."""
    table = table_of(polls)
    first = table.row(0, named=True)
    mine = polls.filter((pl.col("client") == 0) & (pl.col("endpoint") == "status"))
    resets, errors = ((mine["outcome"] == name).sum() for name in ("reset", "http_error"))
    assert first["reasons"] == f"reset {resets}, http_error (503) {errors}"
    assert first["failed"] == resets + errors
    silent = table.row(2, named=True)
    assert silent["reasons"] == f"read_timeout {silent['failed']}"
    assert silent["ok"] == 0
    assert silent["unsent"] > 100
    assert set(table["reasons"][4:]) == {""}


def test_times_are_of_response_in_milliseconds(polls: pl.DataFrame) -> None:
    """Nearest rank where it is supported, else null; a device that waited in vain shows how long."""
    table = table_of(polls)
    mine = polls.filter((pl.col("client") == 5) & (pl.col("endpoint") == "status"))["response_s"].sort()
    row = table.filter((pl.col("client") == 5) & (pl.col("endpoint") == "status")).row(0, named=True)
    assert row["p50_ms"] == 1000 * mine[59]
    assert (row["p95_ms"], row["p99_ms"]) == (None, None)
    assert row["max_ms"] == 1000 * mine[-1]
    assert table.row(2, named=True)["max_ms"] > 20_000


def test_a_device_that_was_never_answered_has_bounds_and_no_times(polls: pl.DataFrame) -> None:
    """It waited longer than each of its figures; a device that was answered has none of that."""
    table = table_of(polls)
    silent, well = table.row(2, named=True), table.row(10, named=True)
    assert (silent["ok"], silent["unanswered"]) == (0, silent["failed"])
    assert (silent["p50_censored"], silent["max_censored"]) == (True, True)
    assert (well["unanswered"], well["p50_censored"], well["max_censored"]) == (0, False, False)


def test_no_polls_make_no_rows(polls: pl.DataFrame) -> None:
    """The columns are there all the same."""
    table = table_of(polls.clear())
    assert table.columns == COLUMNS
    assert table.is_empty()
