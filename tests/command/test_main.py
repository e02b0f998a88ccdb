"""What `lab` does with what is typed, without running a notebook."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from experiments import parameters
from experiments.command import execute, places, workbench
from experiments.command.closing import lines
from experiments.command.given import Given
from experiments.command.kinds import KINDS, defaults
from experiments.command.main import main
from experiments.errors import ParameterError
from experiments.present.pages.run import Page
from experiments.present.result.model import Judgement, Result
from experiments.record.schema import Outcome
from experiments.target import loading
from tests.present.notebooks import executed, failed, notebook
from tests.support.made_up import SMALL, failing, made_up


def test_a_target_is_made_from_a_curl_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed, is a target, and has no secret in it."""
    assert main(["from", "curl -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:8000/status"]) == 0
    made = capsys.readouterr().out
    loaded = loading.read(made, loading.FOLDER / "made.yaml", environ={"API_TOKEN": "x"})
    assert [one.request for one in loaded.target.endpoints.values()] == ["GET /status"]
    assert "s3cr3t" not in made


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["from", "nix.har"], "source='nix.har': there is no such file, and it is no curl command."),
        (["try", "helo"], "did you mean 'hello'?"),
        (["try", "hello", "client=5"], "did you mean 'clients'?"),
        (["from"], "Missing argument"),
        (["from", "a", "b"], "unexpected extra argument"),
        (["swep"], "No such command"),
        (["run", "--clients", "5"], "No such option"),
        (["run", "clients"], "'clients' is neither name=value nor a YAML file"),
        (["run", "cleints=5"], "did you mean 'clients'?"),
        (["run", "clients=none"], "clients='none': a whole number is needed"),
        (["run", "ratio=601"], "like ratio:"),
        (["run", "-f", "params/run.typo.yaml"], 'no parameter file "params/run.typo.yaml"; these are there: params/'),
        (["run", "compare_to=nowhere"], "nowhere holds no finished run"),
        (["sweep", "clients=[]"], "the list lacks a value"),
        (["sweep", "sweep_dir=nowhere"], "nowhere"),
        (["capacity", "smallest=0"], "smallest=0"),
        (["compare", "systems=falcom"], "falcom"),
        (["calibrate", "variant=slow"], "'quick' and 'full'"),
        (["duet", "falcon", "starlett"], "starlett"),
        (["duet", "falcon", "starlette", "seconds=soon"], "seconds: a number is needed of each."),
        (["duet", "falcon"], "Missing argument 'B'"),
        (["report", "nowhere"], "there is no result 'nowhere'"),
        (["open", "nowhere"], "there is no result 'nowhere'"),
    ],
)
def test_wrong_input_ends_with_three(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence, before anything starts and before a folder is made; nothing goes to the output."""

    def started(*_: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(execute, "_papermill", started)
    monkeypatch.setattr(places, "folder", started)
    monkeypatch.chdir(Path(__file__).parents[2])
    assert main(arguments) == 3
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["run_id=007"], {"run_id": "007"}),
        (["clients=007"], {"clients": 7}),
        (["strict=True"], {"strict": True}),
        (["ratio=10:1"], {"ratio": "10:1"}),
        (["clients=5", "clients=6"], {"clients": 6}),
        (["target=a=b.yaml"], {"target": "a=b.yaml"}),
    ],
)
def test_words_are_what_papermill_and_the_notebook_make_of_them(words: Sequence[str], meant: dict[str, object]) -> None:
    """So what is checked here is what is measured there."""
    typed = Given.of(words).typed
    texts = {"run_id", "ratio", "target"}
    assert {name: parameters.meant(one, of_text=name in texts) for name, one in typed.items()} == meant


def test_files_come_first_then_values(tmp_path: Path) -> None:
    """As with papermill; a word that is a YAML file is a file of parameters."""
    path = tmp_path / "mine.yaml"
    path.write_text('clients: 5\nratio: "1:1"\nrun_id: 012\n')
    given = Given.of(["clients=6", str(path)], texts=[("run_id", "x")])
    assert given.words == ["-f", str(path), "-p", "clients", "6", "-r", "run_id", "x"]
    assert {name: one.meant for name, one in given.typed.items()} == {"clients": "6", "ratio": "1:1", "run_id": "x"}
    assert given.stem == "mine"


@pytest.mark.parametrize("name", list(KINDS))
def test_every_notebook_can_be_asked_with_its_own_values(name: str) -> None:
    """The parameters cell is read as it stands, and holds both names by which a result is found."""
    kind = KINDS[name]
    found = defaults(kind.notebook)
    assert {kind.id, kind.shows, "results_dir", "strict"} <= set(found)


def asked(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return {"results_dir": str(tmp_path), "run_id": "", "sweep_id": "", **changes}


def test_a_result_has_one_folder(tmp_path: Path) -> None:
    """Named as asked, else after time and parameters; that of a run must be new, that of a study goes on."""
    assert places.folder(KINDS["run"], asked(tmp_path, run_id="mine"), "run.quick").name == "mine"
    assert places.folder(KINDS["run"], asked(tmp_path), "run.quick").name.endswith("Z-run.quick")
    (tmp_path / "mine" / "started.json").write_text("{}")
    with pytest.raises(ParameterError, match="never overwritten"):
        places.folder(KINDS["run"], asked(tmp_path, run_id="mine"), "")
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid" / "plan.json").write_text("{}")
    assert places.folder(KINDS["sweep"], asked(tmp_path, sweep_id="grid"), "") == tmp_path / "grid"


def test_latest_leads_to_what_was_measured_last(tmp_path: Path) -> None:
    """A link that is moved; a folder of somebody's own of that name is left alone."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        places.point_latest(tmp_path / name)
    assert (tmp_path / "latest").resolve() == tmp_path / "b"
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    places.point_latest(tmp_path / "a")
    assert not (tmp_path / "latest").is_symlink()


def concluded(place: Path, *cells: Any, status: int = 0) -> execute.Ended:
    """What is made of an executed notebook."""
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(*cells), place / "run.ipynb")
    return execute.conclude("run", place / "run.ipynb", status)


