"""Records of targets with any number of endpoints: the same figures, checks and verdict as of the article's two."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.agenda import walk
from experiments.analyse import polls, service_level, summary, timeline
from experiments.analyse.changes import compare
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.checks.verdict import judge
from experiments.analyse.passes.devices import by_device
from experiments.analyse.points import Measured, cells_table, points
from experiments.analyse.targets.naming import letters, titles, together
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.schedule import TICK_S
from tests.support.made_up import SMALL, Answer, Poll, Server, damage_rows, ideal, late, made_up, stalling
from tests.support.targets import TEXTS, named

NAMES = {"one": ("ping",), "three": ("status", "config", "clock"), "five": None}


def run(folder: Path, of: str, server: Server | None = None, **changes: Any) -> Record:
    """A made-up run of a target."""
    asked = {name: changes.pop(name) for name in ("cut_short_at", "killed_at", "lag") if name in changes}
    scenario = SMALL.model_copy(update=changes)
    return made_up(folder, scenario, server=server, target=named(of, folder / "targets"), **asked)


def flaws(record: Record) -> dict[str, str]:
    """The checks of a verdict that are not clean, with what they say."""
    return {check.name: check.meaning for check in judge(record).checks if check.status in ("suspect", "invalid")}


@pytest.mark.parametrize("of", TEXTS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pacing": "after"},
        {"phase": "together", "warmup_s": 0.0},
        {"phase": "spread", "generators": 3, "workers": 2},
        {"cut_short_at": 11.0},
    ],
    ids=str,
)
def test_honest_runs_of_any_target_are_valid(tmp_path: Path, of: str, changes: dict[str, Any]) -> None:
    """However many endpoints and clocks there are, an honest record is believed, but for what cut it short."""
    assert set(flaws(run(tmp_path, of, **changes))) <= ({"cut_short"} if "cut_short_at" in changes else set())


@pytest.mark.parametrize("of", TEXTS)
@pytest.mark.parametrize("pacing", ["fixed", "after"])
def test_a_stalling_server_is_a_result_for_any_target(tmp_path: Path, of: str, pacing: str) -> None:
    """Devices that wait for the server make polls of all clocks late, and nobody blames the generator or the record."""
    assert flaws(run(tmp_path, of, stalling(5, 30), pacing=pacing)) == {}
    assert flaws(run(tmp_path / "short", of, stalling(5, 3), pacing=pacing)) == {}


@pytest.mark.parametrize("of", TEXTS)
def test_a_killed_run_misses_nothing_but_its_end(tmp_path: Path, of: str) -> None:
    """What was in flight or in memory is unwritten and not missing."""
    assert "damaged" not in flaws(run(tmp_path, of, killed_at=12.0)).get("rows_complete", "")


@pytest.mark.parametrize("of", TEXTS)
def test_the_window_holds_what_the_plan_asks_of_each_endpoint(tmp_path: Path, of: str) -> None:
    """Counted by the plan's own closed form, for every endpoint."""
    record = run(tmp_path, of)
    planned = Counter[str]()
    for client in range(record.plan.clients):
        planned.update(record.plan.planned(client))
    found = dict(polls.prepare(record)["endpoint"].cast(pl.String).value_counts().iter_rows())
    assert found == {name: number for name, number in planned.items() if number}


@pytest.mark.parametrize("of", TEXTS)
def test_polls_come_in_the_order_in_which_a_device_makes_them(tmp_path: Path, of: str) -> None:
    """As the agenda of the device has it, over all its clocks, however late the server is."""
    record = run(tmp_path, of, stalling(3, 2))
    rows = polls.arrange(record)
    for client in (0, 17):
        own = rows.filter(pl.col("client") == client)
        assert own["sent_s"].drop_nulls().is_sorted()
        wanted = [
            (record.plan.endpoints[place], round_)
            for (_, place, round_), _ in zip(walk(record.plan, client), range(40), strict=False)
        ]
        assert own.select(pl.col("endpoint").cast(pl.String), "round").rows()[:40] == wanted


