"""Every wrong parameter gets a clear sentence before anything starts, and nothing else is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from papermill.inspection import inspect_notebook

from experiments.errors import ParameterError
from experiments.scenario import Scenario
from experiments.typed import told

DATABASE = {"workload": "database", "run_dir": "results/old"}
"""Asks for nothing to be started, so no server need have a database."""
SECRET = "postgresql://joe:s%40cret@192.0.2.1/lab"
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "run.ipynb"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("clients", 0, "at least 1"),
        ("clients", -5, "at least 1"),
        ("clients", "many", "whole number"),
        ("clients", 10**9, "at most 1,000,000"),
        ("clients", 2.5, "whole number"),
        ("clients", True, "whole number"),
        ("generators", None, "whole number"),
        ("minutes", True, "a number is needed"),
        ("interval_ms", True, "a number is needed"),
        ("timeout_s", False, "a number is needed"),
        ("slo_failure_pct", True, "a number is needed"),
        ("interval_ms", "1:40", "a number is needed"),
        ("clients", "0x1f", "whole number"),
        ("interval_ms", 0, "at least 1"),
        ("interval_ms", 0.5, "at least 1"),
        ("interval_ms", "soon", "a number"),
        ("minutes", 0, "above 0"),
        ("minutes", -1, "above 0"),
        ("minutes", float("nan"), "finite"),
        ("minutes", float("inf"), "finite|at most"),
        ("ratio", "10", "quoted text"),
        ("ratio", 601, "unquoted 10:1"),
        ("ratio", "0:0", "above zero"),
        ("ratio", "a:b", "whole numbers"),
        ("ratio", "-1:2", "whole numbers"),
        ("ratio", "1:2:3", "whole numbers"),
        ("server", "falcno", "did you mean 'falcon'"),
        ("server", "Falcon", r"'Falcon': there is no such server; did you mean 'falcon'\? known are falcon, "),
        ("server", "known-two-delay", "did you mean 'known-two-delays'"),
        ("server", None, "-r instead of -p, or in quotes"),
        ("phase", None, "-r instead of -p, or in quotes"),
        ("run_id", 1000.0, r"run_id=1000\.0: .* -r instead of -p, or in quotes"),
        ("results_dir", True, "results_dir=True: .* -r instead of -p, or in quotes"),
        ("compare_to", None, "compare_to=None: .* -r instead of -p, or in quotes"),
        ("phase", "chaos", "'random', 'spread' or 'together'"),
        ("pacing", "slow", "'fixed' or 'after'"),
        ("engine", "curl", "'httpx', 'epoll', 'httpx-stock' or 'threads'"),
        ("keep_alive", "maybe", "True or False"),
        ("timeout_s", 0, "at least 0.01"),
        ("run_id", "../elsewhere", "no path"),
        ("run_id", "a/b", "no path"),
        ("run_id", ".hidden", "no path"),
        ("server_url", "example.org", "http://127.0.0.1:8000"),
        ("server_url", "http://127.0.0.1:99999", "port"),
        ("server_url", "http://user:secret@127.0.0.1", "scheme, host and port only"),
        ("server_url", "http://127.0.0.1/#x", "scheme, host and port only"),
        ("server_url", "http://127.0.0.1\n", "scheme, host and port only"),
        ("server_url", "http://192.0.2.1:8000", "allow_remote=True"),
        ("server_url", "http://127.0.0.1.example.org", "allow_remote=True"),
        ("dask_scheduler", "host:8786", "tcp://192.0.2.1:8786"),
        ("dask_scheduler", "tcp://host", "tcp://192.0.2.1:8786"),
        ("dask_scheduler", "tcp://host:0", "tcp://192.0.2.1:8786"),
        ("dask_scheduler", "tcp://host:8786/status", "tcp://192.0.2.1:8786"),
        ("source_addresses", "192.0.2.0/28", "192.0.2.8-192.0.2.15"),
        ("slo_failure_pct", 101, "at most 100"),
        ("slo_devices_pct", 95, "set slo_status_p99_ms, slo_bulk_p99_ms or slo_failure_pct"),
        ("seed", -1, "at least 0"),
        ("sample_ms", 1, "at least 50"),
        ("workload", "datbase", "'static' or 'database'"),
        ("db_delay_ms", 5, "set workload='database'"),
        ("db_delay_ms", -1, "at least 0"),
        ("db_connections", 0, "at least 1"),
        ("db_connections", 9, "set workload='database'"),
        ("database_url", "postgresql://127.0.0.1/lab", "set workload='database'"),
        ("database_url", "mysql://127.0.0.1/lab", "postgresql://user:password@127.0.0.1:5432/name"),
        ("database_url", "postgresql://127.0.0.1", "postgresql://user:password@127.0.0.1:5432/name"),
        ("database_url", "postgresql://127.0.0.1:0/lab", "postgresql://user:password@127.0.0.1:5432/name"),
        ("database_url", "postgresql://127.0.0.1:x/lab", "postgresql://user:password@127.0.0.1:5432/name"),
        ("database_url", "postgresql://127.0.0.1/lab?sslmode=off", "postgresql://user:password@127.0.0.1:5432/name"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(name: str, value: Any, says: str) -> None:
    """The sentence names the parameter, what was given and what is allowed."""
    with pytest.raises(ParameterError, match=says) as caught:
        Scenario.from_parameters({name: value})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(Scenario.model_fields))
def test_true_is_no_number_and_nothing_is_no_text(name: str) -> None:
    """Whatever the parameter, what is not of its kind is refused, not turned into 1 or 'None'."""
    wrong = None if name in Scenario.texts() or type(Scenario.model_fields[name].default) is bool else True
    with pytest.raises(ParameterError, match=name):
        Scenario.from_parameters({name: wrong})


def test_instruments_are_not_offered() -> None:
    """A server with a known answer is there for the calibration, and nothing to be suggested."""
    with pytest.raises(ParameterError) as caught:
        Scenario.from_parameters({"server": "Falcon"})
    assert "known-" not in str(caught.value)


def test_what_was_typed_is_taken_where_papermill_made_a_number_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits keep their zeros, and octal and sexagesimal numbers of YAML are what they look like."""
    words = ["papermill", "run.ipynb", "out.ipynb", "-p", "run_id", "007", "-y", "{clients: 012, interval_ms: 1:40}"]
    monkeypatch.setattr("experiments.parameters.typed", lambda: told(words, Path()))
    cells = ["# Parameters\nrun_id = 7\nclients = 10\ninterval_ms = 100"]
    scenario = Scenario.from_notebook({"run_id": 7, "clients": 10, "interval_ms": 250, "In": cells})
    assert (scenario.run_id, scenario.clients, scenario.interval_ms) == ("007", 12, 250)
    with pytest.raises(ParameterError, match="interval_ms='1:40': a number is needed"):
        Scenario.from_notebook({"interval_ms": 100, "In": cells})
    assert Scenario.from_notebook({"run_id": 7, "In": []}).run_id == "7"


