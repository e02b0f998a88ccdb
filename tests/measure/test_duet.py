"""Real runs with two servers: each device has its server, each server its count, and the worktree is gone."""

import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import experiments as lab
from experiments.analyse.duets.pieces import pieces
from experiments.analyse.polls import arrange
from experiments.errors import ParameterError
from experiments.record.reading import Record

pytestmark = pytest.mark.slow
SHORT: dict[str, Any] = {"clients": 40, "interval_ms": 200, "minutes": 0.06, "warmup_s": 0.4}
ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, **asked: Any) -> Record:
    return lab.run(lab.Scenario.from_parameters({**SHORT, "results_dir": str(tmp_path), **asked}))


@pytest.mark.parametrize("engine", ["httpx", "epoll"])
def test_two_servers_are_polled_by_one_swarm(tmp_path: Path, engine: str) -> None:
    """Rows, the servers' own counts and the samples at the borders of pieces are of each; the plan holds."""
    record = run(tmp_path, engine=engine, beside="starlette", generators=2)
    summary = record.summary()
    checks = {check["name"]: check for check in summary["verdict"]["checks"]}
    assert (checks["served"]["kind"], checks["workers"]["kind"]) == ("agree", "same")
    assert (checks["rows_complete"]["kind"], checks["one_at_a_time"]["kind"], checks["totals"]["kind"]) == (
        "whole",
        "one",
        "agree",
    )
    rows = record.requests()
    assert dict(rows.group_by("system").agg(pl.col("client").n_unique()).iter_rows()) == {0: 20, 1: 20}
    assert {one["framework"] for one in (record.facts["server"], *record.facts["beside"])} == {"falcon", "starlette"}
    assert (summary["duet"]["a"], summary["duet"]["b"]) == ("falcon", "starlette")
    found = pieces(record, arrange(record))
    assert found.group_by("system").len().sort("system").rows() == [(0, 18), (1, 18)]
    # How many borders were sampled in time is the machine's affair; that both servers are sampled there is not.
    at_borders = record.resources().filter((pl.col("group") == "server") & pl.col("rss_bytes").is_null())
    assert set(at_borders["instance"]) == {0, 1}
    assert (record.path / "server-1.log").is_file()


def test_another_commit_and_another_loop_of_the_same_app(tmp_path: Path) -> None:
    """Two commits run at once, mixed; the record names them, and the worktree is removed."""
    app = tmp_path / "repository"
    app.mkdir()
    who = ("-c", "user.name=t", "-c", "user.email=t@t.invalid", "-c", "commit.gpgsign=false")
    _git(app, "init", "-q")
    (app / "app.py").write_text(_APP.replace("BYTES", "10"))
    (app / "target.yaml").write_text(_TARGET)
    _git(app, *who, "add", "-A")
    _git(app, *who, "commit", "-q", "-m", "ten")
    (app / "app.py").write_text(_APP.replace("BYTES", "10 + 1 - 1"))
    beside = "git:HEAD, loop=asyncio SOME=thing"
    record = run(tmp_path, target=str(app / "target.yaml"), beside=beside, beside_split="mixed")
    old, other = record.facts["beside"]
    assert old["commit"] == _git(app, "rev-parse", "HEAD")
    assert "asyncio" in other["command"]
    assert record.facts["totals"]["ok"] == record.facts["totals"]["sent"]
    assert [one["b"] for one in record.summary()["duets"]] == [
        f"{app / 'target.yaml'} {said}" for said in ("git:HEAD", beside[10:])
    ]
    assert _git(app, "worktree", "list").count("\n") == 0


def test_what_cannot_be_started_is_refused_before_anything_is(tmp_path: Path) -> None:
    """A commit that is not there leaves no run behind."""
    with pytest.raises(ParameterError, match="no such commit"):
        run(tmp_path, beside="git:0123456789abcdef")
    assert not [*tmp_path.iterdir()]


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout.strip()


_APP = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"x" * (BYTES)})
"""
_TARGET = """
app: app:app
endpoints:
  status:
    request: GET /
"""
