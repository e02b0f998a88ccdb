"""The targets that ship for servers of other people, against these servers where they are installed."""

import shlex
import sqlite3
from pathlib import Path

import pytest
import yaml

import experiments as lab
from experiments.target import loading

READINGS = [(f"dev-{number % 50:05d}", 15 + number % 15) for number in range(1000)]


def installed(name: str) -> Path:
    """The program that a target's command names; skips the test where it is not there."""
    program = Path(shlex.split(str(loading.load(name).target.command))[0])
    if not program.is_file():
        pytest.skip(f"{name} is not installed as params/targets/{name}.yaml says")
    return program


def measured(target: str, folder: Path) -> dict[str, dict[str, int]]:
    """Statuses by endpoint of a short run in which every poll was answered rightly."""
    record = lab.run(
        lab.Scenario(target=target, clients=20, minutes=0.1, warmup_s=1, timeout_s=10, results_dir=str(folder / "results"))
    )
    totals = record.facts["totals"]
    assert totals["planned"] >= totals["ok"] > 0
    assert totals["failed"] == 0
    return {name: one["statuses"] for name, one in record.summary()["endpoints"].items()}


@pytest.mark.slow
def test_datasette_is_measured_as_its_file_says(tmp_path: Path) -> None:
    """Rows of each device, and a query that is counted, from a small SQLite file."""
    installed("datasette")
    with sqlite3.connect(tmp_path / "readings.db") as database:
        database.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, device TEXT, temp REAL)")
        database.executemany("INSERT INTO readings (device, temp) VALUES (?, ?)", READINGS)
    database.close()
    text = loading.load("datasette").path.read_text()
    (tmp_path / "datasette.yaml").write_text(text.replace("/tmp/readings.db", str(tmp_path / "readings.db")))
    statuses = measured(str(tmp_path / "datasette.yaml"), tmp_path)
    assert {*statuses} == {"latest", "summary"}
    assert {code for found in statuses.values() for code in found} == {"200"}


@pytest.mark.slow
def test_httpbin_is_measured_as_its_file_says(tmp_path: Path) -> None:
    """A device's settings are sent once, and 304 from then on; every POST comes back as it was sent."""
    installed("httpbin")
    statuses = measured("httpbin", tmp_path)
    assert {*statuses["settings"]} <= {"200", "304"}
    assert statuses["settings"]["304"] > 0
    assert {*statuses["report"]} == {*statuses["zipped"]} == {"200"}
    assert {*statuses["acknowledge"]} == {"204"}


@pytest.mark.parametrize("name", ["datasette", "httpbin"])
def test_how_to_install_a_server_stands_in_its_file(name: str) -> None:
    """In an environment of its own, and with the command that tries it."""
    text = loading.load(name).path.read_text()
    assert f"/bin/pip install {name}" in text
    assert f"make try TARGET={name}" in text
    assert yaml.safe_load(text)["command"].startswith(f"/tmp/{name}/bin/")
