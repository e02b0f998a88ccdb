"""A database that is away, too small, or refuses: before the load one sentence, during it rows; and nothing is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import experiments as lab
from experiments.errors import ParameterError
from experiments.measure.servers.ports import free_port
from experiments.studies.capacity.params import Asked
from experiments.studies.sweep.page import Sweep
from server.catalogue import SYSTEMS, obstacle
from tests.faults.harm import assert_all_planned, check, ends, ours, outcomes, run_with, scenario
from tests.studies.capacity.made_up_search import GIVEN
from tests.support.postgres import Cluster, cluster

pytestmark = pytest.mark.slow

SECRET = "s@cret"
DATABASE = {"workload": "database", "db_connections": 4}


@pytest.fixture(scope="module")
def failing() -> Iterator[Cluster]:
    """A PostgreSQL that a test may stop."""
    with cluster() as made:
        yield made


def schemas(of: Cluster) -> list[str]:
    """What runs have left there."""
    import psycopg

    with psycopg.connect(of.url) as connection:
        return [name for (name,) in connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lab%'")]


def refused(tmp_path: Path, url: str, **parameters: Any) -> str:
    """What a run says that must not begin; it leaves neither a record nor a process."""
    with pytest.raises(ParameterError) as caught:
        lab.run(scenario(tmp_path, database_url=url, **DATABASE | parameters))
    assert not (tmp_path / "results").exists()
    assert ours() == []
    said = str(caught.value)
    assert "\n" not in said
    assert SECRET not in said
    assert "s%40cret" not in said
    return said


def test_a_postgresql_that_is_away_is_said_before_anything_starts(tmp_path: Path) -> None:
    """One sentence names where it should be, and why it cannot be had."""
    port = free_port()
    said = refused(tmp_path, f"postgresql://lab:s%40cret@127.0.0.1:{port}/postgres")
    assert said.startswith(f"database_url='postgresql://lab@127.0.0.1:{port}/postgres' cannot be used (")
    assert "refused" in said


def test_a_postgresql_that_refuses_is_said_before_anything_starts(tmp_path: Path, postgresql: Cluster) -> None:
    """A wrong password, a database that is not there, one to read only, too few connections: each has its own sentence."""
    import psycopg

    assert "password" in refused(tmp_path, postgresql.url.replace("s%40cret", "wrong"))
    assert "does not exist" in refused(tmp_path, postgresql.url.removesuffix("postgres") + "nowhere")
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 's@cret'")
    try:
        assert "GRANT CREATE ON DATABASE" in refused(tmp_path, postgresql.url.replace("//lab:", "//reader:"))
    finally:
        with psycopg.connect(postgresql.url, autocommit=True) as connection:
            connection.execute("DROP ROLE reader")
    said = refused(tmp_path, postgresql.url, workers=4, db_connections=50)
    assert "workers=4 with db_connections=50 need 200 connections" in said
    assert "of max_connections=100: take fewer, or allow more there" in said
    assert schemas(postgresql) == []


def test_many_runs_are_refused_at_once(tmp_path: Path) -> None:
    """A sweep or a search whose database is away says so before its first cell, not after each."""
    away = {"workload": "database", "database_url": f"postgresql://127.0.0.1:{free_port()}/lab"}
    with pytest.raises(ParameterError, match="cannot be used"):
        Sweep.of(away | {"results_dir": str(tmp_path / "results")})
    with pytest.raises(ParameterError, match="cannot be used"):
        Asked.from_parameters(GIVEN | away)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("engine", "server", "workers"), [("httpx", "falcon", 1), ("epoll", "django-asgi", 2), ("httpx-stock", "channels", 2)]
)
def test_every_poll_of_a_whole_run_is_written(
    engine: str, server: str, workers: int, tmp_path: Path, postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With each engine the rows of the devices move as often as their polls say, and the record tells what wrote them."""
    if why := obstacle(SYSTEMS[server], workload="database"):
        pytest.skip(why)
    asked = {"engine": engine, "server": server, "workers": workers, "minutes": 1 / 60, "clients": 5}
    url = postgresql.url
    if workers > 1:  # As in a cell of a sweep, or for who keeps his password out of a notebook.
        monkeypatch.setenv("PGPASSWORD", SECRET)
        url = postgresql.socket_url if server == "channels" else url.replace(":s%40cret", "")
    record = lab.run(scenario(tmp_path, database_url=url, **DATABASE | asked))
    assert ends(record).keys() == {"ok"}
    assert check(record, "rows_written")["status"] == "valid"
    rows = record.requests()
    database = record.facts["database"]
    assert database["polls_written"] == ((rows["endpoint"].cast(str) == "status") & (rows["status"] == 200)).sum() > 50
    assert (database["kind"], database["connections"]) == ("postgresql", 4)
    assert database["version"].startswith("1")
    # That it was seen; a second of few polls may take less than the 10 ms in which the kernel counts.
    assert record.summary()["database"]["cpu_cores_mean"] >= 0
    seen = record.resources().filter(pl.col("group") == "database")
    assert seen["cpu_s"].max() > 0
    assert seen["rss_bytes"].min() > 0
    assert record.scenario.workload == "database"
    assert schemas(postgresql) == []
    written = [path.read_bytes() for path in record.path.rglob("*") if path.is_file()]
    assert [text for text in written if b"s@cret" in text or b"s%40cret" in text] == []