def test_several_wrong_values_are_told_together() -> None:
    """Nobody has to find one mistake after the other."""
    with pytest.raises(ParameterError, match=r"clients=0.*minutes=-1"):
        Scenario.from_parameters({"clients": 0, "minutes": -1})


def test_a_kernel_does_not_drive_a_large_swarm_itself() -> None:
    """generators=0 is for small swarms, and says from where on it is not."""
    Scenario.from_parameters({"generators": 0, "clients": 200})
    with pytest.raises(ParameterError, match="generators=1 for more"):
        Scenario.from_parameters({"generators": 0, "clients": 201})


def test_a_fleet_is_told_how_many_of_its_workers_it_is() -> None:
    """This kernel and the workers of a cluster cannot both drive the devices."""
    Scenario.from_parameters({"generators": 2, "dask_scheduler": "tcp://[::1]:8786"})
    with pytest.raises(ParameterError, match=r"with generators=0: say how many .* like generators=2"):
        Scenario.from_parameters({"generators": 0, "clients": 5, "dask_scheduler": "tcp://host:8786"})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (DATABASE | {"database_url": "postgresql:///lab?host=/tmp"}, {"database_url": "postgresql:///lab?host=/tmp"}),
        (DATABASE | {"database_url": "postgresql://[::1]/lab"}, {"database_url": "postgresql://[::1]/lab"}),
        ({"run_id": 20261125, "results_dir": 2026}, {"run_id": "20261125", "results_dir": "2026"}),
        ({"compare_to": 20261125}, {"compare_to": "20261125"}),
        ({"clients": "012", "minutes": "012"}, {"clients": 12, "minutes": 12.0}),
        ({"keep_alive": "false"}, {"keep_alive": False}),
        ({"strict": "true", "allow_remote": "True"}, {"strict": True, "allow_remote": True}),
        ({"clients": "500", "minutes": "0.5"}, {"clients": 500, "minutes": 0.5}),
        ({"clients": 500.0, "minutes": 1}, {"clients": 500, "minutes": 1.0}),
        ({"ratio": "10:0"}, {"ratio": "10:0"}),
        ({"ratio": "0:1"}, {"ratio": "0:1"}),
        ({"ratio": " 10 : 3 "}, {"ratio": "10:3"}),
        ({"server_url": "http://localhost:8000/"}, {"server_url": "http://localhost:8000"}),
        ({"server_url": "http://[::1]:8000"}, {"server_url": "http://[::1]:8000"}),
        ({"server_url": "http://192.0.2.1", "allow_remote": "true"}, {"allow_remote": True}),
    ],
)
def test_what_a_user_means_is_taken_for_what_it_says(given: dict[str, Any], taken: dict[str, Any]) -> None:
    """papermill hands texts over for some values; they are read as what they say."""
    scenario = Scenario.from_parameters(given)
    assert {name: getattr(scenario, name) for name in taken} == taken


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    """A typing error is not ignored."""
    with pytest.raises(ParameterError, match="unknown parameter 'cleints'; did you mean 'clients'"):
        Scenario.from_parameters({"cleints": 5})


