"""What an engine cannot do is refused before anything starts."""

from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.runner import run
from experiments.scenario import Scenario


def test_the_fast_engine_refuses_a_transport_of_the_users(tmp_path: Path) -> None:
    """It has connections of its own; nothing is written, and the sentence names the engine that can."""
    from tests.measure.engines.aio.test_transport import LeanTransport

    with pytest.raises(ParameterError, match="use engine='httpx'"):
        run(Scenario(engine="epoll", results_dir=str(tmp_path)), transport=LeanTransport)
    assert list(tmp_path.iterdir()) == []


def test_the_fast_engine_refuses_a_platform_without_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, instead of a fault in the generator's log."""
    monkeypatch.delattr(preflight.select, "epoll")
    with pytest.raises(ParameterError, match="needs epoll, which this platform has not"):
        preflight.check_engine(Scenario(engine="epoll").parts.engine, "")
    preflight.check_engine(Scenario(engine="httpx").parts.engine, "")


def test_the_fast_engine_refuses_a_platform_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that names what is missing and what remains."""
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"needs numba, which compiles it and is not installed.*use engine='httpx'"):
        preflight.check_engine(Scenario(engine="epoll").parts.engine, "")


def test_the_fast_engine_applies_here() -> None:
    """Where the tests run there is epoll, or they would not have tried it."""
    preflight.check_engine(Scenario(engine="epoll").parts.engine, "")
