"""The verdict: each check passes on an honest run, and is made to fail by a record that is made up to fail it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.checks.verdict import CHECKS, Reason, Verdict, judge
from experiments.analyse.polls import count
from experiments.record import store
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.record.state import Fault, Gap, GapKind
from tests.support.made_up import SMALL, Answer, Costs, Poll, damage_facts, damage_rows, failing, late, made_up, stalling

NAMES = [check.__name__ for check in CHECKS]


def flaws(verdict: Verdict) -> dict[str, str]:
    """The checks that are not clean."""
    return {check.name: check.status for check in verdict.checks if check.status in {"suspect", "invalid"}}


def test_an_honest_run_is_valid(tmp_path: Path) -> None:
    """Every check that applies is clean, and the headline says that the run may be believed."""
    verdict = judge(made_up(tmp_path))
    assert [check.name for check in verdict.checks] == NAMES
    unknown = ["clocks", "untouched", "turns", "rows_written", "redis_counts", "calibration"]
    assert [check.name for check in verdict.checks if check.status == "not_applicable"] == unknown
    assert [check.name for check in verdict.checks if check.status != "valid"] == unknown
    assert verdict.status == "valid"
    assert verdict.reason is Reason.BELIEVED
    assert "5,280 of 5,280" in verdict.headline


@pytest.mark.parametrize(
    "changes",
    [
        {"pacing": "after"},
        {"ratio": "10:0"},
        {"ratio": "0:1"},
        {"ratio": "1:10"},
        {"ratio": "10:3", "phase": "spread"},
        {"phase": "together"},
        {"generators": 3, "workers": 2},
        {"generators": 0},
        {"warmup_s": 0.0},
        {"warmup_s": 0.0, "pacing": "after", "phase": "together"},
        {"interval_ms": 333.3, "minutes": 1 / 7},
        {"clients": 1, "interval_ms": 20_000},
    ],
    ids=str,
)
def test_honest_runs_of_all_kinds_are_valid(tmp_path: Path, changes: dict[str, Any]) -> None:
    """No check objects, whatever ratio, phase, pacing, interval and number of processes were asked for."""
    assert flaws(judge(made_up(tmp_path, SMALL.model_copy(update=changes)))) == {}


@pytest.mark.parametrize("pacing", ["fixed", "after"])
@pytest.mark.parametrize(
    "server",
    [
        stalling(5, 3),
        stalling(20, 100),
        failing(Outcome.HTTP_ERROR, every=2, status=503),
        failing(Outcome.CONNECT_REFUSED, every=1),
        failing(Outcome.RESET, every=3),
        lambda poll: Answer(0.3),
        lambda poll: Answer(1e9),
    ],
    ids=["stall", "stall to the end", "503 to half", "refused", "resets", "overloaded", "silent"],
)
def test_a_failing_server_is_a_result(tmp_path: Path, server: Callable[..., Answer], pacing: str) -> None:
    """The verdict judges the instrument: what the server does wrong never makes it worse."""
    record = made_up(tmp_path, SMALL.model_copy(update={"pacing": pacing, "timeout_s": 4.0}), server=server)
    assert flaws(judge(record)) == {}


def test_a_dead_server_is_a_result_of_which_nothing_is_left_to_count(tmp_path: Path) -> None:
    """Its own count is gone with it, so the run is suspect at most, and says why."""

    def die(facts: dict[str, Any]) -> None:
        facts["server"]["workers"][0] |= {"served_after": None, "served": None}
        facts["server"] |= {"worker_pids_at_end": [], "died": "the server ended by itself 12.0 s after the window began"}

    verdict = judge(damage_facts(made_up(tmp_path, server=failing(Outcome.CONNECT_REFUSED, every=2)), die))
    assert flaws(verdict) == {"served": "suspect"}
    assert verdict["served"].kind == "count_lost"
    assert verdict["workers"].kind == "died"


# -- generators ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("polls", "status"), [(5, "valid"), (6, "suspect"), (52, "suspect"), (53, "invalid")])
def test_polls_left_out_by_the_generator(tmp_path: Path, polls: int, status: str) -> None:
    """Up to 0.1 % of the 5,280 planned polls is valid, up to 1 % suspect."""
    measured = pl.col("due_s") >= 0
    chosen = measured & (measured.cum_sum() <= polls)
    outcome = pl.when(chosen).then(pl.lit("unsent_late")).otherwise("outcome")
    record = damage_rows(made_up(tmp_path), lambda rows: rows.with_columns(outcome=outcome.cast(rows.schema["outcome"])))
    check = judge(record)["unsent_late"]
    assert check.status == status
    assert check.figure.startswith(f"{polls} of 5,280 polls")


@pytest.mark.parametrize(
    ("lag_s", "status"), [(0.0004, "valid"), (0.0006, "suspect"), (0.002, "suspect"), (0.003, "invalid"), (0.64, "invalid")]
)
def test_a_late_generator(tmp_path: Path, lag_s: float, status: str) -> None:
    """Against answers of 0.5 ms, a lag of half of that is fine, and one of 2.5 ms is beyond belief."""
    verdict = judge(made_up(tmp_path, lag=late(lag_s)))
    assert verdict["lag"].status == status


def test_lag_counts_by_what_it_adds_to_a_slow_answer(tmp_path: Path) -> None:
    """A lag of 10 ms does no harm to answers of 150 ms, and half of a response is too much."""
    slow = [
        judge(made_up(tmp_path / str(lag_s), server=lambda poll: Answer(0.1), lag=late(lag_s)))["lag"].status
        for lag_s in (0.009, 0.02, 0.06)
    ]
    assert slow == ["valid", "suspect", "invalid"]


def test_lag_that_piles_up_does_not_hide_in_the_responses_it_lengthens(tmp_path: Path) -> None:
    """A generator that is later than an interval makes responses of seconds; those are no yardstick for it."""
    verdict = judge(made_up(tmp_path, lag=late(0.3)))
    assert verdict["lag"].status == "invalid"
    assert verdict.reason is Reason.GENERATOR_TOO_WEAK
    assert verdict["lag"].figure in verdict.headline


def test_a_generator_that_stood_still(tmp_path: Path) -> None:
    """A stall is named as such, since a generator with time to spare was not too weak."""
    for lasting, status in ((0.09, "valid"), (0.3, "suspect"), (0.5, "invalid")):
        verdict = judge(made_up(tmp_path / str(lasting), lag=late(stall_at=10, lasting=lasting)))
        assert verdict["generator_stall"].status == status
    assert verdict["generator_stall"].kind == "stood_still"
    assert verdict["generator_stall"].advice in verdict.headline


@pytest.mark.parametrize(
    ("used", "waited", "status"),
    [(0.79, 0.0, "valid"), (0.85, 0.0, "suspect"), (0.97, 0.0, "invalid"), (0.58, 0.41, "invalid"), (0.2, 0.5, "valid")],
)
def test_a_generator_without_time_to_spare(tmp_path: Path, used: float, waited: float, status: str) -> None:
    """CPU used and CPU waited for count alike: both keep its loop from coming round."""
    record = made_up(tmp_path, SMALL.model_copy(update={"engine": "httpx-stock"}), costs=Costs(generator=used))
    record = damage_facts(record, lambda facts: facts["generator"]["instances"][0].update(cpu_wait_ratio=waited))
    verdict = judge(record)
    assert flaws(verdict) == ({} if status == "valid" else {"generator_cpu": status})
    if status == "invalid":
        assert verdict.reason is Reason.GENERATOR_TOO_WEAK
        assert "engine='httpx'" in verdict["generator_cpu"].advice
        assert verdict["generator_cpu"].advice in verdict.headline


def test_the_busiest_generator_counts(tmp_path: Path) -> None:
    """One of two that waits for a core is not hidden by the other."""
    record = made_up(tmp_path, SMALL.model_copy(update={"generators": 2}), costs=Costs(generator=0.5))
    record = damage_facts(record, lambda facts: facts["generator"]["instances"][1].update(cpu_wait_ratio=0.49))
    assert judge(record)["generator_cpu"].status == "invalid"


def generator_error(facts: dict[str, Any]) -> None:
    facts["generator"]["instances"][0]["error"] = "generator 0 ended with code -9 before it had given its facts"


def lost_rows(facts: dict[str, Any]) -> None:
    facts["generator"]["instances"][0]["lost_rows"] = 12


@pytest.mark.parametrize("change", [generator_error, lost_rows])
def test_a_broken_generator(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """What it could not keep cannot be believed to be like the rest."""
    assert flaws(judge(damage_facts(made_up(tmp_path), change))) == {"generator_errors": "invalid"}


@pytest.mark.parametrize(("every", "status"), [(125, "valid"), (124, "suspect"), (10, "invalid")])
def test_polls_that_failed_by_the_generators_fault(tmp_path: Path, every: int, status: str) -> None:
    """A few leave the percentiles where they are, a tenth does not."""

    def server(poll: Poll) -> Answer:
        ours = poll.round % every == 0 and (poll.client == 0 or every == 10)
        return Answer(0.0005, Outcome.GENERATOR_ERROR, 0, 0) if ours else Answer(0.0005)

    assert judge(made_up(tmp_path, server=server))["generator_errors"].status == status


@pytest.mark.parametrize(
    ("phase", "error_s", "drift_s", "status"),
    [
        ("random", 0.020, -0.004, "valid"),
        ("random", 0.020, -0.006, "suspect"),
        ("random", 0.130, None, "invalid"),
        ("together", 0.00003, 0.00001, "valid"),
        ("together", 0.00003, 0.00005, "suspect"),
        ("together", 0.002, 0.0, "invalid"),
    ],
)
def test_clocks_of_a_fleet(tmp_path: Path, phase: str, error_s: float, drift_s: float | None, status: str) -> None:
    """Error and drift together are held against the interval of 250 ms, or against responses of about 0.5 ms to one wave."""

    def on_machines(facts: dict[str, Any]) -> None:
        for item in facts["generator"]["instances"]:
            item |= {"clock_offset_s": 5.0, "clock_error_s": error_s / 2, "clock_drift_s": None}
        item |= {"clock_error_s": error_s, "clock_drift_s": drift_s}

    scenario = SMALL.model_copy(update={"generators": 2, "phase": phase})
    check = judge(damage_facts(made_up(tmp_path, scenario), on_machines))["clocks"]
    assert check.status == status
    assert ("interval" if phase == "random" else "median response") in check.limit


# -- the machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("cores", "status"), [(0.019, "valid"), (0.021, "suspect"), (1.0, "suspect")])
def test_steal(tmp_path: Path, cores: float, status: str) -> None:
    """Of two cores, 1 % is 0.02."""
    assert judge(made_up(tmp_path, costs=Costs(steal=cores)))["host_steal"].status == status


@pytest.mark.parametrize(("others", "status"), [(0.04, "valid"), (0.24, "valid"), (0.26, "suspect"), (1.0, "suspect")])
def test_competitors(tmp_path: Path, others: float, status: str) -> None:
    """On two cores, a quarter of one is what others may use."""
    check = judge(made_up(tmp_path, costs=Costs(others=others)))["competitors"]
    assert check.status == status
    assert check.figure == f"{others:.2f} cores"


@pytest.mark.parametrize(
    ("url", "said", "status"),
    [
        ("http://127.0.0.1:8000", {}, "not_applicable"),
        ("http://192.0.2.9:8000", {}, "suspect"),
        ("http://192.0.2.9:8000", {"on_this_machine": True, "unseen": "it is in a container"}, "not_applicable"),
        ("http://127.0.0.1:8000", {"on_this_machine": False, "unseen": "it is on another machine"}, "suspect"),
    ],
    ids=str,
)
def test_competitors_of_a_server_that_was_not_sampled(tmp_path: Path, url: str, said: dict[str, Any], status: str) -> None:
    """One elsewhere is no competitor; one here cannot be told from others, for the reason that the record gives."""
    record = made_up(tmp_path, costs=Costs(server=0.0, others=1.0))
    store.write_table(record.path / "resources.parquet", record.resources().filter(pl.col("group") != "server"))
    record = damage_facts(record, lambda facts: facts["server"].update(url=url, **said))
    check = judge(record)["competitors"]
    assert check.status == status
    assert status == "suspect" or said.get("unseen", "its processes were not sampled") in check.meaning


def test_many_cores_bear_more_competitors_but_not_a_busy_thread(tmp_path: Path) -> None:
    """With 16 cores the limit is half a core: a thread that is always busy may sit on the generator's."""
    for others, status in ((0.45, "valid"), (0.55, "suspect")):
        record = made_up(tmp_path / str(others), costs=Costs(others=others))
        record = damage_facts(record, lambda facts: facts["environment"].update(cores=16))
        assert judge(record)["competitors"].status == status


