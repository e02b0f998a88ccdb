"""A comparison measured, killed, gone on with and out of time: over made-up cells, so that all of it takes no time."""

import time
from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.measure import limits, preflight
from experiments.record.schema import Outcome
from experiments.studies.capacity.search import Finding
from experiments.studies.cells import Cell
from experiments.studies.cells.folder import Folder
from experiments.studies.compare.page import Compare, measured
from experiments.studies.compare.params import Asked
from experiments.studies.compare.rows import log_tail
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.sections import unmet
from experiments.studies.compare.strategy import Course
from experiments.studies.compare.text import question
from experiments.studies.study import Study
from server import catalogue
from tests.studies.cells.made_up_cells import leave_failure, leave_record
from tests.studies.compare.made_up_systems import compared, cores, given, made, silent, study
from tests.support.made_up import Answer, failing, late


def edge(cell: Cell, place: Path) -> None:
    """A server that holds 100 devices, and answers more of them too late."""
    late = cell.scenario.clients > 100
    leave_record(cell, place, server=(lambda poll: Answer(0.2)) if late else None)


def states(comparison: Comparison) -> dict[str, str]:
    """System -> what became of its runs: counts, or why not."""
    return {run.system: "counts" if run.counts else run.why for run in comparison.runs if run.role == "system"}


def test_what_was_asked_is_measured_and_says_what_each_run_cost(tmp_path: Path) -> None:
    """Every run counts, and the one that used twice the cores needed twice the CPU."""
    kind = made(systems={"bare-asgi": cores(0.2), "falcon": cores(0.4)})
    found = compared(tmp_path, kind, systems="bare-asgi")
    assert found.left_out == ""
    assert found.blocks == 2
    assert len(found.runs) == len(kind.measured) == 6
    cost = {run.system: run.figures.cpu_us_per_request for run in found.runs if run.figures}
    assert cost["falcon"] == pytest.approx(2 * (cost["bare-asgi"] or 0), rel=0.05)


def test_a_run_that_may_not_be_believed_does_not_count_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A server that does not start, one that answers wrong bytes, one that fails, a generator that is late: each says so."""
    kind = made(
        systems={
            "bare-asgi": leave_failure,
            "django": lambda cell, place: leave_record(cell, place, server=failing(Outcome.WRONG_BODY, 10, 200)),
            "starlette": lambda cell, place: leave_record(cell, place, server=failing(Outcome.HTTP_ERROR, 5, 500)),
            "fastapi": lambda cell, place: leave_record(cell, place, lag=late(0.3)),
        }
    )
    found = compared(tmp_path, kind, systems="bare-asgi,django,starlette,fastapi", blocks=1)
    seen = states(found)
    assert seen["falcon"] == "counts"
    assert "no room" in seen["bare-asgi"]
    assert "wrong bytes" in seen["django"]
    assert "http_error" in seen["starlette"]
    assert seen["fastapi"].startswith("Do not use these figures")
    assert len(unmet(found)) == 4


def test_the_log_of_a_server_that_did_not_start_is_kept_for_the_report(tmp_path: Path) -> None:
    """Although its runs have no record; that of a failed run comes before those of others."""

    def broken(cell: Cell, place: Path) -> None:
        leave_failure(cell, place)
        (place / cell.name).mkdir()
        (place / cell.name / "server.log").write_text("ImportError: no such module\n")

    found = compared(tmp_path, made(systems={"bare-asgi": broken}), systems="bare-asgi")
    assert log_tail(found, "bare-asgi") == "ImportError: no such module"
    assert log_tail(found, "falcon") == ""


def test_a_comparison_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    """Nothing is measured twice, and what is there is shown meanwhile."""
    first = made(stop_after=3)
    found = compared(tmp_path, first, systems="bare-asgi")
    assert found.left_out.startswith("Interrupted; the same with compare_id='it'")
    assert sum(run.counts for run in found.runs) == 3
    second = made()
    whole = compared(tmp_path, second, systems="bare-asgi")
    assert whole.left_out == ""
    assert len(second.measured) == 3
    assert not set(first.measured) & set(second.measured)


def test_a_folder_of_another_question_is_refused(tmp_path: Path) -> None:
    """Also if a system can take part now that was skipped then: it would have no neighbours in time."""
    compared(tmp_path)
    with pytest.raises(ParameterError, match="blocks was 2, now it is 3"):
        compared(tmp_path, blocks=3)


def test_no_block_is_begun_that_would_not_end_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is whole blocks, and what is left out is said."""
    clock = time.monotonic()
    kind = made()
    # Each cell is foretold to take 3.5 s and 10 s around it; the clock stands still, so the second block has less.
    one = study(tmp_path, kind, systems="bare-asgi", blocks=3, max_hours=90 / 3600, capacity_systems="falcon")
    assert not Course(one).estimate.fits
    assert dict(question(Course(one)))["time"].endswith("what is left out is said")

    def passing() -> float:
        return clock + 13.5 * len(kind.measured)

    monkeypatch.setattr("experiments.studies.study.time.monotonic", passing)
    found = measured(one, silent, silent)
    assert len(kind.measured) == 6
    assert found.blocks == 2
    assert found.left_out.startswith("Block 3 of 3 was not begun, since max_hours=0.025 leaves 9 s")
    assert "nor was the capacity of falcon searched" in found.left_out
    assert {run.outcome.status for run in found.runs if run.block == 3} == {"not measured"}


