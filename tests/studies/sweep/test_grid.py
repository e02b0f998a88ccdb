"""The grid of a sweep: lists however they came, every point as often as asked, in an order of its own."""

from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.measure import limits
from experiments.scenario import Scenario
from experiments.studies.sweep.grid import AXES, Grid, listed


def grid(repeats: int = 1, shuffle_seed: int = 1, **parameters: Any) -> Grid:
    return Grid.of(parameters, repeats=repeats, shuffle_seed=shuffle_seed)


@pytest.mark.parametrize(
    "text", ["[100, 200]", "[100,200]", " [ 100 , 200 ] ", "100, 200", "['100', \"200\"]", [100, 200], (100, 200)]
)
def test_a_list_is_a_list_however_it_came(text: Any) -> None:
    """papermill's -p makes a text of it, a parameter file may too."""
    assert grid(clients=text).axes == {"clients": (100, 200), "interval_ms": (500.0,)}


def test_values_have_the_type_of_their_parameter() -> None:
    """A ratio, truth and a name stay what they are, although YAML or Python would read them otherwise."""
    asked = grid(clients=10, ratio="[10:1, 1:1]", keep_alive="[true, False]", interval_ms="[250, 500.5]", phase="[random]")
    assert asked.axes == {
        "clients": (10,),
        "interval_ms": (250.0, 500.5),
        "ratio": ("10:1", "1:1"),
        "keep_alive": (True, False),
        "phase": ("random",),
    }


def test_a_text_that_is_no_list_is_one_value() -> None:
    """A name, a ratio and an address stay what they are."""
    assert [listed("ratio", "10:1"), listed("server", "falcon"), listed("clients", 5)] == [None] * 3


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"clients": "[]"}, "lacks a value"),
        ({"clients": []}, "lacks a value"),
        ({"clients": "[100,,200]"}, "lacks a value"),
        ({"clients": "[100, 200"}, "brackets that are closed"),
        ({"clients": "[[100], 200]"}, "brackets that are closed"),
        ({"clients": "[100, 100]"}, "clients names 100 twice"),
        ({"interval_ms": "[500, 5e2]"}, "interval_ms names 500.0 twice"),
        ({"clients": "[100, many]"}, "clients='many': a whole number is needed"),
        ({"clients": "[100, 0]"}, "at least 1"),
        ({"ratio": "[10:1, 601]"}, "quoted text"),
        ({"server": "[falcon, falcno]"}, "did you mean 'falcon'"),
        ({"cleints": "[1, 2]"}, "did you mean 'clients'"),
        ({"run_id": "[a, b]"}, "unknown parameter 'run_id'"),
        ({"repeats": 0}, "repeats=0: a whole number from 1"),
        ({"repeats": True}, "repeats=True"),
        ({"shuffle_seed": "x"}, "shuffle_seed='x'"),
        ({"clients": list(range(1, 2001)), "interval_ms": list(range(1, 101))}, "200,000 cells; at most 100,000"),
    ],
)
def test_what_is_no_grid_is_refused_in_one_sentence(parameters: dict[str, Any], says: str) -> None:
    """It names what was given and what is allowed."""
    with pytest.raises(ParameterError, match=says) as caught:
        grid(**parameters)
    assert "\n" not in str(caught.value)


def test_a_combination_that_is_not_allowed_is_refused() -> None:
    """Values that would each do alone are held against one another, cell by cell."""
    with pytest.raises(ParameterError, match="at most 200 devices"):
        _ = grid(clients="[100, 300]", generators="[0, 1]").cells


def test_a_system_with_a_database_alone_is_a_value_like_any_other() -> None:
    """It is held to the workload of its cells, not to the default."""
    systems = grid(server="[falcon, falcon-sqlalchemy]", workload="database", db_delay_ms="[0, 5]")
    assert len(systems.cells) == 4
    with pytest.raises(ParameterError, match="server='nginx' has no workload='database'"):
        _ = grid(server="[falcon, nginx]", workload="database").cells
    with pytest.raises(ParameterError, match="set workload='database'"):
        _ = grid(db_delay_ms="[0, 5]").cells


def test_a_list_of_databases_holds_no_password() -> None:
    """Axes are written down, and stand in the names of cells."""
    asked = {"workload": "database", "database_url": "[postgresql:///a, postgresql://127.0.0.1/b]"}
    assert len(grid(**asked).cells) == 2
    with pytest.raises(ParameterError, match="leave passwords to PGPASSWORD") as caught:
        grid(**asked | {"database_url": "[postgresql:///a, postgresql://joe:secret@127.0.0.1/b]"})
    assert "secret" not in str(caught.value)


