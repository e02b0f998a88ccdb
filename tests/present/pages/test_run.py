"""What the cells of a notebook show, for runs of every kind."""

from pathlib import Path

import polars as pl
import pytest

from experiments.analyse import summary
from experiments.errors import RecordError, VerdictError
from experiments.present.chart import Chart
from experiments.present.html import Markup
from experiments.present.pages.asked import asked
from experiments.present.pages.run import Page
from experiments.record import reading, store
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, Answer, Server, damage_facts, failing, made_up

CELLS = (
    "verdict",
    "checks",
    "asked",
    "headline",
    "service_level",
    "costs",
    "clients",
    "provenance",
    "response_over_time",
    "percentiles",
    "outcomes_over_time",
    "server_over_time",
    "generator_over_time",
    "device_map",
)
BRIEF = SMALL.model_copy(update={"minutes": 0.1})


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("run", ["page", "tiny", "empty"])
def test_every_cell_shows_something_for_every_run(request: pytest.FixtureRequest, run: str, cell: str) -> None:
    """A cell is one expression that never fails, whatever the run was like."""
    shown = getattr(request.getfixturevalue(run), cell)()
    assert shown._repr_mimebundle_() if isinstance(shown, Chart) else shown._repr_html_()


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_that_was_killed_is_shown_as_far_as_it_came(tmp_path: Path, cell: str) -> None:
    """Without run.json there is less to show, but every cell shows what there is."""
    page = Page(made_up(tmp_path, BRIEF, killed_at=4.0))
    assert getattr(page, cell)() is not None
    assert "not complete" in page.verdict().content


def test_wrong_answers_are_counted_by_status_and_shown(tmp_path: Path) -> None:
    """In the sentence on top and in the table; of the first of each kind, what came, as text."""
    record = made_up(tmp_path, BRIEF, server=failing(Outcome.HTTP_ERROR, every=2, status=503))
    kept = {
        "endpoint": "status",
        "outcome": "http_error",
        "status": 503,
        "client": 3,
        "round": 2,
        "due_s": 1.25,
        "headers": [["Retry-After", "<b>7</b>"]],
        "first_bytes": "<script>alert(1)</script>",
    }
    record = damage_facts(record, lambda facts: facts["generator"]["instances"][0].update(first_wrong_answers=[kept] * 2))
    page = Page(record)
    errors = page.summary["endpoints"]["status"]["statuses"]["503"]
    assert f"; status 503: {errors:,})" in page.verdict().content
    shown = page.headline().content
    assert f"http error {errors:,} (503: {errors:,})" in shown
    assert shown.count("Retry-After: &lt;b&gt;7&lt;/b&gt;") == 1
    assert "&lt;script&gt;alert(1)" in shown


def test_every_chart_over_time_says_when_its_time_began(tmp_path: Path) -> None:
    """What happened at 4.2 s can be looked for in other logs; a record of an earlier lab does not know."""
    record = made_up(tmp_path, BRIEF)
    over_time = [cell for cell in CELLS if cell.endswith("_over_time") or cell == "device_map"]

    def captions(page: Page) -> list[str]:
        charts = [getattr(page, cell)() for cell in over_time]
        return [chart.caption for chart in charts if isinstance(chart, Chart)]

    assert len(captions(Page(record))) == len(over_time) == 5
    assert not [caption for caption in captions(Page(record)) if "UTC" in caption]
    dated = Page(damage_facts(record, lambda facts: facts.update(window_started_at="2026-11-28T13:05:01.250Z")))
    said = "0 on the time axis is 13:05:01.250 UTC on 2026-11-28."
    assert [caption.endswith(said) for caption in captions(dated)] == [True] * 5
    assert "2026-11-28T13:05:01.250Z" in dated.provenance().content


def test_one_endpoint_alone_is_a_page_too(tmp_path: Path) -> None:
    """A ratio of 10:0 polls no B, and shows none."""
    page = Page(made_up(tmp_path, BRIEF.model_copy(update={"ratio": "10:0"})))
    for cell in CELLS:
        getattr(page, cell)()
    assert "B (bulk)" not in page.headline().content


def test_a_run_in_which_all_polls_failed_is_a_page_too(tmp_path: Path) -> None:
    """A server that refuses everybody is a result."""
    page = Page(made_up(tmp_path, BRIEF, server=failing(Outcome.CONNECT_REFUSED, every=1)))
    for cell in CELLS:
        getattr(page, cell)()
    assert "connect refused" in page.headline().content


def test_an_interrupted_run_is_stamped_with_its_reason(tmp_path: Path) -> None:
    """Nobody takes half a run for a whole one."""
    shown = Page(made_up(tmp_path, BRIEF, cut_short_at=3.0)).verdict().content
    assert "Cut short after 3 s of 6 s (interrupted by the experimenter)" in shown


def test_a_killed_run_is_stamped_with_how_far_it_came(tmp_path: Path) -> None:
    """Nobody could write the reason, so the stamp says that, and how much is there."""
    shown = Page(made_up(tmp_path, SMALL, killed_at=12)).verdict().content
    assert "Cut short after 12 s of 30 s (it broke off without a word" in shown


def test_with_an_earlier_run_its_own_question_is_shown(tmp_path: Path) -> None:
    """The scenario is the record's, whatever the notebook would have asked; a folder without a record is refused."""
    record = made_up(tmp_path, SMALL)
    assert "<b>40</b>" in asked(Scenario(clients=7, run_dir=str(record.path))).content
    assert "<b>7</b>" in asked(Scenario(clients=7)).content
    with pytest.raises(RecordError, match="not a run directory"):
        asked(Scenario(run_dir=str(tmp_path / "nothing")))