def test_a_hindered_generator_was_not_too_weak(tmp_path: Path) -> None:
    """Where others used the processors and the generator had time to spare, the headline says so."""
    verdict = judge(made_up(tmp_path, lag=late(0.05), costs=Costs(others=1.2)))
    assert verdict.status == "invalid"
    assert verdict.reason is Reason.GENERATOR_HINDERED
    assert verdict["competitors"].kind == "busy"
    assert verdict["competitors"].said in verdict.headline


# -- the record ----------------------------------------------------------------------------------


def removed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~((pl.col("client") == 3) & (pl.col("round") == 50)))


def removed_at_the_end(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~((pl.col("client") == 3) & (pl.col("due_s") > 29.5)))


def doubled(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, rows.filter((pl.col("client") == 3) & (pl.col("round") == 50))])


def invented(rows: pl.DataFrame) -> pl.DataFrame:
    extra = rows.filter((pl.col("client") == 3) & (pl.col("round") == 50)).with_columns(client=pl.lit(99, dtype=pl.UInt32))
    return pl.concat([rows, extra])


def moved(rows: pl.DataFrame) -> pl.DataFrame:
    one = (pl.col("client") == 3) & (pl.col("round") == 50)
    shift = pl.when(one).then(0.01).otherwise(0.0)
    return rows.with_columns(pl.col("due_s", "ready_s", "sent_s", "done_s") + shift)


