"""Load tools that are not ours: what they are told, how their words are read, and that the real ones can be asked."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from experiments.errors import LabError
from experiments.studies.calibrate.second_opinion import opinions as second_opinion
from experiments.studies.calibrate.second_opinion import witness
from experiments.studies.calibrate.second_opinion.tools import PERCENTS, TOOLS, Heard, Load, Tool, ask
from experiments.studies.calibrate.trial import Trial, attempted

LOAD = Load("http://127.0.0.1:1/hello?page=1", clients=20, interval_ms=100, seconds=2, warmup_s=1)
BY_NAME = {tool.name: tool for tool in TOOLS}
HEAD = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"


def hey_csv(offset_s: float, status: int = 200) -> str:
    """What hey prints of 1,000 requests that took 1 to 1,000 ms and began then."""
    rows = [f"{number / 1000:.4f},0.0000,0.0000,0.0000,0.0000,0.0000,{status},{offset_s:.4f}" for number in range(1, 1001)]
    return "\n".join([HEAD, *rows])


def test_hey_is_read_request_by_request(tmp_path: Path) -> None:
    """Percentiles follow our rule, from seconds; its rows are counted."""
    assert BY_NAME["hey"].read(hey_csv(1.5), tmp_path, LOAD) == Heard(1000, 1000, {50: 0.5, 90: 0.9, 95: 0.95})


@pytest.mark.parametrize(("offset_s", "status"), [(0.9, 200), (1.5, 500)])
def test_what_hey_did_while_warming_up_or_in_vain_does_not_count(tmp_path: Path, offset_s: float, status: int) -> None:
    """Its first second is left out, its failures are counted and not timed; where nothing is left it says so."""
    both = hey_csv(1.5) + hey_csv(offset_s, status).removeprefix(HEAD).replace("\n0.", "\n9.")
    found = BY_NAME["hey"].read(both, tmp_path, LOAD)
    assert (found.percentiles[50], found.well, found.requests) == (0.5, 1000, 2000 if offset_s > 1 else 1000)
    with pytest.raises(LabError, match="too few"):
        BY_NAME["hey"].read(hey_csv(offset_s, status), tmp_path, LOAD)


def test_h2load_is_read_from_its_log(tmp_path: Path) -> None:
    """Microseconds in the third column; failed requests (status -1) do not count, further columns are ignored."""
    rows = [f"1795646882842675\t200\t{number}\textra" for number in range(1, 1001)] + [
        "1795646882842675\t-1\t9999999\textra"
    ]
    (tmp_path / "h2load.tsv").write_text("\n".join(rows))
    found = BY_NAME["h2load"].read("", tmp_path, LOAD)
    assert (found.requests, found.well) == (1001, 1000)
    assert found.percentiles == pytest.approx({50: 0.0005, 90: 0.0009, 95: 0.00095})


def test_wrk_is_read_from_what_its_script_prints(tmp_path: Path) -> None:
    """Microseconds, among other lines of its own."""
    printed = "Running 3s test\ncount\t600\t590\nlab\t50\t470\nlab\t90\t670\nlab\t95\t750\n"
    found = BY_NAME["wrk"].read(printed, tmp_path, LOAD)
    assert (found.requests, found.well) == (600, 590)
    assert found.percentiles == pytest.approx({50: 0.00047, 90: 0.00067, 95: 0.00075})


ASKED = Load("http://127.0.0.1:1/hello?page=1", clients=20, interval_ms=100, seconds=6, warmup_s=1)


@pytest.mark.parametrize(
    ("tool", "requests", "well", "why"),
    [
        ("hey", 1200, 1200, ""),
        ("hey", 1160, 1160, ""),
        ("hey", 1100, 1100, "it wrote down 1,100 requests where 1,200 were due (20 clients, 10 a second each, 6 s)"),
        ("h2load", 1200, 1190, "10 of its 1,200 requests were not answered with 200"),
        ("wrk", 700, 700, ""),
        ("wrk", 700, 699, "1 of its 700 requests were not answered"),
    ],
)
def test_requests_that_are_missing_are_noticed_before_anything_is_compared(
    tool: str, requests: int, well: int, why: str
) -> None:
    """Rows are counted against clients x rate x seconds, but for a tool that waits after each answer."""
    assert witness.lacking(BY_NAME[tool], ASKED, Heard(requests, well, {})).startswith(why)
    assert bool(witness.lacking(BY_NAME[tool], ASKED, Heard(requests, well, {}))) == bool(why)


def test_a_percentile_that_a_tool_gets_wrong_is_not_compared() -> None:
    """Those of the mixture never; those of the stall alone only where our own answers took as long as two intervals."""
    took = pl.Series([0.005] * 70 + [0.1] * 10)
    right, off = {50.0: 0.0052, 90.0: 0.1003, 95.0: 0.101}, {50.0: 0.0052, 90.0: 0.09, 95.0: 0.06}
    assert witness.wrong(right, took, "it") == {}
    found = witness.wrong({**right, 95.0: 0.06}, took, "7 of 8 answers")
    assert found == {95.0: "p95 of 7 of 8 answers is 60.0 ms to it, and was 100 ms"}
    known = witness.Known(found, witness.wrong(off, pl.Series([0.005] * 80), "a stall"))
    assert "60.0 ms to it" in known.why_not(95.0, longest_s=0.01)
    assert [bool(known.why_not(90.0, longest_s)) for longest_s in (0.19, 0.2)] == [False, True]
    assert known.why_not(50.0, 1.0) == ""
    assert (witness.Known().said, known.said.count("to it")) == ("right", 3)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@pytest.mark.parametrize("printed", ["", "Usage: tool [options]", "a,b\n1,2"])
def test_words_that_hold_no_figures_are_refused(tmp_path: Path, tool: Tool, printed: str) -> None:
    """In a sentence, since another version may speak another way."""
    (tmp_path / "h2load.tsv").write_text(printed)
    with pytest.raises(LabError):
        tool.read(printed, tmp_path, LOAD)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_that_is_not_there_or_fails_is_a_sentence(tmp_path: Path, tool: Tool) -> None:
    """The calibration goes on without it."""
    with pytest.raises(LabError, match="could not be run"):
        ask(tool, str(tmp_path / "nowhere"), LOAD, tmp_path)
    with pytest.raises(LabError, match="could not be run"):
        ask(tool, "/bin/false", LOAD, tmp_path)


def test_without_any_tool_all_are_skipped_and_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial is neither passed nor failed, and gives the command that would install its tool."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = [trial for case in second_opinion.second_opinions() for trial in attempted(case, tmp_path).trials]
    assert [trial.ok for trial in found] == [None] * len(TOOLS)
    assert "skipped: h2load is not installed (apt-get install nghttp2-client)" in {trial.came for trial in found}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_real_tool_is_compared_with_this_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Tool) -> None:
    """It asks known answers first; its figures come, whatever they are; each is compared, or it says why not."""
    if shutil.which(tool.name) is None:
        pytest.skip(f"{tool.name} is not installed")
    monkeypatch.setattr(second_opinion, "TOOLS", (tool,))
    monkeypatch.setattr(second_opinion, "_SECONDS", 3)
    found = [trial for case in second_opinion.second_opinions() for trial in attempted(case, tmp_path).trials]
    first, *others = found
    assert first.name == f"{tool.name}, known answers"
    assert first.ok in (True, None), first
    assert first.came == "right" or " to it, and was " in first.came
    names = [f"{tool.name}, latency p{percent:g}" for percent in PERCENTS]
    assert [trial.name for trial in others] in (names, [f"{tool.name}, latency"]), found
    for trial in others:
        assert (trial.ok is None) == trial.came.startswith("not compared: "), trial
        assert trial.ok is None or f"{tool.name}'s" in trial.wanted
    assert all(isinstance(trial, Trial) for trial in found)
