"""Tables and banners: what they say, in which order, and that nothing from outside is run."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.present import top
from experiments.present.answer import Judgement
from experiments.present.html import Markup, element, table
from experiments.present.pages.asked import asked
from experiments.present.pages.run import Page
from experiments.present.tables import headline, provenance, service_level, verdict
from experiments.present.tables.clients import clients
from experiments.present.tables.sortable import SortableTable
from experiments.record.reading import Record
from experiments.scenario import Scenario
from tests.present.conftest import HOSTILE
from tests.support.made_up import SMALL, damage_facts, made_up

CHECKS = [
    {"name": "one", "status": "valid", "figure": "1", "limit": "2", "meaning": "Good."},
    {"name": "two", "status": "not_applicable", "figure": None, "limit": None, "meaning": "Not there."},
    {"name": "three", "status": "invalid", "figure": 0.5, "limit": 0.1, "meaning": HOSTILE},
    {"name": "four", "status": "suspect", "figure": "3", "limit": "1", "meaning": "Hm."},
]
TIMES = dict.fromkeys(("p50", "p95", "p99", "max"))


def endpoint(**changes: object) -> dict[str, object]:
    """What a summary says of an endpoint."""
    counts = dict.fromkeys(("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late"), 0)
    return {**counts, "failures": {}, "response_ms": TIMES, "latency_ms": TIMES, **changes}


def plain(markup: Markup) -> str:
    """The text of a piece of HTML, without its tags."""
    return re.sub(r"<[^>]+>", "|", markup.content)


def test_text_is_escaped_and_markup_is_not() -> None:
    """A string is text whoever wrote it, attributes included."""
    made = element("p", HOSTILE, Markup("<b>x</b>"), title='"><script>')
    assert made.content == ('<p title="&quot;&gt;&lt;script&gt;">&lt;script&gt;alert(1)&lt;/script&gt;<b>x</b></p>')


def test_a_table_names_its_rows_and_its_purpose() -> None:
    """A reader who hears the page is told what a table is and which row he is in."""
    made = table(["a", "b"], [["x", "1"]], label="letters", numbers={1}).content
    assert 'aria-label="letters"' in made
    assert '<th scope="row">x</th><td class="lab-number">1</td>' in made


def test_checks_come_worst_first() -> None:
    """What makes a run invalid stands on top, what could not be checked at the bottom."""
    assert [check["name"] for check in verdict.ranked(CHECKS)] == ["three", "four", "one", "two"]


def test_a_status_is_said_by_word_symbol_and_colour() -> None:
    """Nobody has to see colours to read the verdict."""
    made = verdict.checks({"checks": CHECKS}).content
    for name, symbol in (("invalid", "✖"), ("suspect", "▲"), ("valid", "✔"), ("not applicable", "–")):
        assert f"{symbol} {name}</span>" in made


def test_the_two_judgements_share_neither_box_nor_colour_nor_icon() -> None:
    """Answer, then each judgement with its own words; all of it is text, whoever wrote it."""
    made = top.top("T", ["d"], HOSTILE, Judgement("missed", HOSTILE), Judgement("valid", "Fine."), said=["A: fine."])
    boxes = re.findall(r'<section class="(lab-box [^"]*)"', made.content)
    icons = re.findall(r'<svg class="lab-icon"[^>]*>(.*?)</svg>', made.content)
    assert boxes == ["lab-box lab-missed", "lab-box lab-valid"]
    assert len(set(icons)) == 2
    said = plain(made)
    assert said.index("Service level: ") < said.index("missed") < said.index("Measurement: ") < said.index("valid")
    assert said.index("valid") < said.index("A: fine.")
    assert "<script" not in made.content


def test_what_the_server_failed_is_loud_where_nothing_was_asked() -> None:
    """A quarter of the polls failed: the box of the service level is not a quiet one."""
    asked_for_nothing = Judgement("not asked", "No service level was asked for.", "the server failed 26 % of the polls")
    made = top.top("T", [], "x", asked_for_nothing, Judgement("valid", "Fine."))
    assert "not asked, but the server failed 26 % of the polls" in made.content
    assert "lab-box lab-missed" in made.content


def test_a_percentile_without_enough_polls_says_so() -> None:
    """A null is not shown as a figure; an interval stands beside its percentile."""
    times = {**TIMES, "p50": 0.5123, "max": 12.0, "interval": {"p50": [0.5, 0.5246]}}
    made = plain(
        headline.headline(
            {
                "endpoints": {"status": endpoint(planned=30, ok=30, response_ms=times)},
                "load": {"polls_per_s_planned": 10.0, "polls_per_s_answered": 10.0, "mb_per_s_answered": None},
            }
        )
    )
    assert "0.512 |[0.500 – 0.525]" in made
    assert made.count("too few polls") == 2
    assert "B (bulk)" not in made


def test_a_missed_service_level_names_what_is_missed() -> None:
    """The sentence carries figure and limit of each limit that is not kept."""
    items = [
        {"name": "status_response_p99_ms", "limit": 5.0, "figure": 7.31, "met": False},
        {"name": "failure_pct", "limit": 1.0, "figure": 0.0, "met": True},
    ]
    level = {"asked": True, "met": False, "items": items}
    expected = "The service level that was asked for is missed: response p99 of A, ms is 7.31, limit 5."
    assert service_level.sentence(level) == expected
    made = plain(service_level.levels({"service_level": level}))
    assert made.index("✖ missed") < made.index("✔ met")


def summed(one: dict[str, object]) -> dict[str, Any]:
    """A summary of A alone."""
    load = {"polls_per_s_planned": 10.0, "polls_per_s_answered": 10.0, "mb_per_s_answered": None}
    return {"endpoints": {"status": endpoint(**one)}, "load": load}


LONGER = {"p50": True, "p99": True, "max": True}


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (
            {
                "planned": 2642,
                "failed": 2642,
                "failures": {"read_timeout": 2642},
                "response_ms": TIMES | {"censored": LONGER},
            },
            "none was answered right, 2,642 had no answer within the timeout (100 %).",
        ),
        (
            {
                "planned": 100,
                "ok": 50,
                "failed": 20,
                "failures": {"read_timeout": 12, "reset": 8},
                "unsent_busy": 29,
                "unsent_late": 1,
                "response_ms": TIMES | {"p50": 416.0, "p99": 3240.0, "censored": LONGER},
            },
            "8 failed (8.00 %), 12 had no answer within the timeout (12.0 %), 29 could not be sent since their device still "
            "waited (29.0 %), 1 not sent since the generator was late (1.00 %); of those that did not fail half waited "
            "longer than 416 ms and 1 % longer than 3,240 ms.",
        ),
        (
            {
                "planned": 2000,
                "ok": 1900,
                "unsent_busy": 100,
                "response_ms": TIMES | {"p50": 1.0, "p99": 9.0, "censored": {"p99": True}},
            },
            "(5.00 %); half were done within 1.00 ms and 1 % waited longer than 9.00 ms.",
        ),
        (
            {"planned": 2000, "ok": 2000, "response_ms": TIMES | {"p50": 1.0, "p99": 9.0}},
            "none failed; half were done within 1.00 ms and 99 % within 9.00 ms.",
        ),
    ],
)
def test_the_result_says_what_became_of_the_polls(one: dict[str, object], says: str) -> None:
    """Failed, unanswered and unsent apart; who was never answered was never done."""
    (said,) = headline.sentences(summed(one))
    assert says in said


def test_a_lower_bound_is_marked_in_the_table() -> None:
    """With the interval that has no upper end, and an explanation only where it is needed."""
    times = TIMES | {"p50": 416.0, "interval": {"p50": [410.0, 420.0]}, "interval_open": {"p50": True}, "max": 500.0}
    shown = plain(headline.headline(summed({"planned": 30, "response_ms": times | {"censored": LONGER}})))
    assert "> 416 |[410 or longer]".replace(">", "&gt;") in shown
    assert "&gt; 500" in shown
    assert "longer than the figure" in shown
    assert "longer than the figure" not in plain(headline.headline(summed({"planned": 30, "response_ms": TIMES})))


def test_what_no_poll_kept_has_a_share_instead_of_a_figure() -> None:
    """A limit that is missed since polls had no right answer says how many were in time, and what was left out."""
    item = {"name": "status_response_p99_ms", "limit": 50.0, "figure": None, "met": False}
    allowed = {"name": "failure_pct", "limit": 1.0, "figure": 0.5, "met": True}
    missed = {"asked": True, "met": False, "items": [item | {"within_pct": 5.0, "left_out_pct": 0.0}]}
    said = service_level.sentence(missed)
    assert all(figure in said for figure in ("missed", "p99 of A", "5.000 %", "within 50 ms", "99 % should be"))
    assert "none: 5.000 % of the polls" in plain(service_level.levels({"service_level": missed}))
    spared = item | {"figure": 4.0, "met": True, "within_pct": 99.8, "left_out_pct": 0.5}
    met = {"asked": True, "met": True, "items": [spared, allowed]}
    said = "0.500 % of the polls failed and are left out of response p99 of A, ms: slo_failure_pct=1 allows that."
    assert service_level.sentence(met) == f"The service level that was asked for is met. {said}"
    assert said in plain(service_level.levels({"service_level": met}))


def test_what_a_generator_does_not_tell_is_not_nought(tmp_path: Path) -> None:
    """httpx's own client counts no connections; whether the machine is virtual is read from what the record says."""

    def stock(facts: dict[str, Any]) -> None:
        facts["environment"]["hypervisor"] = True
        facts["generator"]["instances"][0] |= {"attempts": 55, "connects": None, "reconnects": None, "retries": None}

    shown = plain(Page(damage_facts(made_up(tmp_path), stock)).provenance())
    assert re.search(r"\|httpx 0\|+40\|+55\|+–\|+–\|+–", shown)
    assert re.search(r"virtual machine\|+yes", shown)


