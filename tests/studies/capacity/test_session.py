"""A whole search over made-up cells: what is measured, what it comes to, and going on after a kill."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError, VerdictError
from experiments.measure import limits
from experiments.present.chart import Chart
from experiments.studies.capacity.page import Capacity
from experiments.studies.capacity.params import USUAL_MS, Asked, Own
from experiments.studies.capacity.search import Finding
from experiments.studies.capacity.strategy import Light, Search
from experiments.studies.cells import Cell
from experiments.studies.params import giving_way
from experiments.studies.study import Study
from server import catalogue
from tests.studies.capacity.made_up_search import GIVEN, made, searched, study
from tests.studies.cells.made_up_cells import leave_record
from tests.support.made_up import Answer, target_of


def cells_of(capacity: Capacity) -> list[Callable[[], Any]]:
    """The notebook's cells in their order, but for those that show what will be measured and charts."""
    shown = [capacity.light, capacity.model, capacity.foretell, capacity.held_out, capacity.search, capacity.levels]
    return [*shown, capacity.miss, capacity.scalability, capacity.law, capacity.fleet]


def text(shown: Any) -> str:
    """What a cell of the notebook shows, as plain text."""
    return repr(shown)


def test_a_search_finds_the_edge_and_says_how_sure_it_is(tmp_path: Path) -> None:
    """The sentence has the devices, the runs on both sides and the limit."""
    kind = made(edge=100)
    capacity = Capacity(study(tmp_path, kind))
    said = text(capacity.search())
    finding = capacity._searches[1].finding
    assert finding == Finding("edge", 96, 102)
    assert "96 devices at 50 ms on 1 worker: held in 2 of 2 runs; 102: in 0 of 1." in said
    assert "Limit: server CPU 9" in said
    assert "devices a core" in said
    assert "not steady" not in said


def test_a_machine_whose_speed_is_not_steady_is_named(tmp_path: Path) -> None:
    """Where the same load costs a fifth more in every other run, the edge moves, whatever the server does."""
    said = text(Capacity(study(tmp_path, made(slow_by=1.2))).search())
    assert "µs per request in different runs: the speed of this machine is not steady, and the edge moves with it." in said


def test_what_only_the_generator_limits_is_never_a_capacity(tmp_path: Path) -> None:
    """At least so many, with the advice, and under `strict` a failure."""
    capacity = Capacity(study(tmp_path, made(edge=900, inconclusive=150), strict=True))
    said = text(capacity.search())
    assert "At least 144 devices" in said
    assert "the generator gave up first" in said
    assert "engine=epoll" in said
    with pytest.raises(VerdictError, match="At least 144"):
        capacity.enforce()


def test_a_level_that_the_smallest_load_misses_is_the_answer(tmp_path: Path) -> None:
    """The search ends there, and says which figure was over its limit in how many runs."""
    capacity = Capacity(study(tmp_path, made(edge=50)))
    said = text(capacity.search())
    assert "Even 60 devices at 50 ms on 1 worker miss the service level: held in 0 of 2 runs." in said
    assert "response p99 of A, ms is 40" in said


def test_each_number_of_workers_is_searched(tmp_path: Path) -> None:
    """Two workers hold twice as many; two points identify no law, and it says so."""
    capacity = Capacity(study(tmp_path, made(edge=100), workers="2, 1"))
    capacity.search()
    found = {workers: search.finding.clients for workers, search in capacity._searches.items() if search.finding}
    assert found == {1: 96, 2: 192}
    assert "2 different N were measured" in text(capacity.law())


def test_a_search_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """Interrupted, nothing more is begun; started again, no cell is measured twice, and the end is the same."""
    whole, first, second = made(edge=100), made(edge=100, stop_after=4), made(edge=100)
    finding = searched(tmp_path / "whole", whole).finding
    broken_off = study(tmp_path / "killed", first)
    search, light = Search(broken_off.asked, 1), Light(broken_off.asked, 1)
    broken_off.run(search)
    broken_off.run(light)
    assert search.finding is None
    assert light.runs == []
    assert searched(tmp_path / "killed", second).finding == finding
    assert first.measured + second.measured == whole.measured


