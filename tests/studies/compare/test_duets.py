"""A comparison in duets: every system polled at once with what all are held against, over made-up cells."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.errors import ParameterError
from experiments.record import store
from experiments.record.reading import load
from experiments.record.schema import Outcome
from experiments.studies.cells import Cell
from experiments.studies.compare import ranking, rows
from experiments.studies.compare import text as words
from experiments.studies.compare.blocks import blocks, duets
from experiments.studies.compare.page import Compare
from experiments.studies.compare.params import Asked
from experiments.studies.compare.ranking import AGAIN, CPU
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.sections import ComparePage, unmet
from experiments.studies.compare.statistics import of_pieces
from experiments.studies.compare.strategy import Course
from tests.studies.cells.made_up_cells import leave_record
from tests.studies.compare.made_up_systems import Made, asked, compared, given, made, study
from tests.support.made_up import Answer, damage_facts, failing, target_of

DUETS: dict[str, Any] = {"duet_minutes": 0.5, "systems": "falcon,starlette,bare-asgi,django", "workloads": "static"}
TRUTH = {"starlette": 1.2, "bare-asgi": 0.6, "django": 2.5}


def needing(ratio: float, cell: Cell, place: Path, **how: Any) -> None:
    """A record whose second server needs so much CPU for what the first needs, a little more or less in each piece."""
    leave_record(cell, place, server=lambda poll: Answer(0.001 * (1 + poll.system)), **how)
    record = load(place / cell.name)
    second = (pl.col("group") == "server") & (pl.col("instance") == 1)
    changed = ratio * pl.col("cpu_s") + 0.002 * (pl.col("t_s") * 7).sin()
    samples = record.resources().with_columns(cpu_s=pl.when(second).then(changed).otherwise("cpu_s"))
    store.write_table(record.path / "resources.parquet", samples)
    damage_facts(record, lambda facts: facts["sampler"].update(sha256=store.checksum(record.path / "resources.parquet")))


class InDuets(Made):
    """Leaves duets behind as `TRUTH` has them."""

    async def _execute(self, cell: Cell, place: Path) -> None:
        type(self).measured.append(cell.name)
        if cell.scenario.beside:
            needing(TRUTH.get(cell.scenario.beside, 1.0), cell, place)
        else:
            leave_record(cell, place)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Falcon and three others, a duet each."""
    kind = type("Here", (InDuets,), {"measured": [], "systems": {}})
    return compared(tmp_path_factory.mktemp("duets"), kind, **DUETS, memory_clients=30, loads="40")


def test_every_system_has_a_duet_and_falcon_one_with_itself() -> None:
    """With as many devices of each as the load says; blocks are left to what cannot share its surroundings."""
    one = asked(**DUETS | {"workloads": "static,database"}, loads="20,40", memory_clients=30)
    planned = duets(one)
    assert len(planned) == 2 * 4
    assert {(run.system, run.series.name) for run in planned if run.role == "duet with itself"} == {
        ("falcon", "static-20"),
        ("falcon", "static-40"),
    }
    scenarios = [(run.cell.scenario, run.series.changes["clients"]) for run in planned]
    assert all(
        (scenario.clients, scenario.minutes, scenario.server) == (2 * load, 0.5, "falcon") for scenario, load in scenarios
    )
    assert planned != sorted(planned, key=lambda run: run.cell.name)
    assert {run.series.workload for block in blocks(one) for run in block if run.role != "memory"} == {"database"}
    assert not duets(asked(**DUETS | {"duet_minutes": 0}))


def test_the_ranking_is_that_of_the_duets(comparison: Comparison) -> None:
    """Each ratio lies in its interval and is claimed; Falcon beside itself is not told apart, and is no part of Holm."""
    found = {one.name: one for one in ranking.found(comparison, comparison.asked.first)}
    assert list(found) == ["bare-asgi", *sorted(("falcon", AGAIN), key=[*found].index), "starlette", "django"]
    for name, truth in TRUTH.items():
        ratio = found[name].ratio
        assert ratio is not None
        assert ratio.value == pytest.approx(truth, rel=0.03)
        assert found[name].kind == ("more" if truth > 1 else "less")
    assert found[AGAIN].kind == "cannot tell apart"
    assert (found["falcon"].is_reference, found["falcon"].ratio) == (True, None)
    assert len(found["falcon"].values) == 4, "each duet has a figure of it"
    measures = {one.title: one for one in ranking.measures(ranking.figures(comparison, comparison.asked.first))}
    p50 = {one.name: one for one in ranking.found(comparison, comparison.asked.first, measures["response p50 of A"])}
    assert p50["starlette"].ratio is not None
    assert p50["starlette"].ratio.value == pytest.approx(2, rel=0.1)
    bulk = ranking.found(comparison, comparison.asked.first, measures["response p50 of B"])
    assert {one.ratio for one in bulk} <= {None}


def test_a_page_of_duets_says_how_it_came_about(comparison: Comparison) -> None:
    """Answer, ranking, costs and provenance of the systems that ran second."""
    page = ComparePage(comparison)
    answer = page.answer().content
    assert "Every system at once with Falcon ASGI on uvicorn, for 30 s each; half of an interval is" in answer
    assert "of 3 other systems 1 needed less (bare-asgi), 2 more (starlette, django), 0 cannot be told apart" in answer
    assert "neighbouring pieces are alike" in page.table().content
    assert "with fewer than 5 blocks" not in page.table().content
    assert {row["title"] for row in rows.costs(comparison)} == {words.title(name) for name in comparison.asked.systems}
    assert rows.missing(comparison, comparison.asked.first) == []
    assert unmet(comparison) == []
    assert "× 2.5" in page.table().content.replace("× 2.49", "× 2.5")


