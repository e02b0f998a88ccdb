"""summary.json: the keys that other tools rely on, from whatever record there is."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse import service_level
from experiments.analyse.latency import Times
from experiments.analyse.summary import ANALYSIS_VERSION, summarise
from experiments.record import reading
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from tests.support.made_up import SMALL, Answer, Costs, Poll, failing, made_up, stalling

FIGURES = ["mean", "p50", "p90", "p95", "p99", "p999", "max"]
TIMES = [*FIGURES, "interval", "interval_open", "censored"]
COUNTS = ["planned", "sent", "ok", "failed", "unsent_busy", "unsent_late", "failures", "statuses"]


def keys(record: Record) -> dict[str, Any]:
    """A summary, after it went through JSON that takes no NaN, with the contract's keys checked."""
    summary: dict[str, Any] = json.loads(json.dumps(summarise(record), allow_nan=False))
    assert list(summary) == [
        "analysis_version",
        "endpoints",
        "server",
        "generator",
        "load",
        "connecting",
        "connections",
        "service_level",
        "cut_short",
        "cut_short_kind",
        "verdict",
    ]
    assert summary["analysis_version"] == ANALYSIS_VERSION
    assert list(summary["endpoints"]) == ["status", "bulk"]
    for endpoint in summary["endpoints"].values():
        assert list(endpoint) == [*COUNTS, "failed_checks", "response_ms", "latency_ms"]
        for times in (endpoint["response_ms"], endpoint["latency_ms"]):
            assert list(times) == TIMES
            assert list(times["censored"]) == FIGURES
            assert list(times["interval_open"]) == list(times["interval"])
        assert endpoint["planned"] == endpoint["sent"] + endpoint["unsent_busy"] + endpoint["unsent_late"]
        assert endpoint["sent"] == endpoint["ok"] + endpoint["failed"]
        assert endpoint["failed"] == sum(endpoint["failures"].values())
        errors = sum(number for code, number in endpoint["statuses"].items() if code != "200")
        assert errors == endpoint["failures"].get("http_error", 0)
    assert list(summary["server"]) == ["cpu_us_per_request", "cpu_cores_mean", "rss_peak_bytes", "may_use", "throttled"]
    assert list(summary["generator"]) == ["cpu_us_per_poll", "cpu_cores_max", "lag_ms", "throttled"]
    assert list(summary["generator"]["lag_ms"]) == ["p50", "p99", "p999", "max"]
    assert list(summary["load"]) == ["polls_per_s_planned", "polls_per_s_answered", "mb_per_s_answered"]
    assert list(summary["service_level"]) == ["asked", "met", "items"]
    assert list(summary["verdict"]) == ["status", "headline", "reason", "checks"]
    for check in summary["verdict"]["checks"]:
        assert list(check) == ["name", "status", "figure", "limit", "meaning", "advice", "of_limit", "kind"]
    return summary


def test_a_run_in_figures(tmp_path: Path) -> None:
    """Counts, times, costs and load of a run whose answers are known."""
    record = made_up(tmp_path, server=lambda poll: Answer(0.01 + 0.001 * (poll.round % 10)), lag=lambda ready: 0.001)
    summary = keys(record)
    status, bulk = summary["endpoints"]["status"], summary["endpoints"]["bulk"]
    assert [status[name] for name in COUNTS] == [4800, 4800, 4800, 0, 0, 0, {}, {"200": 4800}]
    assert bulk["planned"] == 480
    interval = status["response_ms"].pop("interval")
    expected = {"mean": 15.5, "p50": 15, "p90": 19, "p95": 20, "p99": 20, "p999": None, "max": 20}
    assert {name: status["response_ms"][name] for name in FIGURES} == pytest.approx(expected, abs=0.001)
    assert not any([*status["response_ms"]["censored"].values(), *status["response_ms"]["interval_open"].values()])
    assert list(interval) == ["p50", "p90", "p95", "p99"]
    assert interval["p90"] == pytest.approx([19, 20], abs=0.001)
    assert status["latency_ms"]["p50"] == pytest.approx(14, abs=0.001)
    assert summary["generator"]["lag_ms"]["p99"] == pytest.approx(1, abs=0.001)
    assert summary["load"]["polls_per_s_planned"] == 176
    assert summary["load"]["mb_per_s_answered"] == pytest.approx((4800 * 100 + 480 * 204_800) / 30e6, rel=0.01)
    # 0.5 and 0.3 cores over 176 polls/s.
    assert summary["server"]["cpu_us_per_request"] == pytest.approx(0.5e6 / 176, rel=0.01)
    assert summary["generator"]["cpu_us_per_poll"] == pytest.approx(0.3e6 / 176, rel=0.01)
    assert summary["server"]["cpu_cores_mean"] == pytest.approx(0.5)
    assert summary["cut_short"] is None
    assert summary["verdict"]["status"] == "valid"


