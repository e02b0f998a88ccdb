"""The catalogue of load tools: what each prints is read rightly, all are told the same, and say how they are installed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from experiments.errors import GeneratorError, ParameterError
from experiments.studies.tools.catalogue import all_tools, tool
from experiments.studies.tools.catalogue.tool import MAX, Asked, Said

PRINTED = Path(__file__).parent / "printed"
"""What the tools printed of nine clients at ten requests a second for four seconds, every fifth answer 503."""

TOOLS = all_tools()


def asked(folder: Path) -> Asked:
    """That load."""
    return Asked(
        url="http://127.0.0.1:1/hello?page=1",
        clients=9,
        interval_s=0.1,
        seconds=4.0,
        phase="random",
        timeout_s=2.0,
        body_bytes=100,
        folder=folder,
    )


def left(folder: Path, name: str) -> str:
    """Puts the files of a tool where it leaves them; what it printed."""
    if name == "tsung":
        (folder / "tsung" / "20261128-1200").mkdir(parents=True)
        shutil.copy(PRINTED / "tsung.log", folder / "tsung" / "20261128-1200")
    if name == "artillery":
        shutil.copy(PRINTED / "artillery.json", folder)
    path = PRINTED / f"{name}.txt"
    return path.read_text() if path.exists() else ""


SAID: dict[str, tuple[int, int, int, float | None, dict[float, float]]] = {
    "ab": (4993, 1248, 6241, 1558.35, {50: 0.005, 90: 0.007, 99: 0.01, MAX: 0.012}),
    "siege": (3744, 936, 4680, 1091.55, {MAX: 0.04}),
    "httperf": (288, 72, 360, 82.2, {}),
    "hey": (288, 72, 360, 89.596, {50: 0.006, 75: 0.0072, 90: 0.0099, 99: 0.0141, MAX: 0.0144}),
    "wrk": (4392, 1097, 5489, 1347.13, {50: 0.00566, 75: 0.00702, 90: 0.00985, 99: 0.03527, MAX: 0.05748}),
    "h2load": (288, 72, 360, 90.0, {MAX: 0.02813}),
    "tsung": (288, 72, 360, None, {MAX: 0.011914}),
    "autocannon": (289, 72, 361, 90.25, {50: 0.005, 90: 0.043, 99: 0.073, MAX: 0.085}),
    "loadtest": (288, 72, 360, 90.0, {50: 0.006, 90: 0.01, 99: 0.018, MAX: 0.037}),
    "artillery": (288, 72, 360, 57, {50: 0.0079, 90: 0.0199, 99: 0.047, MAX: 0.056}),
    "aiohttp": (288, 72, 360, None, {}),
    "locust-fast": (195, 48, 243, None, {50: 0.009, 90: 0.018, 99: 0.04, MAX: 0.0546625}),
    "locust-http": (231, 57, 288, None, {50: 0.022, 90: 0.048, 99: 0.17, MAX: 0.1698818}),
    "molotov": (231, 57, 288, None, {}),
}
"""Answered, failed, requests, requests a second, some percentiles in seconds: as anybody reads them there."""


@pytest.mark.parametrize("name", SAID)
def test_what_a_tool_printed_is_read(tmp_path: Path, name: str) -> None:
    """Requests, failures, rate and times of a real output, whatever stands around them."""
    found = TOOLS[name].read(left(tmp_path, name), asked(tmp_path))
    answered, failed, count, per_s, times = SAID[name]
    assert (found.answered, found.failed, found.count, found.per_s) == (answered, failed, count, per_s)
    assert {percent: found.times[percent] for percent in times} == pytest.approx(times)
    assert bool(found.times) == bool(times)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_that_says_nothing_has_no_figures(tmp_path: Path, name: str) -> None:
    """What it printed instead is quoted."""
    with pytest.raises(GeneratorError, match="too many open files"):
        TOOLS[name].read("panic: too many open files", asked(tmp_path))


@pytest.mark.parametrize("name", TOOLS)
def test_a_missing_tool_says_what_installs_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In one sentence that holds the command, and no version is made up."""
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(tool, "find_spec", lambda module: None)
    assert (TOOLS[name].missing or "").endswith(f"is not installed ({TOOLS[name].install})")
    assert TOOLS[name].installed_version() == ""


def test_a_tool_that_is_there_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is left out without a reason; a package's version is that of its metadata."""
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    found = all_tools({"wrk2": "wrk2", "zrk": "zrk"})
    programs = [one for one in found.values() if not one.module]
    assert [one.name for one in programs if one.missing] == []
    assert found["aiohttp"].installed_version() == metadata.version("aiohttp")


@pytest.mark.parametrize(
    ("named", "says"),
    [({"wrk2": "/nowhere/wrk2"}, "binaries=wrk2=/nowhere/wrk2: there is no such program"), ({"curl": "sh"}, "wrk2, zrk")],
)
def test_a_binary_that_is_wrongly_named_is_refused(named: dict[str, str], says: str) -> None:
    """A path that leads nowhere is a mistake, and only tools without a package have to be named."""
    with pytest.raises(ParameterError, match=says):
        all_tools(named)


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_is_told_the_same_load(tmp_path: Path, name: str) -> None:
    """Nine clients, endpoint A, four seconds and, if it keeps a rate, ten a second of each or ninety of all."""
    one = all_tools({"wrk2": "sh", "zrk": "sh"})[name]
    load = replace(asked(tmp_path), phase=one.phases[0])
    words = [*one.command(load, "program"), *one.environment(load).values()]
    files = [path.read_text() for path in tmp_path.iterdir() if path.is_file()]
    told = " ".join([*words, *files])
    assert [wanted for wanted in ("9", '"1:0"' if one.ours else "page=1") if wanted not in told] == []
    assert any(word in told for word in ("4", "0.0666", "40"))
    assert not one.paced or any(rate in told for rate in ("0.1", "-q 10", "--rps=10", "-R 90", "-R90", "--rps 90", "100"))
    assert (one.paced, one.pacing) != (False, "fixed")


def test_percentiles_of_a_tool_are_seconds_in_order(tmp_path: Path) -> None:
    """A unit that was misread would stand out: a longer share has a longer time, and all are below a second."""
    readers: dict[str, Callable[[str, Asked], Said]] = {name: TOOLS[name].read for name in SAID}
    for name, read in readers.items():
        place = tmp_path / name
        place.mkdir()
        times = read(left(place, name), asked(place)).times
        # Locust rounds its percentiles, and not its longest time.
        assert sorted(times.values()) == pytest.approx([times[percent] for percent in sorted(times)], abs=0.0005), name
        assert not times or 0.004 < times[max(times)] < 1, name
        assert all(0 < percent <= MAX for percent in times)
