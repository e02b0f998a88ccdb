"""A test of tools as the notebook goes through it, over attempts that were made up: no server and no tool is started."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import experiments as lab
from experiments.errors import LabError, VerdictError
from experiments.studies.tools import attempt, bench, page
from experiments.studies.tools.advice import QUESTIONS, advice
from experiments.studies.tools.attempt import CAME, LEDGER, OUTPUT, Load
from experiments.studies.tools.catalogue import all_tools
from experiments.studies.tools.catalogue.tool import Said, Tool
from experiments.studies.tools.judge import Row, judge
from experiments.studies.tools.params import Asked
from server.catalogue import FOR_TOOLS
from tests.studies.tools.made_up_ledger import asked, ledger, seen

ASKED: dict[str, Any] = {"tools": "aiohttp,lab-epoll", "answers": "steady,fifth-503", "lanes": 2, "tools_id": "it"}


async def leave(tool: Tool, answer: str, load: Load, folder: Path) -> None:
    """What an attempt leaves: 360 requests, of which every fifth was refused where that is the answer."""
    folder.mkdir(parents=True, exist_ok=True)
    refused = 72 if answer == "fifth-503" else 0
    statuses = [503 if refused and number % 5 == 0 else 200 for number in range(360)]
    frame = ledger([0.02] * 360, statuses=statuses)
    with (folder / LEDGER).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(frame.columns)
        rows.writerows(frame.rows())
    said = {"answered": 360 - refused, "failed": refused, "ok": 360, "sent": 360, "latency_ms": {}}
    said["latency_ms"] = {"p50": 20.5, "p90": 21.0, "p95": 21.0, "p99": None, "max": 25.0}
    (folder / OUTPUT).write_text(json.dumps(said) if answer != "no-content" else "panic: out of memory")
    told = load.told(tool, "http://127.0.0.1:1", empty=False, folder=folder)
    came = {"itself": answer != "one-stall", "exit": 0, "failure": None, "took_s": 5.0}
    came["asked"] = {**asdict(told), "folder": "."}
    (folder / CAME).write_text(json.dumps(came))


@pytest.fixture
def tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> page.Tools:
    """A test of two tools that has been made."""
    monkeypatch.setattr(bench, "attempt", leave)
    found = lab.Tools.of({**ASKED, "results_dir": str(tmp_path)})
    found.measure()
    return found


def test_all_that_is_shown_says_what_came(tested: page.Tools) -> None:
    """Both tools and both answers; aiohttp is right, and what the lab was made to say of the 503 is found wrong."""
    shown = [repr(part()) for part in (tested.asked, tested.answers, tested.glance, tested.advice, tested.written)]
    assert "2 of 2 are installed" in shown[0]
    assert "360 answered" not in shown[1]
    assert "576 answered, 144 503" in shown[1]
    assert "failures" in shown[2]
    frame = tested.figures().frame  # type: ignore[union-attr]
    sentences = dict(zip(zip(frame["tool"], frame["answer"], strict=True), frame["in a sentence"], strict=True))
    title = FOR_TOOLS["fifth-503"].title
    assert sentences["aiohttp", title] == "Its counts are right; it says nothing of times."
    assert sentences["lab-epoll", title] == "Calls 360 well answered where 288 were."


def test_the_page_for_the_docs_has_every_figure_and_version(tested: page.Tools) -> None:
    """Tools, versions, advice, a table an answer; no line of it leads to this machine's folders."""
    text = (tested.study.folder.path / "tools.md").read_text()
    version = all_tools()["aiohttp"].installed_version()
    assert f"| aiohttp | {version} |" in text
    assert "## Every answer after 20 ms" in text
    assert "## Every fifth answer 503" in text
    assert "| 360 / 360 |" in text
    assert str(tested.study.folder.path) not in text