@pytest.mark.parametrize("pacing", ["fixed", "after"])
@pytest.mark.parametrize(
    ("change", "word"),
    [
        (removed, "missing"),
        (removed_at_the_end, "missing"),
        (doubled, "doubled"),
        (invented, "extra"),
        (moved, "moved"),
    ],
)
def test_a_damaged_record(tmp_path: Path, pacing: str, change: Callable[[pl.DataFrame], pl.DataFrame], word: str) -> None:
    """One row removed, doubled, invented or moved in half a minute, and the record is not believed."""
    record = damage_rows(made_up(tmp_path, SMALL.model_copy(update={"pacing": pacing})), change)
    verdict = judge(record)
    assert verdict["rows_complete"].status == "invalid"
    assert word in verdict["rows_complete"].figure
    assert verdict.status == "invalid"


@pytest.mark.parametrize("pacing", ["fixed", "after"])
def test_a_device_without_any_row(tmp_path: Path, pacing: str) -> None:
    """A device that is not in the record at all is missed too."""
    record = made_up(tmp_path, SMALL.model_copy(update={"pacing": pacing}))
    verdict = judge(damage_rows(record, lambda rows: rows.filter(pl.col("client") != 39)))
    assert "missing" in verdict["rows_complete"].figure


def test_a_lost_part(tmp_path: Path) -> None:
    """The part is named, and its polls are missing."""
    record = made_up(tmp_path, SMALL.model_copy(update={"generators": 2}))
    (record.path / "requests" / "part-1-0.parquet").unlink()
    verdict = judge(Record(record.path))
    assert flaws(verdict) == {"rows_complete": "invalid", "totals": "invalid"}
    assert Record(record.path).gaps == (Gap(GapKind.ROWS, "part-1-0.parquet"),)
    assert verdict["rows_complete"].kind == "damaged"
    assert "part-1-0.parquet" in verdict.headline