def test_a_comparison_of_which_no_block_would_end_in_time_is_refused(tmp_path: Path) -> None:
    """The budget is held against the estimate of one block before a server starts."""
    with pytest.raises(ParameterError, match="not even the first block"):
        compared(tmp_path, max_hours=0.001)


def test_capacity_is_searched_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """By the search of capacity.ipynb: the edge of a made-up server is found, and found again by whoever looks later."""
    kind = made(systems={"falcon": edge})
    found = compared(tmp_path, kind, blocks=1, capacity_systems="falcon", interval_ms=50, ratio="1:0")
    finding = found.capacities["falcon"].finding
    assert isinstance(finding, Finding)
    assert finding.how == "edge"
    assert 90 <= finding.clients <= 100
    assert (tmp_path / "it" / "capacity-falcon" / "plan.json").is_file()
    shown = Asked.of_plan(Folder(tmp_path / "it").plan(), given())
    assert measured(Study(shown, shown=tmp_path / "it"), silent).capacities["falcon"].finding == finding


def test_one_server_is_asked_by_each_client_in_turn(tmp_path: Path) -> None:
    """After the blocks; none is measured again by who looks later, and none begun that would not end in time."""
    kind = made()
    found = compared(tmp_path, kind, blocks=1, three_clients=20)
    assert found.left_out == ""
    assert list(found.clients) == ["threads", "httpx-stock", "httpx", "epoll", "epoll, fixed"]
    assert kind.measured[2:] == [outcome.cell.name for outcome in found.clients.values()]
    asked_alike = {name: outcome.cell.scenario for name, outcome in found.clients.items()}
    assert {(one.clients, one.server, one.workload) for one in asked_alike.values()} == {(20, "falcon", "static")}
    assert [one.keep_alive for one in asked_alike.values()] == [False, False, False, False, True]
    shown = Asked.of_plan(Folder(tmp_path / "it").plan(), given())
    again = measured(Study(shown, shown=tmp_path / "it"), silent)
    assert {name: outcome.status for name, outcome in again.clients.items()} == dict.fromkeys(found.clients, "done")


def test_the_three_clients_are_left_out_where_the_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured by then is kept, and what comes after is named as not begun."""
    clock, kind = time.monotonic(), made()
    one = study(tmp_path, kind, blocks=1, three_clients=20, max_hours=90 / 3600, capacity_systems="falcon")
    monkeypatch.setattr("experiments.studies.study.time.monotonic", lambda: clock + 13.5 * len(kind.measured))
    found = measured(one, silent, silent)
    assert len(kind.measured) == 2
    assert found.left_out.startswith("The three clients were not begun, since max_hours=0.025 leaves")
    assert "nor was the capacity of falcon searched" in found.left_out


def test_a_comparison_is_shown_where_nothing_of_it_could_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its systems nor epoll nor room for its devices are needed to read blocks, clients and searches."""
    kind = made(systems={"falcon": edge})
    asked = {"blocks": 1, "three_clients": 20, "capacity_systems": "falcon", "interval_ms": 50, "ratio": "1:0"}
    found = compared(tmp_path, kind, **asked)
    monkeypatch.setattr(catalogue, "obstacle", lambda system, **_: "it is not installed")
    monkeypatch.setattr(preflight, "has_epoll", lambda: False)
    monkeypatch.setattr(limits, "allow_files", lambda needed: pytest.fail("nothing will be opened"))
    earlier = Compare.from_notebook(given(compare_dir=str(tmp_path / "it"))).measure(silent).comparison
    assert [run.counts for run in earlier.runs] == [True] * 2
    assert {name: one.status for name, one in earlier.clients.items()} == dict.fromkeys(found.clients, "done")
    assert earlier.capacities["falcon"].finding == found.capacities["falcon"].finding
    with pytest.raises(ParameterError, match="cannot run here"):
        study(tmp_path, kind, **asked)


def test_a_name_that_papermill_injected_must_be_a_parameter_also_of_an_earlier_comparison(tmp_path: Path) -> None:
    """A typing error is no less one where nothing is measured."""
    namespace = given(compare_dir=str(tmp_path)) | {"In": ["# Parameters\nblokcs = 3"]}
    with pytest.raises(ParameterError, match="did you mean 'blocks'"):
        Compare.from_notebook(namespace)


def test_an_earlier_comparison_is_shown_without_measuring_or_writing(tmp_path: Path) -> None:
    """A folder that is not whole says how many runs it lacks, and none of its files changes."""
    compared(tmp_path, made(stop_after=4), systems="bare-asgi")
    folder = tmp_path / "it"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    asked = Asked.of_plan(Folder(folder).plan(), given(systems="all"))
    found = measured(Study(asked, shown=folder), silent)
    assert sum(run.counts for run in found.runs) == 4
    assert found.left_out == "1 of 6 runs were not measured."
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