def test_a_name_that_papermill_injected_must_be_a_parameter() -> None:
    """papermill only logs an unknown -p; the injected cell is looked at instead."""
    injected = "# Parameters\nclients = 5\ncleints = 7\n"
    with pytest.raises(ParameterError, match="'cleints'"):
        Scenario.from_notebook({"clients": 5, "cleints": 7, "In": ["", "clients = 500", injected]})


def test_a_users_own_variables_are_left_alone() -> None:
    """In JupyterLab the kernel is full of other names, and cells run again and again."""
    cells = ["", "clients: int = 500", "# Parameters\nclients = 7", "friends = 3", "# Parameters\nclients = 7"]
    scenario = Scenario.from_notebook({"clients": 7, "friends": 3, "scenario": None, "In": cells})
    assert scenario.clients == 7


def test_the_notebook_has_every_parameter_with_its_default() -> None:
    """The cell of literals and the scenario cannot drift apart."""
    shown = inspect_notebook(str(NOTEBOOK))
    defaults = {name: json.loads(_json(parameter["default"])) for name, parameter in shown.items()}
    assert defaults == Scenario().model_dump()
    assert all(parameter["help"] for parameter in shown.values())


def _json(literal: str) -> str:
    return {"True": "true", "False": "false"}.get(literal, literal)


def test_the_plan_is_in_seconds() -> None:
    """Milliseconds and minutes are converted here and nowhere else."""
    plan = Scenario(interval_ms=250, minutes=2, warmup_s=3, ratio="10:3").plan
    assert (plan.interval_s, plan.window_s, plan.warmup_s) == (0.25, 120.0, 3.0)
    assert [(one.name, one.share) for one in plan.timings] == [("status", 10), ("bulk", 3)]


def test_the_short_hash_tells_questions_apart_and_nothing_else() -> None:
    """Another load is another question; another name or folder is not."""
    asked = Scenario()
    elsewhere = {"run_id": "x", "results_dir": "y", "dask_scheduler": "tcp://host:1"}
    assert Scenario(source_addresses="127.0.0.2").short_hash == Scenario().short_hash
    assert asked.short_hash == Scenario(**elsewhere, strict=True, slo_failure_pct=1).short_hash
    assert asked.short_hash != Scenario(clients=501).short_hash


def test_a_database_counts_by_its_kind_and_only_where_there_is_one() -> None:
    """A static run keeps the hash that it had before there were databases, and where a PostgreSQL is does not matter."""
    assert Scenario().short_hash == "8e9c87d9"
    hashes = {
        Scenario(workload="database").short_hash,
        Scenario(workload="database", db_delay_ms=5).short_hash,
        Scenario(workload="database", db_connections=9).short_hash,
        Scenario(workload="database", database_url="postgresql:///a").short_hash,
    }
    assert len(hashes | {"8e9c87d9"}) == 5
    assert Scenario(workload="database", database_url="postgresql://joe@[::1]:99/b").short_hash in hashes


def test_a_password_is_in_nothing_that_is_written_or_shown() -> None:
    """Only the attribute itself has it: dump, JSON and repr are without it."""
    scenario = Scenario(workload="database", database_url=SECRET, allow_remote=True)
    assert scenario.database_url == SECRET
    assert scenario.model_dump()["database_url"] == "postgresql://joe@192.0.2.1:5432/lab"
    assert "cret" not in f"{scenario!r} {scenario} {scenario.model_dump_json()}"


@pytest.mark.parametrize("wrong", [{"db_delay_ms": -1}, {"database_url": SECRET + "/x"}, {"allow_remote": False}])
def test_a_refusal_does_not_repeat_a_password(wrong: dict[str, Any]) -> None:
    """The sentence that says what is wrong can be sent to a colleague as it stands."""
    with pytest.raises(ParameterError) as caught:
        Scenario.from_parameters(DATABASE | {"database_url": SECRET, "allow_remote": True} | wrong)
    assert "cret" not in str(caught.value)