def test_an_unreadable_part(tmp_path: Path) -> None:
    """A part that was cut off by a full disk is named, not read."""
    record = made_up(tmp_path)
    part = record.path / "requests" / "part-0-0.parquet"
    part.write_bytes(part.read_bytes()[:1000])
    verdict = judge(Record(record.path))
    assert (verdict["rows_complete"].kind, verdict["rows_complete"].status) == ("damaged", "invalid")
    assert Record(record.path).gaps == (Gap(GapKind.ROWS, "part-0-0.parquet", Fault.UNREADABLE),)


def test_a_record_without_samples(tmp_path: Path) -> None:
    """What the samples would show cannot be judged, so the run is not simply valid."""
    record = made_up(tmp_path)
    (record.path / "resources.parquet").unlink()
    verdict = judge(Record(record.path))
    assert flaws(verdict) == {"rows_complete": "suspect"}
    assert [check.name for check in verdict.checks if check.status == "not_applicable"] == [
        "generator_cpu",
        "clocks",
        "host_steal",
        "competitors",
        "untouched",
        "turns",
        "rows_written",
        "redis_counts",
        "calibration",
    ]


def shortened(rows: pl.DataFrame) -> pl.DataFrame:
    """Answers made to look faster than they were."""
    return rows.with_columns(done_s=pl.col("sent_s") + (pl.col("done_s") - pl.col("sent_s")) / 2)