def test_cost_of_several_generators_is_summed_and_their_busiest_named(tmp_path: Path) -> None:
    """CPU per poll covers all of them, the cores are of one."""
    record = made_up(tmp_path, SMALL.model_copy(update={"generators": 3}), costs=Costs(generator=0.2))
    generator = keys(record)["generator"]
    assert generator["cpu_us_per_poll"] == pytest.approx(0.6e6 / 176, rel=0.01)
    assert generator["cpu_cores_max"] == pytest.approx(0.2)


def test_failures_are_named(tmp_path: Path) -> None:
    """Polls that failed are counted by reason and status code, and are not timed."""
    status = keys(made_up(tmp_path, server=failing(Outcome.HTTP_ERROR, every=1, status=503)))["endpoints"]["status"]
    assert status["failures"] == {"http_error": 4800}
    assert status["statuses"] == {"503": 4800}
    assert status["response_ms"]["max"] is None


def test_status_codes_are_counted(tmp_path: Path) -> None:
    """429 and 503 are two reasons, and an answer that broke off is none of them."""
    limited = failing(Outcome.HTTP_ERROR, every=10, status=429)
    server = failing(Outcome.CLOSED, every=7, status=503, server=failing(Outcome.HTTP_ERROR, 3, 503, limited))
    status = keys(made_up(tmp_path, server=server))["endpoints"]["status"]
    assert set(status["statuses"]) == {"200", "429", "503"}
    assert status["statuses"]["200"] == status["ok"]
    assert status["statuses"]["429"] < status["statuses"]["503"] < status["failures"]["http_error"]


@pytest.mark.parametrize("ratio", ["10:0", "0:10", "1:10", "1:1"])
def test_endpoints_that_are_not_polled_are_there_and_empty(tmp_path: Path, ratio: str) -> None:
    """Both endpoints have all keys, whatever the ratio."""
    endpoints = keys(made_up(tmp_path, SMALL.model_copy(update={"ratio": ratio})))["endpoints"]
    planned = [endpoint["planned"] for endpoint in endpoints.values()]
    assert planned == {"10:0": [4800, 0], "0:10": [0, 4800], "1:10": [480, 4800], "1:1": [4800, 4800]}[ratio]
    for endpoint in endpoints.values():
        times = [endpoint["response_ms"][name] for name in FIGURES]
        assert endpoint["planned"] > 0 or times == [None] * 7


def test_a_stall_shows_in_the_response_and_hardly_in_the_latency(tmp_path: Path) -> None:
    """3 s of 30: one poll of each device was in flight, ten polls of each device felt it."""
    status = keys(made_up(tmp_path, server=stalling(10, 3)))["endpoints"]["status"]
    assert status["response_ms"]["p95"] > 1000
    assert status["latency_ms"]["p95"] < 10


@pytest.mark.parametrize("how", [{"killed_at": 10.0}, {"cut_short_at": 10.0}, {"cut_short_at": 0.0}], ids=str)
def test_runs_that_did_not_last_have_a_summary(tmp_path: Path, how: dict[str, float]) -> None:
    """It gives the reason, and a verdict that is not valid."""
    summary = keys(made_up(tmp_path, **how))  # type: ignore[arg-type]
    assert summary["cut_short"]
    assert summary["verdict"]["status"] in {"suspect", "invalid"}


def test_an_empty_record_has_a_summary(tmp_path: Path) -> None:
    """Even without any part or sample, as after a run that broke off at once."""
    record = made_up(tmp_path, killed_at=1.0)
    for part in (record.path / "requests").iterdir():
        part.unlink()
    (record.path / "resources.parquet").unlink()
    summary = keys(reading.load(record.path))
    assert summary["load"]["polls_per_s_planned"] is None
    assert summary["verdict"]["status"] == "invalid"


def test_the_same_record_gives_the_same_summary(tmp_path: Path) -> None:
    """Analysis is repeatable to the last digit: in the order of reasons that came equally often, and of what is summed."""

    def server(poll: Poll) -> Answer:
        reasons = (Outcome.RESET, Outcome.READ_TIMEOUT, Outcome.HTTP_ERROR)
        return Answer(0.0005, reasons[poll.round % 3], 0, 0)

    scenario = SMALL.model_copy(update={"generators": 7})
    record = made_up(tmp_path, scenario, server=server, costs=Costs(server=0.7, generator=1 / 7, others=1 / 3))
    texts = {json.dumps(summarise(reading.load(record.path))) for _ in range(20)}
    assert len(texts) == 1