def test_a_database_off_this_machine_must_be_meant() -> None:
    """It is not loaded by a slip; a running server brings its own."""
    far = DATABASE | {"database_url": "postgresql://db.example.org/lab"}
    with pytest.raises(ParameterError, match="allow_remote=True if that database is yours"):
        Scenario.from_parameters(far)
    Scenario.from_parameters(far | {"allow_remote": True})
    with pytest.raises(ParameterError, match="that server brings its own database"):
        Scenario.from_parameters(far | {"allow_remote": True, "server_url": "http://127.0.0.1:80"})


def test_a_server_without_a_database_is_refused_with_those_that_have_one() -> None:
    """The sentence lists what to take instead."""
    with pytest.raises(ParameterError, match=r"server='nginx' has no workload='database': those that have it are .*falcon"):
        Scenario.from_parameters({"server": "nginx", "workload": "database"})


PLAIN = "endpoints: {only: {request: GET /}}\n"


def target(folder: Path, text: str) -> str:
    """A target file of that text."""
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        ("", {"target": "telemtry"}, "did you mean 'telemetry'"),
        (PLAIN, {}, "names no server: add a line app, command or url"),
        (f"app: a:b\n{PLAIN}", {"server": "django"}, "leave server out, the target's file says it"),
        (f"app: a:b\n{PLAIN}", {"ratio": "1:1", "bulk_bytes": 7}, "leave ratio, bulk_bytes out"),
        (f"url: http://192.0.2.1\n{PLAIN}", {}, r"mine\.yaml, line 1: .*set allow_remote=True if that server is yours"),
        (f"url: http://[::1]\nmetrics_url: http://192.0.2.1/metrics\n{PLAIN}", {}, r"mine\.yaml, line 2: .*allow_remote"),
        (f"command: run {{port}}\n{PLAIN}", {"workers": 2}, "workers=2 with target=.* which has no app"),
        (f"app: a:b\n{PLAIN}", {"target": " "}, "name a target of params/targets/"),
    ],
)
def test_a_target_that_does_not_go_together_with_the_rest_is_refused(
    tmp_path: Path, text: str, asked: dict[str, Any], says: str
) -> None:
    """In one sentence, before anything starts."""
    with pytest.raises(ParameterError, match=says):
        Scenario.from_parameters({"target": target(tmp_path, text), **asked})


def test_the_devices_of_a_target_come_before_the_default(tmp_path: Path) -> None:
    """Its count takes the place of 500, and of nothing that was asked for."""
    mine = target(tmp_path, f"app: a:b\ndevices: {{count: 30}}\n{PLAIN}")
    assert [Scenario.from_parameters({"target": mine, "clients": count}).clients for count in (500, 20)] == [30, 20]


def test_a_running_server_stands_for_any_target(tmp_path: Path) -> None:
    """Also where the file's own url leads off this machine, or names none."""
    for text in (PLAIN, f"url: http://192.0.2.1\n{PLAIN}"):
        assert Scenario.from_parameters({"target": target(tmp_path, text), "server_url": "https://127.0.0.1:8443"})


def test_who_names_no_target_asks_what_was_asked_before() -> None:
    """The article's two endpoints, with the sizes and the ratio of the scenario, and the hash of old."""
    endpoints = Scenario(ratio="3:0", status_bytes=9).load_target().target.endpoints
    told = [(name, one.share, one.expect.bytes) for name, one in endpoints.items()]
    assert told == [("status", 3, 9), ("bulk", 0, 204_800)]
    assert Scenario(target="telemetry").short_hash != Scenario().short_hash == "8e9c87d9"


def test_the_parts_say_what_the_scenario_says() -> None:
    """In seconds, each in the part that it is about."""
    parts = Scenario(clients=3, interval_ms=250, minutes=0.5, generators=0, slo_failure_pct=1, strict=True).parts
    assert (parts.load.clients, parts.load.interval_s, parts.load.lasting_s) == (3, 0.25, 65.0)
    assert (parts.engine.processes, parts.level.has_limits, parts.output.strict) == (1, True, True)
    assert not Scenario().parts.level.has_limits


def test_the_target_database_is_the_workload() -> None:
    """Both ways to say it are one question, with the same parameters and the same polls."""
    by_target, by_workload = Scenario(target="database", clients=7), Scenario(workload="database", clients=7)
    assert by_target == by_workload
    assert by_target.plan == Scenario(clients=7).plan
    assert by_target.load_target().path.name == "database.yaml"