def test_an_earlier_search_is_shown_where_its_system_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell of the notebook says what it said, from the folder alone; nothing in it changes."""
    made_then = Capacity(study(tmp_path, made(edge=100), closed_loop="1,2", workers="1,2"))
    then = [text(show()) for show in cells_of(made_then)]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(catalogue, "obstacle", lambda system, **_: "it is not installed")
    monkeypatch.setattr(limits, "allow_files", lambda needed: pytest.fail("nothing will be opened"))
    # The parameters of now are those of the notebook, and none of the question's counts.
    capacity = Capacity.from_notebook(GIVEN | {"smallest": 1, "capacity_dir": str(tmp_path / "search")})
    assert [text(show()) for show in cells_of(capacity)] == then
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    with pytest.raises(ParameterError, match="cannot run here: it is not installed"):
        study(tmp_path, made())


def test_a_search_of_before_is_shown_as_it_ended_and_not_gone_on_with(tmp_path: Path) -> None:
    """Its plan does not say that new runs confirm: the rule by which it ended is the old one, and two rules do not mix."""
    searched(tmp_path, made(edge=100))
    path = tmp_path / "search" / "plan.json"
    plan = json.loads(path.read_text())
    del plan["confirmed_by"]
    path.write_text(json.dumps(plan))
    assert not Asked.of_plan(plan, {}).rules.anew
    assert Asked.of_plan(plan, {}).plan == {name: value for name, value in plan.items() if name != "fingerprint"}
    with pytest.raises(ParameterError, match="confirmed_by was not asked, now it is new runs"):
        searched(tmp_path, made(edge=100))


def test_what_is_no_search_is_not_shown_as_one() -> None:
    """The folder of something else is named for what it is not."""
    with pytest.raises(ParameterError, match="holds no capacity search"):
        Own.check_plan({"clients": [5]})


def test_when_the_time_is_up_it_says_how_far_it_came(tmp_path: Path) -> None:
    """Nothing is begun any more, nothing is claimed, and the way to go on is named."""
    kind, said = made(edge=100), []  # type: tuple[type[Made], list[str]]
    capacity = Capacity(study(tmp_path, kind, max_hours=0.0002), said.append)
    assert "The search ended before the edge was found" in text(capacity.search())
    assert kind.measured == []
    assert "capacity_id='search'" in said[0]


def test_another_question_does_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    """Another service level would judge old cells by a new rule; it is refused, and the difference named."""
    searched(tmp_path, made(edge=100))
    with pytest.raises(ParameterError, match="slo_status_p99_ms was 20"):
        searched(tmp_path, made(edge=100), slo_status_p99_ms=30)


def test_the_whole_notebook_over_made_up_cells(tmp_path: Path) -> None:
    """Every cell shows something: light cells, forecast, held-out cell, search, law and fleets."""
    kind = made(edge=100)
    capacity = Capacity(study(tmp_path, kind, closed_loop="1,2,4,8", smallest=60))
    assert "response p99 of A up to 20 ms" in text(capacity.asked())
    assert "valid" in text(capacity.light())
    assert "µs per poll" in text(capacity.model())
    assert "devices on 1 worker" in text(capacity.foretell())
    assert "response p50 of A (status), ms" in text(capacity.held_out())
    assert "held in 2 of 2 runs" in text(capacity.search())
    assert "inconclusive" not in text(capacity.levels())
    assert isinstance(capacity.edge(), Chart)
    assert "devices on 1 worker" in text(capacity.miss())
    assert isinstance(capacity.scalability(), Chart)
    assert "over closed-loop devices" in text(capacity.law())
    assert "1,000,000" in text(capacity.fleet())
    capacity.enforce()


def test_without_light_cells_nothing_is_foretold_and_the_search_goes_on(tmp_path: Path) -> None:
    """A server that is loaded by the smallest load already: no forecast is made up."""
    capacity = Capacity(study(tmp_path, made(edge=20, inconclusive=10_000), smallest=60))
    capacity.light()
    assert "no light cell could be used" in text(capacity.model())
    assert "nothing can be foretold" in text(capacity.foretell())
    assert "nothing to hold out" in text(capacity.held_out())
    assert "Even 60 devices" in text(capacity.search())
    assert "nothing can be said of larger fleets" in text(capacity.fleet())


def test_a_search_is_held_against_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The capacities stand beside each other, common loads are compared, and `strict` fails what became worse."""
    # The made-up machine is not this one, and `strict` would say so first.
    monkeypatch.setattr("experiments.studies.capacity.params.check_earlier", lambda compare_to, *, strict: None)
    Capacity(study(tmp_path, made(edge=200), capacity_id="before")).search()
    before = str(tmp_path / "before")
    now = Capacity(study(tmp_path, made(edge=100), compare_to=before, strict=True))
    now.search()
    said = text(now.changes())
    assert "devices on 1 worker, before and now" in said
    assert "A response p99, ms" in said
    with pytest.raises(VerdictError, match="96 devices on 1 worker, and 192 in"):
        now.enforce()
    same = Capacity(study(tmp_path, made(edge=200), capacity_id="same", compare_to=before, strict=True))
    same.search()
    same.enforce()


