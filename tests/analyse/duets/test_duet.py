"""What a run with two servers says of them, on made-up records."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse.duets.pieces import pieces
from experiments.analyse.polls import arrange
from experiments.analyse.summary import summarise
from experiments.record import store
from experiments.record.reading import Record, load
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import Answer, Poll, damage_facts, ideal, made_up

DUET = Scenario(clients=200, interval_ms=250, minutes=0.5, warmup_s=1, beside="starlette")


def slower(poll: Poll) -> Answer:
    """The second server takes twice as long, and fails now and then."""
    answer = ideal(jitter_s=0.0001)(poll)
    return answer._replace(latency_s=answer.latency_s * (1 + poll.system))


def resampled(record: Record, change: pl.Expr) -> Record:
    """The record with the CPU of the second server changed."""
    second = (pl.col("group") == "server") & (pl.col("instance") == 1)
    samples = record.resources().with_columns(cpu_s=pl.when(second).then(change).otherwise("cpu_s"))
    store.write_table(record.path / "resources.parquet", samples)
    return load(record.path)


def test_rows_say_which_server_was_polled(tmp_path: Path) -> None:
    """Each row has the server of its device, and both have as many devices; alone, nothing is said."""
    rows = made_up(tmp_path, DUET).requests()
    devices = rows.group_by("client").agg(pl.col("system").n_unique(), pl.col("system").first().alias("of"))
    assert set(devices["system"]) == {1}
    assert sorted(devices["of"].value_counts()["count"]) == [100, 100]
    alone = made_up(tmp_path / "alone", DUET.model_copy(update={"beside": ""})).requests()
    assert alone["system"].null_count() == len(alone)


def test_each_piece_has_the_cpu_and_the_answers_of_each_server(tmp_path: Path) -> None:
    """Between the samples at two borders, however late they came: so CPU and answers of all pieces are those of the run."""
    record = made_up(tmp_path, DUET)
    found = pieces(record, arrange(record))
    borders = record.plan.borders(record.window_s)
    assert found["piece"].n_unique() == len(borders) - 1 == 20
    assert found["cpu_s"].sum() == pytest.approx(2 * 0.5 * 30, rel=0.05)
    rows = record.requests().filter(pl.col("done_s").is_between(0, 30))
    assert found["answered"].sum() == pytest.approx(len(rows), rel=0.03)
    assert found["p95_s"].null_count() == 0


def test_what_the_second_server_needs_is_held_against_the_first(tmp_path: Path) -> None:
    """The ratio of CPU and of response times is found, with an interval, and the names of both."""
    record = resampled(made_up(tmp_path, DUET, server=slower), pl.col("cpu_s") * 1.2)
    duet = summarise(record)["duet"]
    assert (duet["a"], duet["b"], duet["split"], duet["pieces"]) == ("falcon", "starlette", "halves", 20)
    assert duet["cpu_ratio"]["estimate"] == pytest.approx(1.2, rel=0.01)
    assert duet["cpu_ratio"]["kind"] == "more"
    assert duet["response_p50_ratio"]["estimate"] == pytest.approx(2, rel=0.06)  # The generator's lag is in both.
    failures = {"a": 0, "b": 0, "planned_a": 13200, "planned_b": 13200, "pieces_a": 0, "pieces_b": 0, "p": 1.0}
    assert duet["failures"] == failures
    assert duet["memory"]["ratio"] == pytest.approx(1.0)


def test_headline_figures_are_those_of_the_first_server(tmp_path: Path) -> None:
    """Times of two servers are never thrown together; the second has its own under `beside`."""
    summary = summarise(made_up(tmp_path, DUET, server=slower))
    (other,) = summary["beside"]
    first, second = (one["endpoints"]["status"] for one in (summary, other))
    assert other["name"] == "starlette"
    assert first["planned"] == second["planned"] == 12000
    assert second["response_ms"]["p50"] > 1.7 * first["response_ms"]["p50"]
    assert summary["server"]["cpu_cores_mean"] == pytest.approx(0.5, abs=0.01)


def test_a_run_with_one_server_has_no_duet(tmp_path: Path) -> None:
    """Its summary is as it was."""
    summary = summarise(made_up(tmp_path, DUET.model_copy(update={"beside": ""})))
    assert not {"duet", "duets", "beside"} & {*summary}


@pytest.mark.parametrize(
    ("latency_s", "split", "kind", "status"),
    [
        (0.0005, "halves", "kept", "valid"),
        (0.04, "halves", "overlapping", "suspect"),
        (0.04, "mixed", "mixed", "valid"),
    ],
)
def test_turns_that_run_into_each_other_are_told(
    tmp_path: Path, latency_s: float, split: str, kind: str, status: str
) -> None:
    """With 40 ms of a turn of 125 ms a third of the polls end in the other server's; where none has a turn, none is lost."""
    asked = Scenario(**DUET.model_dump(exclude={"beside_split"}), beside_split=split)
    record = made_up(tmp_path, asked, server=lambda poll: Answer(latency_s))
    (turns,) = [check for check in summarise(record)["verdict"]["checks"] if check["name"] == "turns"]
    assert (turns["kind"], turns["status"]) == (kind, status)


def test_a_border_that_was_not_sampled_leaves_its_pieces_out(tmp_path: Path) -> None:
    """Without samples for three seconds, the pieces there have no CPU, and the others stand."""
    record = made_up(tmp_path, DUET)
    samples = record.resources().filter(~pl.col("t_s").is_between(9.9, 13.1))
    store.write_table(record.path / "resources.parquet", samples)
    found = pieces(load(record.path), arrange(record))
    missing = found.filter(pl.col("cpu_s").is_null())
    assert sorted(missing["piece"].unique()) == [6, 7, 8]
    store.write_table(record.path / "resources.parquet", samples.filter(pl.col("t_s") < 20))
    (turns,) = [check for check in summarise(load(record.path))["verdict"]["checks"] if check["name"] == "turns"]
    assert (turns["kind"], turns["status"]) == ("pieces_lost", "suspect")


def test_each_server_must_have_served_what_was_answered(tmp_path: Path) -> None:
    """Answers that one server did not give are not made up for by another that gave more."""

    def moved(facts: dict[str, Any]) -> None:
        facts["server"]["workers"][0]["served"] -= 50
        facts["beside"][0]["workers"][0]["served"] += 50

    whole = summarise(made_up(tmp_path, DUET))
    (served,) = [check for check in whole["verdict"]["checks"] if check["name"] == "served"]
    assert served["kind"] == "agree"
    assert "starlette: 13,648 <= 13,648 <= 13,648" in served["figure"]
    damaged = summarise(damage_facts(load(tmp_path / "made-up"), moved))
    (served,) = [check for check in damaged["verdict"]["checks"] if check["name"] == "served"]
    assert (served["kind"], served["status"]) == ("more_answered", "invalid")


def test_a_server_that_answers_nothing_has_no_ratio(tmp_path: Path) -> None:
    """Its failures are counted; a cost per request does not exist, and no figure of the summary is not a number."""
    silent = made_up(
        tmp_path, DUET, server=lambda poll: Answer(0.001, Outcome.CONNECT_REFUSED, 0, 0) if poll.system else slower(poll)
    )
    duet = summarise(silent)["duet"]
    json.dumps(duet, allow_nan=False)
    assert duet["cpu_ratio"]["kind"] == "not measurable"
    assert (duet["failures"]["a"], duet["failures"]["b"]) == (0, 13200)
    assert (duet["failures"]["p"], duet["failures"]["pieces_b"]) == (0.0, 20)