def test_every_point_is_measured_as_often_as_asked() -> None:
    """Each repeat has phases of its own, the same at every point, and every cell a name of its own."""
    cells = grid(3, clients="[10, 20]", interval_ms="[250, 500]", workers="[1, 2]").cells
    assert len(cells) == 24
    assert len({one.cell.name for one in cells}) == 24
    assert {(one.repeat, one.cell.scenario.seed) for one in cells} == {(1, 1), (2, 2), (3, 3)}
    for repeat in (1, 2, 3):
        block = cells[8 * (repeat - 1) : 8 * repeat]
        assert {one.repeat for one in block} == {repeat}
        assert {tuple(one.at.values()) for one in block} == {(c, i, w) for c in (10, 20) for i in (250, 500) for w in (1, 2)}
    for one in cells:
        assert {name: getattr(one.cell.scenario, name) for name in one.at} == one.at


def test_the_order_is_shuffled_by_its_seed_alone() -> None:
    """The same seed gives the same order, another one another, and no two repeats the same."""
    orders = [[one.cell.name for one in grid(2, seed, clients=list(range(1, 13))).cells] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    first, second = ([name.rpartition("_")[0] for name in orders[0][start : start + 12]] for start in (0, 12))
    assert first != second


def test_a_seed_that_is_varied_stays_as_asked() -> None:
    """Repeats then have the same phases."""
    assert {one.cell.scenario.seed for one in grid(2, seed="[7, 9]").cells} == {7, 9}


def test_names_say_the_point_and_stay_names() -> None:
    """What a folder cannot be called is replaced; too long or equal names are numbers."""
    names = [one.cell.name for one in grid(clients=10, ratio="[10:1, 1:1]").cells]
    assert sorted(names) == ["clients-10_interval_ms-500_ratio-1-1_1", "clients-10_interval_ms-500_ratio-10-1_1"]
    many = {name: [50] for name in ("workers", "warmup_s", "timeout_s", "seed", "sample_ms", "generators")}
    assert [one.cell.name for one in grid(**many).cells] == ["point-00001_1"]


def test_a_plan_gives_the_same_grid_again() -> None:
    """What a folder keeps is enough to show it later; the service level is no part of it."""
    asked = grid(2, 5, clients="[10, 20]", minutes=0.5, ratio="[10:1, 1:1]", slo_status_p99_ms=5)
    again = Grid.of_plan(asked.plan())
    assert [(one.cell.name, one.at, one.cell.scenario.short_hash) for one in again.cells] == [
        (one.cell.name, one.at, one.cell.scenario.short_hash) for one in asked.cells
    ]
    assert "slo_status_p99_ms" not in asked.plan()
    assert "workers" not in asked.plan(), "what has its default need not be written"


def test_every_parameter_of_a_run_can_be_varied() -> None:
    """Left out are those that say where things lie, and what is judged of the whole."""
    assert set(Scenario.model_fields) - set(AXES) == {
        *("results_dir", "run_id", "run_dir", "strict", "compare_to", "margin_pct"),
        *("variant", "beside", "beside_split"),
    }


def test_cells_that_need_more_open_files_than_there_are_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first such cell is named, before anything starts."""
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (1024, 4096))

    def refuse(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > 4096:
            raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(limits.resource, "setrlimit", refuse)
    grid(clients="[100, 3000]").check_machine()
    with pytest.raises(ParameterError, match=r"cell clients=8000, interval_ms=500.0 cannot work: .*open files"):
        grid(clients="[100, 8000]").check_machine()


def test_a_target_that_says_how_many_devices_there_are_is_refused(tmp_path: Path) -> None:
    """A sweep says so itself; without its count the same target is a grid of cells."""
    target = tmp_path / "mine.yaml"
    for devices, refused in (("{count: 30}", True), ("{id: 'd{index}'}", False)):
        target.write_text(f"app: a:b\ndevices: {devices}\nendpoints: {{only: {{request: GET /}}}}\n")
        asked = grid(clients="[10, 500]", target=str(target))
        if refused:
            with pytest.raises(ParameterError, match=r"mine\.yaml, line 2: .*leave count out"):
                asked.check_machine()
        else:
            assert sorted(one.cell.scenario.clients for one in asked.cells) == [10, 500]
