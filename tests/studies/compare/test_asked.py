"""What a comparison refuses before anything starts, and what it takes."""

from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.studies.cells.folder import Folder
from experiments.studies.compare.page import Compare
from experiments.studies.compare.params import SYSTEMS, Asked
from server import catalogue
from tests.studies.compare.made_up_systems import asked, given


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"systems": "falkon"}, "did you mean 'falcon'"),
        ({"systems": "robyn"}, "it ignores SIGTERM"),
        ({"systems": ""}, "systems is empty"),
        ({"workloads": "databse"}, "allowed are 'static' or 'database'"),
        ({"loads": "10,0"}, "1 or more"),
        ({"blocks": 0}, "blocks=0"),
        ({"blocks": True}, "blocks=True: a whole number is needed"),
        ({"max_hours": True}, "max_hours=True: a number is needed"),
        ({"minutes": True}, "minutes=True: a number is needed"),
        ({"compare_id": None}, "compare_id=None: a text is needed"),
        ({"database_url": None}, "database_url=None: a text is needed"),
        ({"results_dir": 1000.0}, "results_dir=1000.0: a text is needed"),
        ({"systems": "falcon", "capacity_systems": "bare-asgi"}, "which systems does not"),
        ({"database_url": "postgresql://127.0.0.1/lab"}, "ask for database as well"),
        ({"workloads": "database", "database_url": "mysql://127.0.0.1/lab"}, "database_url="),
        ({"workloads": "database", "database_url": "postgresql://elsewhere.example/lab"}, "not on this machine"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    """With the nearest name, the reason why a system is not there, or what is allowed."""
    with pytest.raises(ParameterError, match=says):
        asked(**changes)


def test_a_database_that_is_away_is_said_before_anything_starts() -> None:
    """Nothing listens on the discard port of this machine."""
    with pytest.raises(ParameterError, match="database"):
        asked(workloads="database", database_url="postgresql://127.0.0.1:9/lab")


def test_falcon_always_takes_part_and_all_are_all() -> None:
    """Every system of the catalogue but those that calibrate; each once, in its order."""
    assert asked(systems="bare-asgi").systems == ("falcon", "bare-asgi")
    assert asked(systems="all").systems == tuple(SYSTEMS)


def test_a_system_that_cannot_take_part_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lacks a package, or does not answer what is asked; without Falcon there is nothing to compare with."""
    obstacle = {"django": "Django is not installed: make servers"}
    monkeypatch.setattr(catalogue, "obstacle", lambda system, **_: obstacle.get(system.name))
    one = asked(systems="falcon,django,falcon-sqlalchemy")
    assert dict(one.skipped) == {
        "falcon-sqlalchemy": "it has the workload database only, which is not asked",
        "django": "Django is not installed: make servers",
    }
    obstacle["falcon"] = "gone"
    with pytest.raises(ParameterError, match="server='falcon' cannot run here: gone"):
        asked()


def test_each_workload_at_each_load_is_a_series() -> None:
    """PostgreSQL stands beside SQLite; what runs of static are asked is the same with and without it."""
    one = Asked._of(given(workloads="static,database", loads="20,40", database_url="postgresql://127.0.0.1/lab"), {})
    assert [series.name for series in one.series] == ["static-20", "static-40", "sqlite-10", "postgresql-10"]
    scenarios = [one.at("falcon", series, 1) for series in one.series]
    assert [scenario.workload for scenario in scenarios] == ["static", "static", "database", "database"]
    assert [bool(scenario.database_url) for scenario in scenarios] == [False, False, False, True]


def test_a_plan_read_back_asks_for_the_same_runs() -> None:
    """Also on a machine where a system is skipped that was not, and with other defaults in the notebook."""
    one = asked(workloads="static,database", systems="falcon,django")
    again = Asked.of_plan(one.plan, given(loads="999", systems="all"))
    assert again.plan == one.plan
    assert again.at("django", again.first, 2) == one.at("django", one.first, 2)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """The plan of a sweep is not that of a comparison."""
    Folder(tmp_path).begin({"clients": [5]}).close()
    with pytest.raises(ParameterError, match="holds no comparison"):
        Compare.of(given(compare_dir=str(tmp_path)))
