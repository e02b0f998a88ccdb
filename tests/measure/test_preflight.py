"""What an engine cannot do is refused before anything starts."""

from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.runner import run
from experiments.scenario import Scenario
from experiments.target import loading


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


PLAIN = "url: http://127.0.0.1:1\n"
SECURED = "url: https://127.0.0.1:1\n"
PACKED = "headers: {ACCEPT-encoding: gzip}\n"
ENDPOINTS = "endpoints: {only: {request: GET /}}\n"
SCRIPT = {"engine": "threads", "pacing": "after", "keep_alive": False}


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        (SECURED, {"engine": "epoll"}, r"engine='epoll' speaks plain HTTP, and this server https: use engine='httpx'"),
        (SECURED, SCRIPT, r"engine='threads' speaks plain HTTP, and this server https: use engine='httpx'"),
        ("", {"engine": "epoll", "server_url": "https://127.0.0.1:1"}, r"engine='epoll' speaks plain HTTP"),
        (PLAIN + PACKED, SCRIPT, r"engine='threads' with Accept-Encoding for 'only': requests unpacks"),
    ],
)
def test_an_engine_refuses_what_it_cannot_ask(tmp_path: Path, text: str, asked: dict[str, object], says: str) -> None:
    """Before a server is looked for or anything is written, in a sentence that names the engine which can."""
    (tmp_path / "mine.yaml").write_text(text + ENDPOINTS)
    results = tmp_path / "results"
    scenario = Scenario.model_validate({"target": str(tmp_path / "mine.yaml"), "results_dir": str(results), **asked})
    with pytest.raises(ParameterError, match=says):
        run(scenario)
    assert not results.exists()


def test_a_server_url_counts_before_the_targets_own(tmp_path: Path) -> None:
    """The fast engine asks a plain server in place of the https one that the file names; httpx asks both."""
    (tmp_path / "mine.yaml").write_text(SECURED + PACKED + ENDPOINTS)
    loaded = loading.load(tmp_path / "mine.yaml")
    preflight.check_target(loaded, Scenario(engine="epoll").parts.engine, "http://127.0.0.1:1")
    preflight.check_target(loaded, Scenario(engine="httpx").parts.engine, "")