def test_the_load_that_is_asked_for_is_shown_back() -> None:
    """Polls and megabytes a second, all polls, and open connections follow from the parameters."""
    shown = plain(asked(Scenario()))
    assert [figure in shown for figure in ("1,100 polls/s", "20.6 MB/s", "660,000", "500 to be kept open")] == [True] * 4


@pytest.mark.parametrize(
    ("changes", "carries", "advice"),
    [
        ({}, {"httpx": 1100.0}, ""),
        ({}, {"httpx": 1099.0}, "1,100 polls/s of A with little lag on this machine"),
        ({"generators": 2}, {"httpx": 550.0}, ""),
        ({"clients": 200, "generators": 0}, {"httpx": 1.0}, ""),
        ({"clients": 6000}, {}, "this one is not calibrated for it (make calibrate)"),
        ({"engine": "httpx-stock"}, {"httpx": 1.0}, ""),
    ],
)
def test_a_load_beyond_what_was_measured_is_advised_against(
    changes: dict[str, object], carries: dict[str, float], advice: str
) -> None:
    """What one generator carried here decides, elsewhere a stated default; an engine that was not measured has no limit."""
    shown = plain(asked(Scenario(**changes), {"carries": carries}))
    assert ("was measured to carry" in shown) is bool(advice)
    assert advice in shown