# -- service level -------------------------------------------------------------------------------


def level(folder: Path, server: Any = None, **asked: float) -> dict[str, Any]:
    record = made_up(folder, SMALL.model_copy(update=asked), server=server)
    found: dict[str, Any] = summarise(record)["service_level"]
    return found


def test_without_limits_no_service_level_is_asked(tmp_path: Path) -> None:
    """Nothing is met and nothing missed."""
    assert level(tmp_path) == {"asked": False, "met": None, "items": []}


def test_a_service_level_that_is_met(tmp_path: Path) -> None:
    """Every item has its limit and figure."""
    found = level(tmp_path, slo_status_p99_ms=5.0, slo_failure_pct=1.0)
    assert found["met"] is True
    assert [item["name"] for item in found["items"]] == ["status_response_p99_ms", "failure_pct"]
    assert found["items"][1] == {"name": "failure_pct", "limit": 1.0, "figure": 0.0, "met": True}


def test_a_service_level_that_is_missed(tmp_path: Path) -> None:
    """One missed item is enough; what cannot be told does not save it."""
    found = level(tmp_path, slo_status_p99_ms=0.1, slo_bulk_p99_ms=100.0, slo_failure_pct=0.0)
    assert found["met"] is False
    # 480 polls of B do not support a p99.
    assert [item["met"] for item in found["items"]] == [False, None, True]


def test_a_service_level_that_cannot_be_told(tmp_path: Path) -> None:
    """Too few polls for the percentile: neither met nor missed."""
    assert level(tmp_path, slo_bulk_p99_ms=100.0)["met"] is None


def test_failures_of_the_server_count_and_those_of_the_generator_do_not(tmp_path: Path) -> None:
    """Polls that a device could not send for waiting count as the server's too."""

    def server(poll: Poll) -> Answer:
        if poll.client < 4:
            return Answer(0.0005, Outcome.GENERATOR_ERROR, 0, 0)
        return Answer(1e9) if poll.client < 8 else Answer(0.0005)

    found = level(tmp_path, server, slo_failure_pct=5.0)
    assert found["items"][0]["figure"] == pytest.approx(10.0)
    assert found["met"] is False


def test_a_server_that_answers_nothing_right_misses_every_limit(tmp_path: Path) -> None:
    """There is no percentile, and the limit is missed all the same."""
    found = level(tmp_path, failing(Outcome.HTTP_ERROR, every=1, status=503), slo_status_p99_ms=100.0)
    missed = {"name": "status_response_p99_ms", "limit": 100.0, "figure": None, "met": False}
    assert found["items"] == [{**missed, "within_pct": 0.0, "left_out_pct": 0.0}]


def test_an_endpoint_that_is_not_polled_has_no_level() -> None:
    """A limit for B with a ratio of 10:0 can be neither met nor missed."""
    asked = SMALL.model_copy(update={"slo_bulk_p99_ms": 1.0})
    counts = pl.DataFrame(schema={"endpoint": pl.String, "outcome": pl.String, "polls": pl.Int64})
    times = dict.fromkeys(("status", "bulk"), Times.of(pl.Series([], dtype=pl.Float64)))
    found = service_level.judge(asked, counts, times, lambda asked: counts)
    assert found["met"] is None


@pytest.mark.parametrize("timeout_s", [0.4, 60.0])
def test_a_silent_server_misses_a_limit_that_nobody_waited_for_so_long(tmp_path: Path, timeout_s: float) -> None:
    """Polls that were given up, or never sent because of it, are in time for nobody, and no device keeps its level."""
    found = level(tmp_path, lambda poll: Answer(1e9), timeout_s=timeout_s, slo_status_p99_ms=40_000.0, slo_devices_pct=1.0)
    assert [(item["met"], item["figure"]) for item in found["items"]] == [(False, None), (False, 0.0)]
    assert found["items"][0]["within_pct"] == 0.0