def test_a_duet_that_does_not_count_leaves_its_system_out(tmp_path: Path) -> None:
    """Half of the second server's answers are errors: it is named with the reason, and the others stand."""
    refused = failing(Outcome.HTTP_ERROR, every=2, status=500)

    class Failing(InDuets):
        async def _execute(self, cell: Cell, place: Path) -> None:
            if cell.scenario.beside == "django":
                leave_record(cell, place, server=lambda poll: refused(poll) if poll.system else Answer(0.001))
            else:
                await super()._execute(cell, place)

    kind = type("Here", (Failing,), {"measured": [], "systems": {}})
    found = compared(tmp_path, kind, **DUETS, loads="40")
    ((title, state, why),) = rows.missing(found, found.asked.first)
    assert (title, state) == (words.title("django"), "invalid")
    assert "% of the polls were not answered right (http_error (500))" in why
    assert [one.name for one in ranking.found(found, found.asked.first)][-1] == "starlette"


def test_duets_that_would_not_end_in_time_are_said(tmp_path: Path) -> None:
    """They come first, so that what is left out is the least; a comparison goes on where it was."""
    one = compared(tmp_path, type("A", (InDuets,), {"measured": [], "systems": {}}), **DUETS, loads="40", max_hours=0.004)
    assert "duets were not begun, since the time was up" in one.left_out


def test_an_interval_gives_the_p_by_which_it_is_claimed() -> None:
    """An end at 1 is p = 5 %; with fewer pieces than an interval takes nothing is claimed."""
    found = of_pieces({"estimate": 1.1, "low": 1.0, "high": 1.21, "pieces": 30, "block": 1})
    assert found is not None
    assert found.p == pytest.approx(0.05, abs=0.001)
    few = of_pieces({"estimate": 1.1, "low": None, "high": None, "pieces": 4, "block": 1})
    assert few is not None
    assert few.kind() == "provisional"
    assert of_pieces({"estimate": None, "low": None, "high": None, "pieces": 0, "block": 1}) is None


OWN = """
app: my.app:make
endpoints:
  status: {request: GET /status, share: 10, expect: {bytes: 100}}
  bulk: {request: GET /bulk, share: 1, expect: {bytes: 204800}}
"""


def test_a_target_of_ones_own_is_held_against_another(tmp_path: Path) -> None:
    """My app beside my app on another server, another commit, other settings: nothing of it is about Falcon."""
    mine = target_of(tmp_path / "a", OWN)
    other = mine.path.with_name("on-gunicorn.yaml")
    other.write_text(OWN + "server: gunicorn\n")
    (mine.path.parent / "my").mkdir()

    class Own(InDuets):
        async def _execute(self, cell: Cell, place: Path) -> None:
            type(self).measured.append(cell.name)
            needing(2.5, cell, place, target=mine)

    kind = type("Here", (Own,), {"measured": [], "systems": {}})
    told = {
        **DUETS,
        "systems": f"{other},workers=2",
        "target": str(mine.path),
        "loads": "40",
        "workloads": "static,database",
    }
    found = compared(tmp_path, kind, **told)
    assert found.asked.systems == (str(mine.path), str(other), "workers=2")
    assert len(kind.measured) == 3, "both, and the target beside itself"
    standing = {one.name: one for one in ranking.found(found, found.asked.first, CPU)}
    assert standing[str(other)].kind == "more"
    page = ComparePage(found)
    assert f"{mine.path} needed" in page.answer().content
    for section in (page.ratios, page.table, page.times, page.costs, page.capacity, page.fairness, page.wrong, page.systems):
        assert "Falcon" not in getattr(section(), "content", ""), section
    for path in (mine.path, other):
        path.unlink()
    shown = Compare.of(given(compare_dir=str(found.folder)))
    assert shown.study.asked.plan == found.asked.plan


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"systems": "all"}, "say in systems what is held beside it"),
        ({"systems": "falcon,workers=2"}, r"systems='falcon, workers=2' with target=.*catalogue answer the target 'hello'"),
        ({"systems": "wrkers=2"}, "'wrkers=2' says nothing of a server"),
        ({"systems": "workers=2", "duet_minutes": 0}, "duet_minutes=0 with target"),
        ({"systems": "./other.yaml"}, "there is no such file"),
    ],
)
def test_what_cannot_stand_beside_a_target_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """Before anything starts, in a sentence that says what can."""
    target = target_of(tmp_path, OWN)
    with pytest.raises(ParameterError, match=says):
        asked(**DUETS | {"target": str(target.path)} | changes)


def test_the_estimate_counts_the_duets(tmp_path: Path) -> None:
    """Four of half a minute and what belongs to it; no block of the static workload is left."""
    course = Course(study(tmp_path, made(), **DUETS, loads="40"))
    assert course.estimate.runs == 4
    assert course.estimate.duets_s == pytest.approx(4 * (30 + 0.5 + 10))
    assert course.estimate.blocks_s == 0


def test_a_target_whose_clocks_have_no_turns_is_polled_mixed(tmp_path: Path) -> None:
    """Every 3 s and every 10 s: no half of an interval is a server's own; the folder remembers it without the file."""
    clocks = OWN.replace("share: 10", "every_s: 3").replace("share: 1,", "every_s: 10,")
    target = target_of(tmp_path, clocks)
    one = asked(**DUETS | {"target": str(target.path), "systems": "workers=2"})
    assert one.split == "mixed"
    assert duets(one)[0].cell.scenario.plan.systems == 2
    assert asked(**DUETS).split == "halves"
    target.path.unlink()
    assert Asked.of_plan(one.plan, given()).split == "mixed"
