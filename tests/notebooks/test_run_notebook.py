"""run.ipynb as people run it: by papermill, in a kernel, interrupted and killed. Counts and causes, never speeds."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

import experiments as lab
from experiments.record.state import GapKind
from tests.support.processes import descendants, still_alive

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
NOTEBOOK = PROJECT / "notebooks" / "run.ipynb"
LONG = {"minutes": 5, "clients": 10, "warmup_s": 0}


def papermill(tmp_path: Path, **parameters: Any) -> subprocess.Popen[str]:
    """Starts papermill on the smoke parameters, in a folder that is not the project's."""
    words = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(tmp_path / "out.ipynb"), "-k", "python3"]
    words += ["-f", str(PROJECT / "params" / "run.smoke.yaml"), "--log-output", "--no-progress-bar"]
    for name, value in {"results_dir": tmp_path / "results", "run_id": "it", **parameters}.items():
        words += ["-p", name, str(value)]
    return subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    """Waits for papermill and returns what it logged."""
    output, _ = process.communicate(timeout=120)
    return output


def wait_for(condition: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def load_is_on(tmp_path: Path, least_parts: int = 1) -> bool:
    return len(list((tmp_path / "results" / "it" / "requests").glob("part-*.parquet"))) >= least_parts


def outputs_text(notebook: Path) -> str:
    return json.dumps([cell.get("outputs", []) for cell in nbformat.read(notebook, 4).cells])


def assert_every_cell_shows_something(notebook: Path, first_parameter: str = "server: str") -> None:
    """Left out are the parameters, known by the first of them, and the cell that fails what `strict` forbids."""
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    silent = [cell.source for cell in cells if not cell.outputs]
    assert all("# Parameters" in source or first_parameter in source or "enforce" in source for source in silent), silent


def assert_conserved(record: lab.load) -> None:  # type: ignore[valid-type]
    totals = record.facts["totals"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert totals["sent"] == totals["ok"] + totals["failed"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One real run by papermill: its folder and its log."""
    tmp_path = tmp_path_factory.mktemp("smoke")
    process = papermill(tmp_path)
    log = finish(process)
    assert process.returncode == 0, log
    return tmp_path, log


def test_a_real_run_conserves_its_polls(smoke: tuple[Path, str]) -> None:
    """Falcon answers every poll that the plan has; the server counts what the swarm counts."""
    record = lab.load(smoke[0] / "results" / "it")
    totals, plan = record.facts["totals"], record.scenario.plan
    assert record.finished
    assert record.missing == ()
    assert_conserved(record)
    assert totals["planned"] == sum(sum(plan.planned(client).values()) for client in range(plan.clients))
    assert totals["failed"] == 0
    answered = (record.requests()["status"] != 0).sum()
    served = sum(worker["served"] for worker in record.facts["server"]["workers"])
    attempts = sum(instance["attempts"] for instance in record.facts["generator"]["instances"])
    assert answered <= served <= attempts
    assert record.facts["server"]["worker_pids_at_end"] == [w["pid"] for w in record.facts["server"]["workers"]]


def test_checks_that_do_not_depend_on_the_machine_are_valid(smoke: tuple[Path, str]) -> None:
    """However slow this machine is: rows are complete and unique, and the server's count agrees."""
    checks = {
        check["name"]: check["status"] for check in lab.load(smoke[0] / "results" / "it").summary()["verdict"]["checks"]
    }
    for name in ("rows_complete", "one_at_a_time", "served", "answers", "totals", "workers", "generator_errors"):
        assert checks[name] == "valid", (name, checks)


def test_papermills_log_shows_time_stamped_progress(smoke: tuple[Path, str]) -> None:
    """Somebody who follows the log sees where the run is."""
    assert re.search(r"\d\d:\d\d:\d\dZ  .*(warming up|measuring)", smoke[1])


def test_every_cell_of_the_notebook_shows_something(smoke: tuple[Path, str]) -> None:
    """No code cell but the parameters and the last one is silent."""
    assert_every_cell_shows_something(smoke[0] / "out.ipynb")


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"cleints": 5}, "did you mean 'clients'"),
        ({"clients": 0}, "clients=0: it must be at least 1"),
        ({"server_url": "http://192.0.2.1"}, "allow_remote=True"),
        ({"server": "Falcon"}, "there is no such server; did you mean 'falcon'"),
        ({"compare_to": "None"}, "compare_to=None: a text is needed"),
    ],
)
def test_a_mistake_ends_the_notebook_before_anything_starts(tmp_path: Path, parameters: dict[str, Any], says: str) -> None:
    """Exit code 1, one sentence, and no run directory."""
    process = papermill(tmp_path, **parameters)
    log = finish(process)
    assert process.returncode == 1
    assert says in log
    assert not (tmp_path / "results").exists()