def test_a_limit_speaks_of_all_planned_polls(tmp_path: Path) -> None:
    """19 of 20 fail fast, the others are quick: a p99 of the quick ones alone would be within the limit."""

    def server(poll: Poll) -> Answer:
        right = Answer(0.005)
        return right if poll.round % 20 == 0 else Answer(0.005, Outcome.HTTP_ERROR, 500, 0)

    found = level(tmp_path, server, slo_status_p99_ms=50.0, ratio="1:0")
    assert found["met"] is False
    assert found["items"][0]["within_pct"] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("every", "asked", "met", "left_out"),
    [
        # 1 of 60 fails, more than the hundredth that may take longer.
        (60, {}, False, 0.0),
        (60, {"slo_failure_pct": 2.0}, True, 100 / 60),
        # 1 of 30 fails: 2 % are left out, the others make more than a hundredth of what is left.
        (30, {"slo_failure_pct": 2.0}, False, 2.0),
        # 1 of 120 is within the hundredth by itself.
        (120, {}, True, 0.0),
    ],
)
def test_failures_that_the_user_allows_are_left_out_and_counted(
    tmp_path: Path, every: int, asked: dict[str, float], met: bool, left_out: float
) -> None:
    """Without an allowance every failure counts as late."""
    found = level(tmp_path, failing(Outcome.RESET, every=every), ratio="1:0", slo_status_p99_ms=50.0, **asked)
    assert found["items"][0]["met"] is met
    assert found["items"][0]["left_out_pct"] == pytest.approx(left_out, abs=0.03)


def test_too_few_polls_can_be_evidently_late(tmp_path: Path) -> None:
    """480 polls of B support no p99; if half of them fail, none is needed."""
    server = failing(Outcome.RESET, every=1)
    found = level(tmp_path, lambda poll: server(poll) if poll.client < 20 else Answer(0.001), slo_bulk_p99_ms=50.0)
    assert found["items"][0]["met"] is False
    assert found["items"][0]["figure"] is None
    assert found["items"][0]["within_pct"] == pytest.approx(50.0)


def test_a_figure_that_falls_on_polls_without_an_answer_is_marked(tmp_path: Path) -> None:
    """Of 40 devices 24 are never answered: all figures of response are lower bounds; of latency those that timed out."""
    record = made_up(
        tmp_path,
        SMALL.model_copy(update={"timeout_s": 0.2, "ratio": "1:0"}),
        server=lambda poll: Answer(1e9) if poll.client < 24 else Answer(0.001),
    )
    times = keys(record)["endpoints"]["status"]["response_ms"]
    assert times["p50"] == pytest.approx(200, abs=1)
    assert {name for name, longer in times["censored"].items() if longer} == {"mean", "p50", "p90", "p95", "p99", "max"}
    assert set(times["interval_open"].values()) == {True}


def by_device(slow: Any) -> Any:
    """Answers in 0.5 ms, and where `slow` says so of a poll, in 50 ms."""
    return lambda poll: Answer(0.05 if slow(poll) else 0.0005)


@pytest.mark.parametrize(
    ("server", "asked", "figure"),
    [
        (None, {"slo_status_p99_ms": 20.0}, 100.0),
        # 4 of 40 devices are always slow; the p99 of all is missed by them as well.
        (by_device(lambda poll: poll.client < 4), {"slo_status_p99_ms": 20.0}, 90.0),
        # 1 poll in 120 is within the hundredth that a device may have, 2 are not.
        (by_device(lambda poll: poll.client < 4 and poll.round == 50), {"slo_status_p99_ms": 20.0}, 100.0),
        (by_device(lambda poll: poll.client < 4 and 50 <= poll.round < 52), {"slo_status_p99_ms": 20.0}, 90.0),
        # Of the 12 polls of B each must be in time; A has no limit here.
        (
            by_device(lambda poll: poll.client < 8 and (poll.endpoint == "status" or 50 <= poll.round < 60)),
            {"slo_bulk_p99_ms": 20.0},
            80.0,
        ),
        (failing(Outcome.RESET, every=10), {"slo_failure_pct": 9.0}, 0.0),
        (failing(Outcome.RESET, every=10), {"slo_failure_pct": 15.0}, 100.0),
        (lambda poll: Answer(0.0005, Outcome.HTTP_ERROR, 503, 0), {"slo_status_p99_ms": 20.0}, 0.0),
        (lambda poll: Answer(0.0005, Outcome.GENERATOR_ERROR, 0, 0), {"slo_failure_pct": 1.0}, 100.0),
    ],
)
def test_devices_that_keep_the_level(tmp_path: Path, server: Any, asked: dict[str, float], figure: float) -> None:
    """Each device is judged by its own polls: 99 of 100 in time, and its failures within the share."""
    item = level(tmp_path, server, slo_devices_pct=95.0, **asked)["items"][-1]
    assert item["name"] == "devices_pct"
    assert item["figure"] == pytest.approx(figure)
    assert item["met"] is (figure >= 95)