@pytest.mark.parametrize("of", ["three", "five"])
def test_a_missing_moved_doubled_or_invented_poll_is_found_on_every_clock(tmp_path: Path, of: str) -> None:
    """Whichever endpoint it is of."""
    record = run(tmp_path, of)
    rows = record.requests()
    for name in record.endpoints:
        picked = (pl.col("endpoint") == name) & (pl.col("client") == 7) & (pl.col("due_s") > 10)
        key = rows.filter(picked).sort("round").select("client", "round", "endpoint").row(0)
        this = (pl.col("client") == key[0]) & (pl.col("round") == key[1]) & (pl.col("endpoint") == name)
        one = rows.filter(this)
        assert len(one) == 1
        for damaged in (
            rows.filter(~this),
            pl.concat([rows, one]),
            rows.with_columns(due_s=pl.when(this).then(pl.col("due_s") - 0.001).otherwise("due_s")),
            pl.concat([rows, one.with_columns(round=pl.col("round") + 100_000)]),
        ):
            changed = damage_rows(record, lambda _, to=damaged: to)  # type: ignore[misc]
            assert "rows_complete" in flaws(changed), name
    assert flaws(damage_rows(record, lambda _: rows)) == {}


TOLD = """
url: http://127.0.0.1:9
endpoints:
  status: {request: GET /status, every_s: 0.5, next_poll: next_poll_ms}
  other: {request: GET /other, every_s: 0.4}
"""


def test_rounds_that_answers_put_off_are_where_they_belong(tmp_path: Path) -> None:
    """Nobody can foretell when they are due; a hole among them is found all the same."""
    from tests.support.made_up import target_of

    record = made_up(
        tmp_path,
        server=lambda poll: Answer(0.001, next_poll_s=1.3 if poll.round % 3 else None),
        target=target_of(tmp_path, TOLD),
    )
    assert flaws(record) == {}
    hole = (pl.col("client") == 3) & (pl.col("round") == 6) & (pl.col("endpoint") == "status")
    assert "damaged" in flaws(damage_rows(record, lambda rows: rows.filter(~hole)))["rows_complete"]


def test_a_late_generator_is_blamed_whatever_clock_it_is_late_for(tmp_path: Path) -> None:
    """A stall of the generator is its own fault also where polls of other clocks queue up behind it."""
    found = flaws(run(tmp_path, "five", ideal(), lag=late(0.00003, stall_at=10, lasting=3)))
    assert {"lag", "generator_stall"} <= set(found)
    rows = polls.arrange(run(tmp_path / "again", "three", ideal(), lag=late(0.0, stall_at=10, lasting=3)))
    from experiments.analyse.send_delay import with_send_delay

    assert with_send_delay(rows, "fixed")["punctual_s"].max() < 0.05  # type: ignore[operator]


def refusing(poll: Poll) -> Answer:
    """Status is refused for a field, config is not modified, alarms have none, firmware is too short."""
    answers = {
        "status": Answer(0.001, Outcome.CHECKS, 200, 50, "json.next_poll_ms"),
        "config": Answer(0.001, status=304, body_bytes=0),
        "alarms": Answer(0.001, status=404, body_bytes=9),
        "firmware": Answer(0.001, Outcome.WRONG_BODY, 200, 7, "bytes"),
    }
    return (
        answers.get(poll.endpoint, Answer(0.001, Outcome.HTTP_ERROR, 500, 9, "status"))
        if poll.round % 5 == 0
        else Answer(0.001)
    )