def test_an_executed_notebook_becomes_report_and_files(tmp_path: Path) -> None:
    """All of it in the folder of the record, and the exit code is that of its result."""
    record = made_up(tmp_path, SMALL, server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    page = Page(record, SMALL.model_copy(update={"slo_failure_pct": 1}))
    ended = concluded(record.path, executed(page.verdict, tags=["verdict"]), executed(page.result))
    assert ended.exit_code == 1
    files = {path.name for path in record.path.iterdir()}
    assert {"report.html", "result.json", "junit.xml", "summary.md", "metrics.prom", "response.hlog"} <= files
    assert (record.path.parent / "latest").resolve() == record.path


def test_a_notebook_that_broke_off_is_told_from_its_record(tmp_path: Path) -> None:
    """What was measured until then is the result, and the exit code says that it was not all."""
    record = made_up(tmp_path, SMALL, cut_short_at=10.0)
    ended = concluded(record.path, status=1)
    assert "Cut short" in ended.result.answer
    assert ended.exit_code == 2


@pytest.mark.parametrize(("name", "exit_code"), [("ParameterError", 3), ("ServerStartError", 2), ("ZeroDivisionError", 2)])
def test_what_a_notebook_raised_decides(tmp_path: Path, name: str, exit_code: int) -> None:
    """Wrong input is told from what could not be measured; the reason stands in the files too."""
    ended = concluded(tmp_path / "it", failed(name, "the reason"), status=1)
    assert ended.exit_code == exit_code
    assert ended.result.measurement.said == "the reason"
    told = json.loads((tmp_path / "it" / "result.json").read_text())
    assert told["measurement"] == {"status": "invalid", "said": "the reason"}


def test_what_strict_forbids_is_no_fault_of_the_notebook(tmp_path: Path) -> None:
    """Its result says whether the level is missed or the measurement of no use."""
    record = made_up(tmp_path, SMALL, server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    page = Page(record, SMALL.model_copy(update={"slo_failure_pct": 1, "strict": True}))
    ended = concluded(record.path, executed(page.result), failed("VerdictError", "strict: missed"), status=1)
    assert ended.exit_code == 1


@pytest.mark.parametrize(
    ("words", "started"),
    [
        ([], ("run", ())),
        (["sweep"], ("sweep", ())),
        (["--allow-root"], ("run", ("--allow-root",))),
        (["run", "--no-browser", "--fresh"], ("run", ("--no-browser",))),
    ],
)
def test_options_of_jupyterlab_are_passed_on(
    words: list[str], started: tuple[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not a notebook is named before them."""
    told: list[object] = []
    monkeypatch.setattr(workbench, "copies", lambda fresh: [])
    monkeypatch.setattr(workbench, "start", lambda name, options: told.append((name, options)) or 0)
    assert main(["notebook", *words]) == 0
    assert told == [started]


def test_a_terminal_ends_with_five_lines(tmp_path: Path) -> None:
    """Answer, service level, measurement, path, next step; a server's control characters are named."""
    result = Result(
        kind="run",
        name="it",
        title="",
        answer="Falcon\x1b[2J\nheld",
        service_level=Judgement(status="missed", said="by 5 ms."),
        measurement=Judgement(status="valid"),
        regressions=["p99 by 20 %"],
    )
    told = lines(result, tmp_path / "report.html", "lab open it")
    assert [line.split("  ")[0].strip() for line in told] == ["Answer", "Service level", "Measurement", "Report", "Next"]
    assert "Falcon\\u001b[2J held Worse than before: p99 by 20 %." in told[0]
    assert told[4].endswith("lab open it")
