"""Peers: what they say is read rightly, and one that is not there is left out with the command that installs it."""

import shutil
from importlib import util

import pytest

from experiments.errors import GeneratorError, ParameterError
from experiments.studies.calibrate.cost import outputs, peers
from experiments.studies.calibrate.cost.load import KINDS
from experiments.studies.calibrate.cost.outputs import Said

HEY = """
Summary:
  Total:	8.0 secs

Status code distribution:
  [200]	7995 responses
  [503]	3 responses

Error distribution:
  [2]	Get "http://127.0.0.1/": context deadline exceeded
"""

HEY_WITHOUT_AN_ANSWER = """
Error distribution:
  [20]	Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused
"""

H2LOAD = """
progress: 100% of clients started
finished in 8.07s, 1000.00 req/s, 243.16KB/s
requests: 8000 total, 8000 started, 8000 done, 7990 succeeded, 10 failed, 4 errored, 0 timeout
status codes: 7990 2xx, 0 3xx, 0 4xx, 6 5xx
"""

WRK2 = """
  8000 requests in 8.00s, 1.90MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
"""

LOCUST = """[2026-11-25 22:51:59,435] host/WARNING/locust.runners: Your selected spawn rate is very high
[
    {
        "name": "/hello?page=1",
        "num_requests": 8000,
        "num_failures": 12,
        "response_times": {
            "85": 135
        }
    }
]
"""


@pytest.mark.parametrize(
    ("read", "output", "said"),
    [
        (outputs.read_hey, HEY, Said(7995, 5)),
        (outputs.read_hey, HEY_WITHOUT_AN_ANSWER, Said(0, 20)),
        (outputs.read_h2load, H2LOAD, Said(7990, 10)),
        (outputs.read_wrk2, WRK2, Said(7995, 15)),
        (outputs.read_wrk2, "  8000 requests in 8.00s, 1.90MB read\n", Said(8000, 0)),
        (outputs.read_locust, LOCUST, Said(7988, 12)),
        (outputs.read_aiohttp, 'a warning\n{"answered": 7, "failed": 2}\n', Said(7, 2)),
    ],
)
def test_what_a_tool_says_is_read(read: outputs.Reader, output: str, said: Said) -> None:
    """Answers and failures of every kind are counted, whatever stands around them."""
    assert read(output) == said


@pytest.mark.parametrize(
    "read", [outputs.read_hey, outputs.read_h2load, outputs.read_wrk2, outputs.read_locust, outputs.read_aiohttp]
)
def test_a_tool_that_says_nothing_is_no_measurement(read: outputs.Reader) -> None:
    """What it said instead is quoted."""
    with pytest.raises(GeneratorError, match="too many open files"):
        read("panic: too many open files")


def test_a_missing_tool_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in one sentence; wrk2 wants to be named, since no distribution has it."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    missing = {name: peer.missing or "" for name, peer in peers.all_peers("").items()}
    says = {"hey": "apt-get install hey", "h2load": "apt-get install nghttp2-client", "wrk2": "-p wrk2 /path/to/wrk2"}
    says |= dict.fromkeys(("aiohttp", "locust-fast", "locust-http"), "pip install")
    assert [name for name in says if says[name] not in missing[name]] == []


def test_a_tool_that_is_there_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is left out without a reason."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(peers, "find_spec", util.find_spec)
    assert {name: peer.missing for name, peer in peers.all_peers("wrk").items() if name in ("hey", "wrk2")} == {
        "hey": None,
        "wrk2": None,
    }


def test_a_wrong_wrk2_is_refused() -> None:
    """A path that leads to no program is a mistake, not a missing peer."""
    with pytest.raises(ParameterError, match=r"wrk2='/nowhere/wrk2'"):
        peers.all_peers("/nowhere/wrk2")


@pytest.mark.parametrize("name", ["aiohttp", "locust-fast", "locust-http", "hey", "h2load", "wrk2"])
def test_every_tool_is_asked_for_the_same_load(name: str) -> None:
    """500 devices, twice a second each, endpoint A, for the seconds asked for."""
    peer = peers.all_peers("sh")[name]
    load = KINDS["random"]
    told = " ".join([*peer.command(load, "http://127.0.0.1:1", 11.0), *peer.environment(load).values()])
    rate = {"hey": "-q 2 ", "h2load": "--rps=2 ", "wrk2": "-R1000 "}.get(name, "0.5")
    assert [wanted for wanted in ("500", "11", rate, "/hello?page=1") if wanted not in told] == []