def test_what_was_typed_is_what_counts(tmp_path: Path) -> None:
    """papermill itself makes 7 of 007 and 10 of YAML's 012; the run has the name and the devices that were typed."""
    (tmp_path / "asked.yaml").write_text("clients: 012\nresults_dir: 2026\n")
    words = [sys.executable, "-m", "papermill", str(NOTEBOOK), "out.ipynb", "-k", "python3", "--no-progress-bar"]
    words += ["-f", str(PROJECT / "params" / "run.smoke.yaml"), "-f", "asked.yaml", "-p", "run_id", "007"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert lab.load(tmp_path / "2026" / "007").scenario.clients == 12


def test_strict_fails_after_everything_is_shown(tmp_path: Path) -> None:
    """A missed service level makes papermill exit 1, with the charts and tables in the notebook all the same."""
    process = papermill(tmp_path, strict=True, slo_status_p99_ms=0.001, clients=60)
    log = finish(process)
    assert process.returncode == 1, log
    assert "strict" in log
    assert "application/vnd.plotly" in outputs_text(tmp_path / "out.ipynb")
    assert lab.load(tmp_path / "results" / "it").finished


def test_an_earlier_run_is_shown_without_measuring(smoke: tuple[Path, str], tmp_path: Path) -> None:
    """run_dir makes the page again from the record."""
    before = sorted((smoke[0] / "results").iterdir())
    process = papermill(tmp_path, run_dir=smoke[0] / "results" / "it")
    log = finish(process)
    assert process.returncode == 0, log
    assert "nothing was measured" in outputs_text(tmp_path / "out.ipynb")
    assert sorted((smoke[0] / "results").iterdir()) == before
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize("how", ["papermill SIGTERM", "papermill SIGKILL", "kernel SIGKILL"])
def test_nothing_outlives_a_killed_run_and_its_parts_are_readable(tmp_path: Path, how: str) -> None:
    """Ten seconds after the kill no process is left, and what was on disk can be read."""
    process = papermill(tmp_path, **LONG)
    try:
        wait_for(lambda: load_is_on(tmp_path))
        family = descendants(process.pid)
        assert len(family) >= 4, "papermill, kernel, server and generator"
        if how == "kernel SIGKILL":
            next(p for p in family if "ipykernel_launcher" in " ".join(p.cmdline())).kill()
        else:
            process.send_signal(signal.SIGTERM if "TERM" in how else signal.SIGKILL)
        finish(process)
        assert still_alive(family) == []
    finally:
        process.kill()
    record = lab.load(tmp_path / "results" / "it")
    assert not record.finished
    assert record.requests().height > 0
    assert record.gaps[0].kind is GapKind.SEAL
    assert not list((record.path / "requests").glob(".*"))


@pytest.mark.usefixtures("earlier")
def test_a_run_cut_short_by_a_kill_can_be_reported(tmp_path: Path) -> None:
    """The same notebook shows an unfinished record, stamped with what is missing."""
    process = papermill(tmp_path, **LONG)
    wait_for(lambda: load_is_on(tmp_path))
    family = descendants(process.pid)
    process.kill()
    finish(process)
    assert still_alive(family) == []
    shown = papermill(tmp_path, run_dir=tmp_path / "results" / "it")
    log = finish(shown)
    assert shown.returncode == 0, log
    text = outputs_text(tmp_path / "out.ipynb")
    assert "run.json is missing" in text
    assert re.search(r"Cut short after .* of 5 min \(it broke off without a word", text)
    assert "polls in 5 min" in text, "the question of the record, not of this notebook"


class Kernel:
    """A Jupyter kernel with a client, spoken to as JupyterLab does."""

    def __init__(self, cwd: Path) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(cwd))

    def queue(self, sources: list[str]) -> list[str]:
        """Sends all cells at once, like "Run All"; returns the ids of the requests."""
        return [self.client.execute(source, stop_on_error=True) for source in sources]

    def replies(self, ids: list[str], timeout_s: float = 60) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        deadline = time.monotonic() + timeout_s
        while set(found) != set(ids) and time.monotonic() < deadline:
            reply = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            found[reply["parent_header"]["msg_id"]] = reply["content"]
        return found

    @property
    def pid(self) -> int:
        pid: int = self.manager.provisioner.process.pid
        return pid


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    started = Kernel(tmp_path)
    yield started
    started.client.stop_channels()
    started.manager.shutdown_kernel(now=True)