def test_a_postgresql_that_goes_away_is_a_result(tmp_path: Path, failing: Cluster) -> None:
    """Polls fail from then on, the run goes on to its end, and says that the database did not answer any more."""
    failing.start()
    record = run_with(tmp_path, failing.stop, database_url=failing.url, **DATABASE | {"minutes": 2 / 60})
    assert_all_planned(record)
    assert record.facts["cut_short"] is None
    assert record.facts["server"]["died"] is None
    found = outcomes(record)
    assert found["ok"] > 0
    assert found["http_error"] > 0
    assert record.facts["database"]["polls_written"] is None
    assert "did not answer at the end of the run" in record.facts["database"]["error"]
    assert "DROP SCHEMA lab_" in record.facts["database"]["left_behind"]
    assert check(record, "rows_written")["status"] == "suspect"
    assert check(record, "served")["status"] == "valid"


def test_an_sqlite_lives_as_long_as_its_run(tmp_path: Path) -> None:
    """It is a file in the run's own folder, and gone when the run is over."""
    seen: list[bool] = []
    record = run_with(
        tmp_path,
        lambda: seen.append((tmp_path / "results" / "it" / "database.sqlite3").exists()),
        **DATABASE | {"minutes": 2 / 60, "after_s": 0.5},
    )
    assert seen == [True]
    assert not list(record.path.glob("database.sqlite3*"))
    assert record.facts["database"]["journal_mode"] == "wal"
    assert check(record, "rows_written")["status"] == "valid"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_left_of_a_run_that_was_killed(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Whoever keeps the database outlives interrupts, and clears up when its starter is gone."""
    running = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    order = {"url": running.url if running else "", "devices": 3, "status_bytes": 100, "bulk_bytes": 200}
    orders = [{"order": order | {"workers": 1, "connections": 2, "delay_s": 0.0}}, {"folder": str(tmp_path)}]
    command = [sys.executable, "-m", "server.database"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        for one in orders:
            keeper.stdin.write(json.dumps(one) + "\n")
        keeper.stdin.flush()
        assert json.loads(keeper.stdout.readline()) == {"checked": True}
        assert json.loads(keeper.stdout.readline())["prepared"]["kind"] == kind
        assert schemas(running) if running else list(tmp_path.iterdir())
        os.kill(keeper.pid, signal.SIGINT)
        keeper.stdin.close()
        assert json.loads(keeper.stdout.readline()) == {"cleared": True}
    assert (schemas(running) if running else list(tmp_path.iterdir())) == []