def test_parameters_away_from_their_default_stand_out() -> None:
    """The first table holds what was chosen, the folded one everything."""
    shown = asked(Scenario(clients=7)).content
    first, rest = shown.split("<details")
    assert ("clients" in first, "timeout_s" in first, "timeout_s" in rest) == (True, False, True)


def test_the_machines_of_a_fleet_are_shown_with_their_clocks(tmp_path: Path) -> None:
    """One row per generator; a run on one machine has no such table."""
    assert "Dask worker" not in plain(Page(made_up(tmp_path / "one")).provenance())

    def on_a_worker(facts: dict[str, Any]) -> None:
        worker = {"number": 1, "on_this_machine": False, "machine": {"cpu_model": "an imagined processor", "cores": 64}}
        clock = {"clock_offset_s": -1234.5678, "clock_error_s": 0.00125, "clock_drift_s": None}
        facts["generator"]["instances"][0] |= {"worker": worker, **clock}

    shown = plain(Page(damage_facts(made_up(tmp_path / "two"), on_a_worker)).provenance())
    assert re.search(r"\|0\|+1\|+no\|+an imagined processor\|+64\|+-1,234.568\|+1.25\|+–", shown)


def test_the_limits_of_the_machine_are_shown_with_the_addresses_that_widened_them(tmp_path: Path) -> None:
    """Which files and ports a swarm had is part of how to repeat it; many addresses are shown by first and last."""
    plainly = plain(Page(made_up(tmp_path / "one")).provenance())
    assert "devices connected from" not in plainly

    def widened(facts: dict[str, Any]) -> None:
        facts["generator"]["source_addresses"] = [f"127.0.0.{number}" for number in range(1, 9)]
        facts["environment"]["open_files"] = {"soft": 16_767, "hard": None}

    shown = plain(Page(damage_facts(made_up(tmp_path / "two"), widened)).provenance())
    assert re.search(r"devices connected from\|+8 addresses, 127.0.0.1 to 127.0.0.8", shown)
    assert re.search(r"open files of a process\|+16,767; may be raised to any number", shown)