TARGET = """
url: http://127.0.0.1:9
endpoints:
  status: {request: POST /status, every_s: 0.05, slo: {p99_ms: 20}}
  config: {request: GET /config, every_s: 0.1, expect: {bytes: 500}}
  alarms: {request: GET /alarms, every_s: 0.5}
"""


def test_a_target_is_searched_by_its_own_level_and_nothing_is_foretold_of_it(tmp_path: Path) -> None:
    """The edge is measured alone; every cell that would show a forecast says why there is none."""
    loaded = target_of(tmp_path / "targets", TARGET)

    class OfTarget(made(edge=100)):  # type: ignore[misc]
        async def _execute(self, cell: Cell, place: Path) -> None:
            type(self).measured.append(cell.name)
            late = cell.scenario.clients > self.edge
            leave_record(cell, place, server=(lambda poll: Answer(0.04)) if late else None, target=loaded)

    of_hello = {"server", "ratio", "status_bytes", "bulk_bytes", "workload", "database_url", "db_delay_ms", "db_connections"}
    given = {name: value for name, value in GIVEN.items() if name not in of_hello}
    given |= {"target": str(loaded.path), "slo_status_p99_ms": "100", "slo_failure_pct": 100, "results_dir": str(tmp_path)}
    capacity = Capacity(Study(Asked.from_parameters(given), bench=OfTarget), lambda line: None)
    assert "response p99 of status up to 20 ms" in text(capacity.asked())
    for cell in (capacity.light, capacity.model, capacity.foretell):
        assert "Nothing is foretold of this target" in text(cell())
    assert "Nothing was foretold" in text(capacity.held_out())
    found = text(capacity.search())
    assert f" devices of {loaded.path.stem} on 1 worker: held in" in found
    assert "config p99, ms" in text(capacity.levels())
    chart = capacity.edge()
    assert isinstance(chart, Chart)
    assert chart.content()["layout"]["annotations"][0]["text"] == "<b>status</b>"
    then = [text(show()) for show in cells_of(capacity)]
    loaded.path.unlink()
    again = Capacity.of(given | {"capacity_dir": str(capacity.study.folder.path)})
    assert [text(show()) for show in cells_of(again)] == then


def test_a_limit_that_somebody_sets_stands_before_the_targets_own(tmp_path: Path) -> None:
    """Only the usual one of hello gives way, and only to an endpoint that says its own."""
    loaded = target_of(tmp_path, TARGET.replace("config:", "bulk:"))
    given = {"target": str(loaded.path), "slo_status_p99_ms": 30, "slo_bulk_p99_ms": 250.0}
    assert giving_way(given, USUAL_MS) == given
    assert giving_way({**given, "slo_status_p99_ms": "100.0"}, USUAL_MS) == {**given, "slo_status_p99_ms": 0.0}
    assert giving_way({"slo_status_p99_ms": 100}, USUAL_MS) == {"slo_status_p99_ms": 100}