def test_the_summary_counts_statuses_and_failed_expectations(tmp_path: Path) -> None:
    """By the names of the target; what is not modified is apart, and right."""
    record = run(tmp_path, "five", refusing)
    found = summary.summarise(record)["endpoints"]
    assert tuple(found) == record.endpoints
    status, config, firmware, alarms, telemetry = found.values()
    assert status["failures"] == {"checks": status["failed"]}
    assert status["failed_checks"] == {"json.next_poll_ms": status["failed"]}
    assert status["statuses"] == {"200": status["sent"]}
    assert status["error_statuses"] == {}
    assert firmware["failed_checks"] == {"bytes": firmware["failed"]}
    assert config["not_modified"] == config["statuses"]["304"] > 0
    assert config["failed"] == alarms["failed"] == 0
    assert "not_modified" not in status
    assert alarms["statuses"]["404"] > 0
    assert telemetry["error_statuses"] == {"500": telemetry["failed"]}
    assert flaws(record) == {}


def test_an_ok_that_the_target_would_not_have_allowed_is_found(tmp_path: Path) -> None:
    """By status and length, as far as a row tells them; 304 is right only where it was asked for."""
    for name, wrong in {"status": Answer(0.001, status=201), "firmware": Answer(0.001, body_bytes=4999)}.items():
        record = run(tmp_path / name, "five", lambda poll, to=wrong, of=name: to if poll.endpoint == of else Answer(0.001))  # type: ignore[misc]
        assert set(flaws(record)) == {"answers"}
    unasked = run(tmp_path / "304", "five", lambda poll: Answer(0.001, status=304 if poll.endpoint == "alarms" else 200))
    assert set(flaws(unasked)) == {"answers"}


def test_the_summary_of_the_article_has_the_keys_it_had(tmp_path: Path) -> None:
    """Whoever names no target finds the same ones, and which expectation failed."""
    found = summary.summarise(made_up(tmp_path))["endpoints"]
    assert set(found) == {"status", "bulk"}
    for one in found.values():
        assert set(one) == {
            *("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late", "failures", "statuses"),
            *("failed_checks", "response_ms", "latency_ms"),
        }


def test_each_endpoint_has_the_level_of_its_target(tmp_path: Path) -> None:
    """p99 and failures each; the run's own parameters speak of endpoints of that name, and of all together."""
    level = summary.summarise(run(tmp_path, "five", refusing))["service_level"]
    items = {item["name"]: item for item in level["items"]}
    assert list(items) == ["status_response_p99_ms", "status_failure_pct", "config_response_p99_ms"]
    assert items["status_failure_pct"]["limit"] == 0.1
    assert items["status_failure_pct"]["met"] is False
    assert items["status_response_p99_ms"]["left_out_pct"] == pytest.approx(0.1, abs=0.05)
    assert items["config_response_p99_ms"]["met"] is True
    assert level["met"] is False
    more = run(tmp_path / "more", "five", slo_status_p99_ms=7.0, slo_failure_pct=50.0, slo_devices_pct=90.0)
    found = {item["name"]: item["limit"] for item in summary.summarise(more)["service_level"]["items"]}
    assert found["status_response_p99_ms"] == 7.0
    assert found["failure_pct"] == 50.0
    assert found["devices_pct"] == 90.0


def test_a_device_must_keep_the_share_of_failures_of_each_endpoint(tmp_path: Path) -> None:
    """Devices of which one endpoint fails too often do not keep the level, though all their polls together would."""

    def server(poll: Poll) -> Answer:
        failed = poll.client < 10 and poll.endpoint == "status" and poll.round % 20 == 0
        return Answer(0.001, Outcome.HTTP_ERROR, 500, 9, "status") if failed else Answer(0.001)

    record = run(tmp_path, "five", server, slo_devices_pct=90.0)
    target = record.started["target"]
    asked = service_level.levels(record.scenario, record.endpoints, target)
    devices = by_device(Evidence(record), {name: level.p99_ms for name, level in asked.items()})
    assert service_level.devices_pct(asked, 100.0, devices) == 75.0