def test_places_on_this_machine_are_not_shown(page: Page, record: Record) -> None:
    """A report can be sent to somebody without telling where its record lies."""
    shown = page.provenance().content + page.asked().content
    assert str(record.path.parent) not in shown
    assert f"{record.path.parent.name}/{record.run_id}" in shown
    assert str(Path.home()) + "/" not in shown


def test_a_command_line_is_shortened_to_what_matters(tmp_path: Path) -> None:
    """The interpreter's folder, the run's folders and the home folder are left out."""
    command = ["/opt/venv/bin/python", "-m", "uvicorn", "--log", f"{tmp_path}/server.log", f"{Path.home()}/x y"]
    shown = provenance.command_line(command, tmp_path)
    assert shown == f"python -m uvicorn --log {tmp_path.parent.name}/{tmp_path.name}/server.log '~/x y'"


def test_what_a_server_says_is_shown_and_not_run(folder: Path) -> None:
    """Headers, names and failure texts of a hostile server are text in every table."""
    record = made_up(folder, SMALL.model_copy(update={"minutes": 0.05}))

    def hostile(facts: dict[str, dict[str, object]]) -> None:
        facts["server"].update(headers={"status": {HOSTILE: HOSTILE}}, died=HOSTILE, framework=HOSTILE)

    shown = Page(damage_facts(record, hostile))
    for made in (shown.provenance(), shown.verdict()):
        assert "<script" not in made.content
        assert "&lt;script&gt;" in made.content


@pytest.fixture
def clients_frame() -> pl.DataFrame:
    """A row of a device, as `analyse` makes it."""
    return pl.DataFrame(
        {
            "client": [0, 0],
            "endpoint": ["status", "bulk"],
            "planned": [120, 12],
            "ok": [119, 12],
            "failed": [1, 0],
            "reasons": [f"read_timeout 1 {HOSTILE}", ""],
            "unsent": [0, 0],
            "p50_ms": [0.51234, None],
            "p95_ms": [None, None],
            "p99_ms": [None, None],
            "max_ms": [1234.56, 3.0],
            "unanswered": [1, 0],
            "p50_censored": [False, None],
            "p95_censored": [None, None],
            "p99_censored": [None, None],
            "max_censored": [True, False],
        },
        schema_overrides=dict.fromkeys(("p95_ms", "p99_ms"), pl.Float64)
        | dict.fromkeys(("p95_censored", "p99_censored"), pl.Boolean),
    )


def test_the_table_of_devices_holds_numbers_not_texts(clients_frame: pl.DataFrame) -> None:
    """Columns sort as numbers, have three digits, and are left out where no device has a value."""
    made = clients(clients_frame)
    assert isinstance(made, SortableTable)
    assert made.frame.columns == [
        "device",
        "endpoint",
        "planned",
        "ok",
        "failed",
        "of these no answer",
        "reasons",
        "not sent",
        "p50, ms",
        "max, ms",
    ]
    assert made.frame["max, ms"].to_list() == ["> 1230", "3.00"]
    assert "longer than the figure" in made.said
    assert made.frame["p50, ms"].to_list() == [0.512, None]
    assert made.frame["endpoint"].to_list() == ["A (status)", "B (bulk)"]


def test_the_table_of_devices_runs_nothing_and_needs_no_web(clients_frame: pl.DataFrame) -> None:
    """Reasons are escaped, every row is there, and no address is loaded."""
    made = clients(clients_frame)
    assert isinstance(made, SortableTable)
    shown = made.table_html()
    assert HOSTILE not in shown
    assert not re.search(r"(src|href)=.?https?://(?!itables\.org)", shown)


def test_the_table_of_every_device_is_complete(page: Page) -> None:
    """No row is dropped to save room."""
    made = page.clients()
    assert isinstance(made, SortableTable)
    assert made.frame.height == 2 * SMALL.clients
    rows = json.loads(re.findall(r'"data_json": ?("(?:[^"\\]|\\.)*")', made.table_html())[0])
    assert len(json.loads(rows)) == 2 * SMALL.clients


def test_no_device_with_a_poll_makes_a_note() -> None:
    """An empty table is a sentence."""
    assert isinstance(clients(pl.DataFrame()), Markup)