def cells_with(tmp_path: Path, **parameters: Any) -> list[str]:
    """The notebook's code cells, with other values behind the cell of parameters."""
    code = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    after = 1 + next(place for place, cell in enumerate(code) if "parameters" in cell.metadata.get("tags", ()))
    sources = [cell.source for cell in code]
    smoke_values = {"clients": 10, "interval_ms": 100, "minutes": 0.03, "warmup_s": 0.2, "sample_ms": 100}
    values = {**smoke_values, "results_dir": str(tmp_path / "results"), "run_id": "it", **parameters}
    return [*sources[:after], "\n".join(f"{name} = {value!r}" for name, value in values.items()), *sources[after:]]


@pytest.mark.parametrize("generators", [0, 1])
def test_run_all_answers_every_queued_cell(kernel: Kernel, tmp_path: Path, generators: int) -> None:
    """A nested event loop must not swallow the cells that wait behind it."""
    ids = kernel.queue([*cells_with(tmp_path, generators=generators), "the_last = 1 + 1"])
    replies = kernel.replies(ids)
    assert [replies[id_]["status"] for id_ in ids] == ["ok"] * len(ids)
    assert_conserved(lab.load(tmp_path / "results" / "it"))


def test_running_the_cells_again_measures_again(kernel: Kernel, tmp_path: Path) -> None:
    """In JupyterLab cells are run many times; a second run is a second record."""
    cells = cells_with(tmp_path, run_id="")
    cells = cells[: 1 + next(place for place, source in enumerate(cells) if "lab.run(" in source)]
    replies = kernel.replies(kernel.queue([*cells, "mine = 3", *cells]))
    assert [reply.get("evalue", "ok") for reply in replies.values()] == ["ok"] * (2 * len(cells) + 1)
    assert len(list((tmp_path / "results").iterdir())) == 2


@pytest.mark.usefixtures("earlier")
def test_an_interrupt_keeps_and_shows_what_was_measured(kernel: Kernel, tmp_path: Path) -> None:
    """Interrupting the kernel closes the window; the other cells then show it, and no process is left."""
    ids = kernel.queue(cells_with(tmp_path, minutes=5))
    wait_for(lambda: load_is_on(tmp_path))
    children = descendants(kernel.pid)[1:]
    kernel.manager.interrupt_kernel()
    replies = kernel.replies(ids)
    assert [replies[id_]["status"] for id_ in ids] == ["ok"] * len(ids)
    assert still_alive(children) == []
    record = lab.load(tmp_path / "results" / "it")
    assert record.facts["cut_short_kind"] == "interrupted"
    assert 0 < record.window_s < 290
    assert_conserved(record)
    rows = {check["name"]: check["status"] for check in record.summary()["verdict"]["checks"]}
    assert rows["rows_complete"] == "valid"
    assert record.summary()["verdict"]["status"] != "valid"


@pytest.mark.usefixtures("earlier")
def test_a_killed_kernel_leaves_no_process(kernel: Kernel, tmp_path: Path) -> None:
    """Server and generators end by themselves when JupyterLab's kernel dies."""
    kernel.queue(cells_with(tmp_path, minutes=5))
    wait_for(lambda: load_is_on(tmp_path))
    children = descendants(kernel.pid)[1:]
    assert len(children) >= 2
    os.kill(kernel.pid, signal.SIGKILL)
    assert still_alive(children) == []
    assert lab.load(tmp_path / "results" / "it").requests().height > 0