def test_reasons_name_the_expectation_that_failed(tmp_path: Path) -> None:
    """Of every device, and over time."""
    record = run(tmp_path, "five", refusing)
    reasons = Evidence(record).digest.by_client.table().select(pl.col("endpoint").cast(pl.String), "reasons").unique()
    found = {name: text.rpartition(" ")[0] for name, text in reasons.rows() if text}
    assert found["status"] == "checks (json.next_poll_ms)"
    assert found["firmware"] == "wrong_body (bytes)"
    assert found["telemetry_of_the_last_hour"] == "http_error (500)"
    over_time = timeline.OutcomesOverTime(10.0)
    over_time.add(polls.prepare(record))
    whys = set(over_time.frame().filter(pl.col("outcome") != "ok").select("status", "failed_check").unique().rows())
    assert whys == {(None, "json.next_poll_ms"), (None, "bytes"), (500, None)}


def test_a_sweep_of_a_target_has_columns_by_its_names(tmp_path: Path) -> None:
    """One a percentile and endpoint; an endpoint's name never hides one of the lab's own columns."""
    record = run(tmp_path, "five")
    cell = Measured("a", {"clients": 40}, 1, "valid", "", record, "")
    frame = cells_table([cell])
    assert frame["config.p99_ms"][0] == summary.current(record)["endpoints"]["config"]["response_ms"]["p99"]
    assert frame["status_p50_ms"][0] is not None
    (point,) = points([cell], {"status": 0.0, "bulk": 0.0})
    assert list(point.response_ms) == list(record.endpoints)
    assert list(point.levels) == ["status", "config"]
    assert point.may_fail_pct == {"status": 0.1}
    (held,) = points([cell], {"status": 3.0})
    assert held.levels["status"]["limit"] == 3.0


def test_runs_of_a_target_are_compared_endpoint_by_endpoint(tmp_path: Path) -> None:
    """By their names; a target that asks something else is another question, its service level is not."""
    one, two = run(tmp_path / "a", "three"), run(tmp_path / "b", "three", seed=2)
    changes = compare([one], [two])
    assert [change.figure for change in changes.changes][:3] == [
        "status response p50, ms",
        "status response p99, ms",
        "config response p50, ms",
    ]
    text = TEXTS["three"].replace("share: 3", "share: 4")
    from tests.support.made_up import target_of

    other = made_up(tmp_path / "c", target=target_of(tmp_path / "other", text, "three"))
    assert compare([one], [other]).asked == ("what the target file asks is not the same",)
    kinder = made_up(
        tmp_path / "d",
        target=target_of(
            tmp_path / "kind", TEXTS["three"].replace("every_s: 0.7,", "every_s: 0.7, slo: {p99_ms: 1},"), "three"
        ),
    )
    assert compare([one], [kinder]).asked == ()


def test_only_the_articles_two_endpoints_have_letters() -> None:
    """A target that has an endpoint `status` beside others has no A."""
    assert titles(("status", "bulk")) == {"status": "A (status)", "bulk": "B (bulk)"}
    assert letters(("status", "config")) == {"status": "status", "config": "config"}
    assert letters(("status",)) == {"status": "status"}
    assert (together(("status", "bulk")), together(("a",)), together("abc")) == ("A and B", "a", "all 3 endpoints")


def test_keys_name_polls_of_many_devices_rounds_and_endpoints() -> None:
    """No two polls share one, up to the largest swarm; on one clock they are in order."""
    kinds = {"client": pl.UInt32, "round": pl.UInt32, "endpoint": pl.Enum([f"e{n}" for n in range(600)])}
    rows = [(999_999, 2**30 - 1, "e599"), (999_999, 2**30 - 1, "e0"), (0, 1, "e599"), (0, 2, "e0"), (1, 1, "e0")]
    keys = pl.DataFrame(rows, schema=kinds, orient="row").select(polls.KEY)["key"]
    assert keys.n_unique() == 5
    assert keys.arg_sort().to_list() == [2, 3, 4, 1, 0]
    assert keys.max() < 2**63  # type: ignore[operator]
    assert math.isclose(TICK_S, 2.0**-22)