def overlapping(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(done_s=pl.col("done_s") + 0.3)


def early(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(sent_s=pl.col("due_s") - 0.001)


@pytest.mark.parametrize("change", [shortened, overlapping, early])
def test_times_that_contradict_each_other(tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """A device that is ready must be free; a poll cannot be sent before it is due."""
    record = damage_rows(made_up(tmp_path, server=lambda poll: Answer(0.2)), change)
    assert judge(record)["rows_complete" if change is shortened else "one_at_a_time"].status == "invalid"


def test_answers_that_count_as_ok_must_be_right(tmp_path: Path) -> None:
    """One ok row of the wrong length and the record is not believed."""
    record = damage_rows(
        made_up(tmp_path), lambda rows: rows.with_columns(bytes=pl.col("bytes") - (pl.col("round") == 50).cast(pl.UInt32))
    )
    assert flaws(judge(record)) == {"answers": "invalid"}


def test_bytes_must_have_been_compared_now_and_then(tmp_path: Path) -> None:
    """Over many answers, lengths alone do not vouch for them."""
    record = damage_facts(made_up(tmp_path), lambda facts: facts["generator"]["instances"][0].update(checksums=0))
    assert flaws(judge(record)) == {"answers": "suspect"}


def other_bytes(differed: int, compared: int) -> Callable[[Path], Record]:
    """A record of a server whose answers to A changed their bytes: so many of those that were compared."""

    def make(folder: Path) -> Record:
        a = pl.col("endpoint") == "status"
        chosen = a & (a.cum_sum() <= differed)
        outcome = pl.when(chosen).then(pl.lit("wrong_body")).otherwise("outcome")
        record = damage_rows(made_up(folder), lambda rows: rows.with_columns(outcome=outcome.cast(rows.schema["outcome"])))

        def change(facts: dict[str, Any]) -> None:
            [instance] = facts["generator"]["instances"]
            instance["compared"]["status"], instance["differed"]["status"] = compared, differed
            facts["totals"] |= count(Evidence(record).counts)

        return damage_facts(record, change)

    return make


@pytest.mark.parametrize(
    ("differed", "compared", "status"),
    [(0, 100, "valid"), (1, 100, "suspect"), (10, 100, "invalid"), (100, 100, "invalid"), (2, 2, "invalid")],
)
def test_compared_answers_speak_for_the_rest(tmp_path: Path, differed: int, compared: int, status: str) -> None:
    """Where bytes changed at equal length, those that were not compared count as ok and cannot be believed."""
    check = judge(other_bytes(differed, compared)(tmp_path))["answers"]
    assert check.status == status
    assert f"{differed} differed" in check.figure


def test_compared_answers_of_an_older_record_speak_for_the_rest(tmp_path: Path) -> None:
    """Without counts by endpoint the rows say how many differed; that any did is enough to doubt the rest."""

    def older(facts: dict[str, Any]) -> None:
        for name in ("compared", "differed"):
            del facts["generator"]["instances"][0][name]

    assert judge(damage_facts(other_bytes(50, 50)(tmp_path), older))["answers"].status == "invalid"


def test_changed_outcomes_show_in_the_totals(tmp_path: Path) -> None:
    """A failure that somebody called ok is one too many for what the generators counted."""
    record = made_up(tmp_path, server=failing(Outcome.RESET))
    ok = pl.lit("ok").cast(record.requests().schema["outcome"])
    verdict = judge(damage_rows(record, lambda rows: rows.with_columns(outcome=ok)))
    assert verdict["totals"].status == "invalid"
    assert "ok: 4,800 counted, 5,280 rows; failed: 480 counted, 0 rows" in verdict["totals"].meaning


# -- the server ----------------------------------------------------------------------------------


def workers(*served: int | None) -> Callable[[dict[str, Any]], None]:
    """run.json of a server whose workers counted so many."""

    def change(facts: dict[str, Any]) -> None:
        counts = [
            {"pid": 201 + n, "served_before": 0, "served_after": count, "served": count} for n, count in enumerate(served)
        ]
        facts["server"] |= {"workers": counts, "worker_pids_at_end": [worker["pid"] for worker in counts]}

    return change


@pytest.mark.parametrize(
    ("served", "status"),
    [
        ((5456,), "valid"),
        ((5455,), "invalid"),
        ((5457,), "suspect"),
        ((5000, 456), "valid"),
        ((5000, 455), "invalid"),
        ((5000, None), "suspect"),
        ((), "not_applicable"),
    ],
)
def test_answered_served_and_attempts_agree(tmp_path: Path, served: tuple[int | None, ...], status: str) -> None:
    """5,456 polls were answered, warm-up included; the server cannot have served fewer, nor more than were sent."""
    assert judge(damage_facts(made_up(tmp_path), workers(*served)))["served"].status == status


def replaced(facts: dict[str, Any]) -> None:
    new = {"pid": 999, "served_before": None, "served_after": 3000, "served": None}
    facts["server"]["workers"] = [
        {"pid": 201, "served_before": 4, "served_after": None, "served": None},
        new,
    ]


def test_a_stranger_on_the_servers_port(tmp_path: Path) -> None:
    """A process that the lab did not start answers: the figures are of two servers, whether the first died or not."""

    def change(facts: dict[str, Any]) -> None:
        replaced(facts)
        facts["server"] |= {"worker_pids_at_end": [], "died": "the server ended by itself"}

    assert flaws(judge(damage_facts(made_up(tmp_path), change))) == {"served": "suspect", "workers": "invalid"}


def test_a_worker_replaced_by_its_own_supervisor(tmp_path: Path) -> None:
    """Its count went with it: suspect, and the server's log is where to look."""

    def change(facts: dict[str, Any]) -> None:
        replaced(facts)
        facts["server"]["worker_pids_at_end"] = [999]

    verdict = judge(damage_facts(made_up(tmp_path), change))
    assert flaws(verdict) == {"served": "suspect", "workers": "suspect"}
    assert verdict["workers"].kind == "replaced"
    assert "server.log" in verdict["workers"].advice


def strange(**server: Any) -> Callable[[dict[str, Any]], None]:
    """run.json of a server that is not ours: it says nothing of its workers."""

    def change(facts: dict[str, Any]) -> None:
        facts["server"] |= {"workers": [], "worker_pids_at_end": [], "started_by_lab": False, **server}

    return change


def counter(served: int | None, asked: int = 2) -> dict[str, Any]:
    """What its own metrics say of that many requests."""
    return {"counter": "requests_total", "served": served, "asked": asked}


@pytest.mark.parametrize(
    ("metrics", "status"),
    [
        (counter(5456), "valid"),
        (counter(5458), "valid"),
        (counter(5459), "suspect"),
        (counter(5455), "invalid"),
        (counter(None), "suspect"),
        (counter(-3), "suspect"),
        ({"counter": None, "served": None}, "not_applicable"),
    ],
)
def test_a_counter_of_the_servers_own_is_held_against_ours(tmp_path: Path, metrics: dict[str, Any], status: str) -> None:
    """5,456 were answered; who asks for the metrics may be counted too, and nobody else."""
    assert judge(damage_facts(made_up(tmp_path), strange(metrics=metrics)))["served"].status == status


def test_what_a_missing_count_costs_is_said(tmp_path: Path) -> None:
    """Nothing proves that no cache answered; how that can be mended is said too."""
    meaning = judge(damage_facts(made_up(tmp_path), strange()))["served"].meaning
    assert "nothing proves that no cache answered" in meaning
    assert "metrics_url and metrics_requests" in meaning


@pytest.mark.parametrize(
    ("listeners", "status", "figure"),
    [
        ([[7, 8], [7, 8]], "valid", "2 listened before, 2 of them at the end, 0 new"),
        ([[7, 8], [7, 9]], "suspect", "2 listened before, 1 of them at the end, 1 new"),
        ([[], []], "not_applicable", "–"),
        ([[7]], "not_applicable", "–"),
    ],
)
def test_who_listens_is_known_without_health(tmp_path: Path, listeners: list[list[int]], status: str, figure: str) -> None:
    """Processes that come and go on the server's port are seen, if that port is here."""
    check = judge(damage_facts(made_up(tmp_path), strange(listeners=listeners)))["workers"]
    assert (check.status, check.figure) == (status, figure)


def elsewhere(*served: int | None, headers: dict[str, str] | None = None) -> Callable[[dict[str, Any]], None]:
    """run.json of a server that is asked through a proxy, a balancer or a network: its numbers name nothing here."""

    def change(facts: dict[str, Any]) -> None:
        workers(*served)(facts)
        facts["server"] |= {"started_by_lab": False, "workers_seen": False, "headers": {"status": headers or {}, "bulk": {}}}

    return change


@pytest.mark.parametrize(
    ("served", "status"),
    [((5456,), "valid"), ((5455,), "not_applicable"), ((5457,), "not_applicable"), ((5000, None), "not_applicable")],
)
def test_counts_of_workers_that_cannot_be_told_apart_accuse_nobody(
    tmp_path: Path, served: tuple[int | None, ...], status: str
) -> None:
    """Replicas may share a number, and one may answer for another: only a count that agrees says something."""
    verdict = judge(damage_facts(made_up(tmp_path), elsewhere(*served)))
    assert (verdict["served"].status, verdict["workers"].status) == (status, "not_applicable")
    assert verdict.status == "valid"


def test_replicas_that_answer_in_turn_are_not_called_replaced(tmp_path: Path) -> None:
    """Other numbers before and after are what a balancer gives, and an older record does not say that there is none."""

    def change(facts: dict[str, Any]) -> None:
        replaced(facts)
        facts["server"] |= {"worker_pids_at_end": [999], "started_by_lab": False}

    assert flaws(judge(damage_facts(made_up(tmp_path), change))) == {}


@pytest.mark.parametrize("header", [{"age": "12"}, {"via": "1.1 varnish"}, {"x-cache": "HIT"}], ids=str)
def test_a_proxy_or_cache_that_makes_itself_known_is_named(tmp_path: Path, header: dict[str, str]) -> None:
    """The header that gives it away, seen in an answer before the load, stands in the meaning of `served`."""
    check = judge(damage_facts(made_up(tmp_path), elsewhere(5455, headers=header)))["served"]
    [(name, value)] = header.items()
    assert check.kind == "unseen_behind"
    assert f"{name.title()}: {value}" in check.meaning
    assert judge(damage_facts(made_up(tmp_path / "plain"), elsewhere(5455)))["served"].kind == "unseen"
    assert judge(damage_facts(made_up(tmp_path / "seen"), workers(5455)))["served"].kind == "more_answered"


def test_workers_of_a_server_on_this_machine_are_judged_whoever_started_it(tmp_path: Path) -> None:
    """Where their numbers are those of processes that listen here, one that is gone was replaced."""

    def change(facts: dict[str, Any]) -> None:
        replaced(facts)
        facts["server"] |= {"worker_pids_at_end": [999], "started_by_lab": False, "workers_seen": True}

    assert flaws(judge(damage_facts(made_up(tmp_path), change))) == {"served": "suspect", "workers": "suspect"}


# -- runs that did not last ----------------------------------------------------------------------


@pytest.mark.parametrize("pacing", ["fixed", "after"])
@pytest.mark.parametrize("server", [None, stalling(8, 100)], ids=["ideal", "stalling"])
def test_a_run_that_was_cut_short(tmp_path: Path, pacing: str, server: Callable[..., Answer] | None) -> None:
    """Everything else is in order, and the reason is given."""
    scenario = SMALL.model_copy(update={"pacing": pacing})
    verdict = judge(made_up(tmp_path, scenario, cut_short_at=10.0, server=server))
    assert flaws(verdict) == {"cut_short": "suspect"}
    assert verdict["cut_short"].kind == "cut"
    assert verdict["cut_short"].advice in verdict.headline


@pytest.mark.parametrize("pacing", ["fixed", "after"])
@pytest.mark.parametrize("server", [None, stalling(8, 100)], ids=["ideal", "stalling"])
def test_an_unfinished_record(tmp_path: Path, pacing: str, server: Callable[..., Answer] | None) -> None:
    """What it holds can be read; what it cannot tell does not apply; it is never valid."""
    scenario = SMALL.model_copy(update={"pacing": pacing, "timeout_s": 4.0})
    verdict = judge(made_up(tmp_path, scenario, killed_at=10.0, server=server))
    assert flaws(verdict).pop("cut_short") == "suspect"
    assert verdict.status == "suspect"
    for name in ("generator_stall", "totals", "served", "workers"):
        assert verdict[name].status == "not_applicable"


def test_the_last_polls_of_an_unfinished_record_may_be_unwritten(tmp_path: Path) -> None:
    """Polls in flight when it broke off are counted and named, but nothing is damaged."""
    record = made_up(tmp_path, killed_at=10.0)
    check = judge(damage_rows(record, lambda rows: rows.filter((pl.col("client") > 0) | (pl.col("due_s") < 9))))[
        "rows_complete"
    ]
    assert check.status == "suspect"
    assert check.kind == "not_whole"


@pytest.mark.parametrize("pacing", ["fixed", "after"])
def test_a_hole_in_an_unfinished_record_is_damage(tmp_path: Path, pacing: str) -> None:
    """A poll that is missing although its device went on was not lost with the last seconds."""
    record = made_up(tmp_path, SMALL.model_copy(update={"pacing": pacing}), killed_at=20.0)
    verdict = judge(damage_rows(record, lambda rows: rows.filter(~pl.col("round").is_between(40, 44))))
    assert verdict["rows_complete"].status == "invalid"


@pytest.mark.parametrize("pacing", ["fixed", "after"])
def test_a_device_that_falls_silent_long_before_the_end_of_an_unfinished_record(tmp_path: Path, pacing: str) -> None:
    """Longer than a timeout and the last write, a device cannot have been unwritten."""
    scenario = SMALL.model_copy(update={"pacing": pacing, "timeout_s": 2.0})
    record = made_up(tmp_path, scenario, killed_at=25.0)
    silent = (pl.col("client") == 5) & (pl.col("due_s") > 5)
    verdict = judge(damage_rows(record, lambda rows: rows.filter(~silent)))
    assert verdict["rows_complete"].status == "invalid"


@pytest.mark.parametrize("finished", [True, False])
def test_an_empty_record(tmp_path: Path, finished: bool) -> None:
    """Nothing was measured, so there is nothing to believe."""
    record = made_up(tmp_path, killed_at=None if finished else 10.0)
    for part in (record.path / "requests").iterdir():
        part.unlink()
    verdict = judge(Record(record.path))
    assert verdict.status == "invalid"
    assert verdict["rows_complete"].status == "invalid"


def test_a_run_interrupted_in_its_warm_up(tmp_path: Path) -> None:
    """It has no measured poll, and is not believed, but it can be judged."""
    verdict = judge(made_up(tmp_path, cut_short_at=0.0))
    assert verdict.status == "invalid"
    assert verdict["rows_complete"].kind == "empty"


def test_every_check_explains_itself(tmp_path: Path) -> None:
    """Clean or not, a check has a figure, a limit and a sentence that ends."""
    for record in (made_up(tmp_path / "a"), made_up(tmp_path / "b", lag=late(1.0), costs=Costs(1, 1, 1, 1), killed_at=9)):
        for check in judge(record).checks:
            assert check.figure
            assert check.limit
            assert check.meaning.endswith(".")
            assert not check.advice or check.advice.endswith(".")
            assert ".." not in check.said
            assert not re.search("[{}]", check.said)


@pytest.mark.parametrize(("failed", "status"), [([], "valid"), (["known answers: stall"], "suspect")])
def test_a_certificate_of_calibration_is_quoted(tmp_path: Path, failed: list[str], status: str) -> None:
    """A run on a machine that was calibrated says how that went; a failed calibration makes it suspect."""
    record = made_up(tmp_path)
    certificate = {
        "certified_at": "2026-11-24T00:00:00Z",
        "engines": ["httpx"],
        "passed": not failed,
        "failed": failed,
        "parts": {"known answers": {"passed": 12 - len(failed), "failed": len(failed), "skipped": 0}},
    }
    started = dict(record.started)
    started["environment"] = {**started["environment"], "calibration": certificate}
    store.write_json(record.path / "started.json", started)
    check = judge(Record(record.path))["calibration"]
    assert check.status == status
    assert f"{12 - len(failed)} of 12 trials passed" in check.figure
    assert all(name in check.meaning for name in failed)


def test_a_certificate_says_nothing_of_an_engine_that_was_not_tried(tmp_path: Path) -> None:
    """It is then as if there were none, and the check says which were."""
    record = made_up(tmp_path)
    started = dict(record.started)
    certificate = {"certified_at": "2026-11-24T00:00:00Z", "engines": ["httpx-stock"]}
    started["environment"] = {**started["environment"], "calibration": certificate}
    store.write_json(record.path / "started.json", started)
    check = judge(Record(record.path))["calibration"]
    assert check.status == "not_applicable"
    assert check.kind == "other_engine"


def test_a_single_altered_answer_is_noticed(tmp_path: Path) -> None:
    """Every part must be, byte for byte, what its generator wrote."""
    record = made_up(tmp_path)
    part = record.path / "requests" / "part-0-0.parquet"

    def with_checksum(facts: dict[str, Any]) -> None:
        facts["generator"]["instances"][0]["part_sha256"] = [store.checksum(part)]

    damage_facts(record, with_checksum)
    assert judge(Record(record.path))["untouched"].status == "valid"
    first = pl.int_range(pl.len()) == 0
    quicker = pl.when(first).then(pl.col("sent_s")).otherwise("done_s")
    pl.read_parquet(part, glob=False).with_columns(done_s=quicker).write_parquet(part)
    check = judge(Record(record.path))["untouched"]
    assert (check.kind, check.status) == ("changed", "invalid")
    assert "part-0-0.parquet" in check.meaning
