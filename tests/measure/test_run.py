"""What a run opens is closed, whatever else fails."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from experiments.measure import run as running
from experiments.scenario import Scenario


class Opened:
    """Something that a run opens; it notes when it is closed, and then fails if it is to."""

    def __init__(self, name: str, closed: list[str], *, fails: bool) -> None:
        self._name, self._closed, self._fails = name, closed, fails

    async def close(self) -> None:
        """As a database and a Redis have it."""
        self._closed.append(self._name)
        if self._fails:
            raise OSError(f"{self._name} cannot be closed")

    leave = close


@pytest.mark.parametrize("failing", ["redis", "database", "fleet"])
def test_one_that_cannot_be_closed_keeps_nothing_else_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Redis, database and cluster are closed in this order, each whatever became of the others; and the failure is said."""
    closed: list[str] = []

    async def opened(name: str) -> Opened:
        return Opened(name, closed, fails=name == failing)

    async def nothing(run: Any) -> Path:
        return run.path  # type: ignore[no-any-return]

    monkeypatch.setattr(running, "_fleet", lambda scenario: opened("fleet"))
    monkeypatch.setattr(running.Database, "open", lambda scenario: opened("database"))
    monkeypatch.setattr(running.RunRedis, "open", lambda scenario: opened("redis"))
    monkeypatch.setattr(running, "_run", nothing)
    with pytest.raises(OSError, match=f"{failing} cannot be closed"):
        asyncio.run(running.run_scenario(Scenario(results_dir=str(tmp_path))))
    assert closed == ["redis", "database", "fleet"]


def test_what_was_opened_is_closed_where_the_next_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is away leaves neither database nor cluster behind."""
    closed: list[str] = []

    async def opened(name: str) -> Opened:
        if name == "redis":
            raise OSError("away")
        return Opened(name, closed, fails=False)

    monkeypatch.setattr(running, "_fleet", lambda scenario: opened("fleet"))
    monkeypatch.setattr(running.Database, "open", lambda scenario: opened("database"))
    monkeypatch.setattr(running.RunRedis, "open", lambda scenario: opened("redis"))
    with pytest.raises(OSError, match="away"):
        asyncio.run(running.run_scenario(Scenario(results_dir=str(tmp_path))))
    assert closed == ["database", "fleet"]
