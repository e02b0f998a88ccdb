"""The tools that are not ours: how each is found, what it is called with, and who reads its output.

All poll endpoint A alone, keep their connections open and end by themselves. Nothing here starts or measures anything.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from experiments.errors import ParameterError
from experiments.schedule import Phase
from experiments.studies.calibrate.cost.load import STATUS_BYTES, TIMEOUT_S, Load
from experiments.studies.calibrate.cost.outputs import Reader, read_aiohttp, read_h2load, read_hey, read_locust, read_wrk2
from experiments.studies.tools import catalogue as tools
from server import catalogue

_HERE = Path(tools.__file__).parent
_EXTRA = "pip install -e '.[peers]'"


@dataclass(frozen=True)
class Peer:
    """A tool that is not ours."""

    name: str
    phases: tuple[Phase, ...]
    """How its clients can be made to stand to each other: a load of another phase is not given to it."""
    missing: str | None
    """Why it is not there, if so, and what to do about it."""
    command: Callable[[Load, str, float], list[str]]
    """Takes load, URL of the server and the seconds to go on for."""
    read: Reader
    environment: Callable[[Load], Mapping[str, str]] = field(default=lambda load: {})
    """Environment variables of its own."""


def all_peers(wrk2: str) -> dict[str, Peer]:
    """Every tool that can be compared with, there or not.

    Args:
        wrk2: path of a wrk2 binary, which no distribution has; empty for none.

    Raises:
        ParameterError: `wrk2` names no program.
    """
    if wrk2 and not shutil.which(wrk2):
        raise ParameterError(f"wrk2={wrk2!r}: there is no such program; give the path of a wrk2 binary, or leave it empty.")
    known = (
        Peer("aiohttp", ("random", "together"), _module("aiohttp"), _aiohttp, read_aiohttp),
        # Locust in step would only show once more that it is expensive, and take a minute of the quarter of an hour.
        Peer("locust-fast", ("random",), _module("locust"), _locust("FastPoller"), read_locust, _locust_env),
        Peer("locust-http", ("random",), _module("locust"), _locust("HttpPoller"), read_locust, _locust_env),
        Peer("hey", ("together",), _program("hey", "hey"), _hey, read_hey),
        Peer("h2load", ("together",), _program("h2load", "nghttp2-client"), _h2load, read_h2load),
        Peer("wrk2", ("random",), None if wrk2 else "no binary is named (-p wrk2 /path/to/wrk2)", _wrk2(wrk2), read_wrk2),
    )
    return {peer.name: peer for peer in known}


def _module(name: str) -> str | None:
    return None if find_spec(name) else f"{name} is not installed ({_EXTRA})"


def _program(name: str, package: str) -> str | None:
    return None if shutil.which(name) else f"{name} is not installed (apt-get install {package})"


# What each is called with.


def _aiohttp(load: Load, url: str, run_s: float) -> list[str]:
    numbers = (load.clients, load.interval_s, run_s, TIMEOUT_S, STATUS_BYTES)
    return [sys.executable, str(_HERE / "aiohttp_poller.py"), url + catalogue.STATUS_PATH, load.phase, *map(str, numbers)]


def _locust(user: str) -> Callable[[Load, str, float], list[str]]:
    def command(load: Load, url: str, run_s: float) -> list[str]:
        clients = str(load.clients)
        return [
            *(sys.executable, "-m", "locust", "--locustfile", str(_HERE / "locustfile.py"), user),
            *("--headless", "--only-summary", "--json", "--loglevel", "WARNING", "--host", url),
            *("--users", clients, "--spawn-rate", clients, "--run-time", f"{run_s:.0f}s", "--stop-timeout", "2"),
        ]

    return command


def _locust_env(load: Load) -> dict[str, str]:
    return {
        "LAB_PATH": catalogue.STATUS_PATH,
        "LAB_INTERVAL_S": str(load.interval_s),
        "LAB_PHASE": load.phase,
        "LAB_TIMEOUT_S": str(TIMEOUT_S),
        "LAB_BYTES": str(STATUS_BYTES),
    }


def _hey(load: Load, url: str, run_s: float) -> list[str]:
    rate = f"{1 / load.interval_s:g}"
    options = ("-z", f"{run_s:g}s", "-c", str(load.clients), "-q", rate, "-t", f"{TIMEOUT_S:g}")
    return ["hey", *options, url + catalogue.STATUS_PATH]


def _h2load(load: Load, url: str, run_s: float) -> list[str]:
    # It has no timeout of a request, only of a silent connection.
    options = ("--h1", "-t1", "-c", str(load.clients), f"--rps={1 / load.interval_s:g}", f"--duration={run_s:g}")
    return ["h2load", *options, f"--connection-inactivity-timeout={TIMEOUT_S:g}", url + catalogue.STATUS_PATH]


def _wrk2(binary: str) -> Callable[[Load, str, float], list[str]]:
    def command(load: Load, url: str, run_s: float) -> list[str]:
        rate = f"{load.clients / load.interval_s:g}"
        options = ("-t1", f"-c{load.clients}", f"-d{run_s:.0f}s", f"-R{rate}", "--timeout", f"{TIMEOUT_S:g}s")
        return [binary, *options, url + catalogue.STATUS_PATH]

    return command