def test_an_earlier_test_is_shown_without_asking_anybody(
    tested: page.Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is tried or written; a tool that was tried need not be there any more."""
    monkeypatch.setattr(bench, "attempt", None)
    before = (tested.study.folder.path / "tools.md").read_bytes()
    again = lab.Tools.of({"tools_dir": str(tested.study.folder.path)})
    assert "aiohttp" in repr(again.measure())
    assert repr(again.glance()) == repr(tested.glance())
    assert (tested.study.folder.path / "tools.md").read_bytes() == before


def test_a_test_goes_on_where_it_was(tested: page.Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the tool that was not tried to its end is tried again."""
    place = bench.place(tested.study.folder.path, "lab-epoll")
    (place / "done.json").unlink()
    tried: list[str] = []

    async def note(tool: Tool, answer: str, load: Load, folder: Path) -> None:
        tried.append(f"{tool.name} {answer}")
        await leave(tool, answer, load, folder)

    monkeypatch.setattr(bench, "attempt", note)
    lab.Tools.of({**ASKED, "results_dir": str(tested.study.folder.path.parent)}).measure()
    assert sorted(tried) == ["lab-epoll fifth-503", "lab-epoll steady"]


def test_a_tool_that_hung_or_said_nothing_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sentence says so, with its own last words; the others are not held up by it."""
    monkeypatch.setattr(bench, "attempt", leave)
    given = {**ASKED, "tools": "aiohttp", "answers": "one-stall,no-content,steady", "results_dir": str(tmp_path)}
    found = lab.Tools.of(given)
    found.measure()
    frame = found.figures().frame  # type: ignore[union-attr]
    said = dict(zip(frame["answer"], frame["in a sentence"], strict=True))
    assert said[FOR_TOOLS["one-stall"].title].startswith(f"Was ended {attempt.OVERTIME_S:.0f} s after its time")
    assert said[FOR_TOOLS["no-content"].title].endswith("out of memory.")
    assert said[FOR_TOOLS["steady"].title].startswith("Its counts are right")


def test_strict_is_about_the_engines_of_this_lab_alone(tested: page.Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other people's faults are results; ours fail the notebook, once everything is shown."""
    tested.enforce()
    strict = lab.Tools.of({"tools_dir": str(tested.study.folder.path), "strict": True})
    strict.measure()
    with pytest.raises(VerdictError, match="lab-epoll, fifth-503"):
        strict.enforce()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tools": "hey,curl"}, "'curl' is none of the tools ab, "),
        ({"answers": "steadily"}, "'steadily' is none of the answers steady, "),
        ({"binaries": "wrk2"}, "'wrk2' is no pair like"),
        ({"binaries": "wrk2=/nowhere"}, "there is no such program"),
        ({"clients": 0}, "clients"),
        ({"seconds": 1}, "seconds"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_starts(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    """In one sentence that says what is allowed, and no folder is made."""
    with pytest.raises(LabError, match=says):
        Asked.from_parameters({"results_dir": str(tmp_path / "none"), **given})
    assert not (tmp_path / "none").exists()


def test_all_tools_and_answers_are_tried_unless_somebody_says_which() -> None:
    """Twelve tools and eight answers at least; ours are among them."""
    found = Asked.from_parameters({})
    assert len(found.own.answers) >= 8
    assert len([tool for tool in found.tools if not tool.ours]) >= 12
    assert sum(tool.ours for tool in found.tools) == 3


def row(tool: str, answer: str, said: Said) -> Row:
    """A tool against 360 answers after 20 ms, or an eighth of them 503."""
    truth = seen([0.02] * 360)
    one = all_tools()[tool]
    return Row(one, "1", answer, asked(), said, truth, judge(one, asked(), answer, said, truth))


def test_advice_names_who_was_right_in_all_that_a_question_rests_on() -> None:
    """Who was wrong once is named, who does not say it stands apart, and no question is answered without its rows."""
    right = Said(360, 0, 360, 90.0, {50.0: 0.02, 90.0: 0.02})
    answers = QUESTIONS[0].answers
    rows = [row("hey", name, right) for name in answers]
    rows += [row("wrk", name, Said(360, 0, 360, 90.0, {50.0: 0.02, 90.0: 0.2})) for name in answers]
    rows += [row("siege", name, Said(360, 0, 360, 90.0)) for name in answers]
    assert advice(rows)[QUESTIONS[0].text] == "hey. Not wrk. Does not say, or cannot: siege."
    assert QUESTIONS[1].text not in advice(rows)