def test_a_loaded_run_and_a_dead_server_are_stamped(tmp_path: Path) -> None:
    """A page says that nothing was measured now, and that the server did not live to the end."""
    record = damage_facts(made_up(tmp_path, BRIEF), lambda facts: facts["server"].update(died="exit code 3"))
    shown = Page(record, BRIEF.model_copy(update={"run_dir": str(record.path)})).verdict().content
    assert "Shown from the record of run made-up" in shown
    assert "died under 40 devices every 250 ms: exit code 3;" in shown


def test_a_closed_loop_is_labelled(tmp_path: Path) -> None:
    """Pacing `after` hides delay by design; the page says so."""
    record = made_up(tmp_path, BRIEF.model_copy(update={"pacing": "after"}))
    assert "Closed loop" in Page(record).verdict().content


def test_a_stored_summary_is_used_unless_it_is_of_another_version(tmp_path: Path) -> None:
    """The figures shown are those stored, as long as the lab would compute them alike."""
    record = made_up(tmp_path, BRIEF)
    made = summary.summarise(record)
    store.write_json(record.path / "summary.json", {**made, "cut_short": "stored"})
    assert Page(record).summary["cut_short"] == "stored"
    store.write_json(record.path / "summary.json", {**made, "analysis_version": -1})
    assert Page(record).summary == made


def test_strict_fails_a_missed_service_level_and_an_invalid_run(tmp_path: Path) -> None:
    """Without `strict` nothing fails; with it the reason is the sentence of the error."""
    missed = made_up(tmp_path, SMALL.model_copy(update={"slo_status_p99_ms": 0.001, "run_id": "missed"}))
    Page(missed).enforce()
    with pytest.raises(VerdictError, match=r"response p99 of A, ms is .* limit 0\.001"):
        Page(missed, missed.scenario.model_copy(update={"strict": True})).enforce()
    invalid = made_up(tmp_path, BRIEF.model_copy(update={"run_id": "invalid"}), cut_short_at=0.0)
    with pytest.raises(VerdictError, match="strict: the run is invalid"):
        Page(invalid, BRIEF.model_copy(update={"strict": True})).enforce()


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        (lambda poll: Answer(1e9), {"slo_status_p99_ms": 1000.0, "slo_devices_pct": 100.0, "timeout_s": 0.4}),
        (
            lambda poll: Answer(0.005) if poll.round % 20 == 0 else Answer(0.005, Outcome.HTTP_ERROR, 500, 0),
            {"slo_status_p99_ms": 50.0},
        ),
    ],
    ids=["silent", "19 of 20 fail"],
)
def test_strict_fails_a_server_that_does_not_answer(tmp_path: Path, server: Server, asked: dict[str, float]) -> None:
    """Whatever the polls that were not answered right took; and nothing is said to be done that was not."""
    page = Page(made_up(tmp_path, SMALL.model_copy(update={**asked, "strict": True}), server=server))
    with pytest.raises(VerdictError, match="service level that was asked for is missed"):
        page.enforce()
    shown = page.verdict().content
    assert "% of the polls of A were answered right within " in shown
    silent = "timeout_s" in asked
    assert ("half waited longer than 4" in shown) is silent
    assert ("half were done within" in shown) is not silent


def test_strict_passes_a_valid_run(tmp_path: Path) -> None:
    """A believable run without a service level has nothing to fail for."""
    Page(made_up(tmp_path, SMALL.model_copy(update={"strict": True}))).enforce()


def test_what_held_the_server_back_is_said_and_drawn(tmp_path: Path) -> None:
    """A quota that was used up stands on top, among the costs and over time; nothing of it where there was none."""
    quiet = Page(made_up(tmp_path / "quiet", BRIEF))
    record = made_up(tmp_path, BRIEF)
    of_server = pl.when(pl.col("group") == "server")
    counted = ((pl.col("t_s") + 100) * 10).cast(pl.UInt64)
    names = ("quota_periods", "throttled_periods", "throttled_s")
    frame = record.resources().with_columns(of_server.then(counted).alias(name) for name in names)
    store.write_table(record.path / "resources.parquet", frame.cast({"throttled_s": pl.Float64}))
    page = Page(reading.load(record.path))
    for cell in (page.verdict, page.costs):
        assert "held back by its CPU quota" in cell().content
        assert "held back" not in getattr(quiet, cell.__name__)().content
    for shown, drawn in ((page, True), (quiet, False)):
        chart = shown.server_over_time()
        assert isinstance(chart, Chart)
        assert ("quota used up" in [trace.name for trace in chart.figure.data]) is drawn


def test_why_a_server_was_not_sampled_is_said(tmp_path: Path) -> None:
    """The reason of the record stands where its processor and memory would be drawn, and in the provenance."""
    record = made_up(tmp_path, BRIEF)
    record = damage_facts(record, lambda facts: facts["server"].update(unseen="it is in a container", backlog=128))
    without = record.resources().filter(pl.col("group") != "server")
    store.write_table(record.path / "resources.parquet", without)
    page = Page(reading.load(record.path))
    shown = page.server_over_time()
    assert isinstance(shown, Markup)
    assert "No use of resources was recorded: it is in a container." in shown.content
    assert "it is in a container" in page.provenance().content
    assert "128, of at most" in page.provenance().content
