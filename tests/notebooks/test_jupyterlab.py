"""run.ipynb in JupyterLab, as a person uses it: opened, changed, run, stopped, run again, exported by the menu."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from experiments.command import workbench
from tests.support.processes import descendants, still_alive

# A JupyterLab, a browser and three processes of a run: on a busy machine that takes minutes, on a quiet one half of one.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

PATIENCE_MS = 90_000
PANEL = "[...jupyterapp.shell.widgets('main')].find(one => one.content?.widgets)"
SOURCE = (
    f"{PANEL}.content.widgets.find(one => (one.model.getMetadata('tags') || []).includes('parameters')).model.sharedModel"
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working copy of a notebook that writes nothing into the project, trusted in a place of its own."""
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    text = (workbench.NOTEBOOKS / "run.ipynb").read_text()
    changes = {
        'results_dir: str = \\"\\"': f'results_dir: str = \\"{tmp_path}/results\\"',
        "clients: int = 500": "clients: int = 10",
        "warmup_s: float = 5.0": "warmup_s: float = 0.0",
    }
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "run.ipynb").write_text(text)
    workbench.copies(source=tmp_path / "notebooks", folder=tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def address(work: Path) -> Iterator[str]:
    """Where a JupyterLab shows that copy; it and its kernels are gone afterwards."""
    quiet = ("--no-browser", "--allow-root", "--ip=127.0.0.1", "--ServerApp.port=0", "--IdentityProvider.token=known")
    words = workbench.command("run", [*quiet], folder=work)
    with (work.parent / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=work, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _address(work.parent / "jupyter.log", server)
    finally:
        family = descendants(server.pid)
        server.terminate()
        server.wait(30)
        assert still_alive(family) == []


def _address(log: Path, server: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)/lab", log.read_bytes())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    opened = "work/run.ipynb"
    return f"http://127.0.0.1:{found[1].decode()}/lab/tree/{opened}?token=known"


@pytest.fixture
def page(address: str, chromium: str) -> Iterator[Page]:
    """The notebook, opened in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1300, "height": 900})
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        opened.goto(address)
        yield opened
        browser.close()


def source(page: Page) -> dict[str, str]:
    """Parameter -> its value, as it stands in the cell."""
    text = str(page.evaluate(f"{SOURCE}.getSource()"))
    return dict(re.findall(r"^(\w+): \w+ = (.*?)  #", text, re.MULTILINE))


def outputs(page: Page, code: str) -> list[dict[str, Any]]:
    """What the cell of this code shows."""
    script = f"{PANEL}.content.widgets.find(one => one.model.sharedModel.getSource().trim() === code).model.toJSON().outputs"
    return list(page.evaluate(f"code => {script}", code))


def run(page: Page, minutes: str) -> None:
    """Runs it for so long, by the form, until the picture of the run is in sight."""
    page.fill(".lab-form [name=minutes]", minutes)
    page.click(".lab-run")
    expect(page.locator(".lab-dock")).to_be_visible()


def wait_until_over(page: Page) -> None:
    """Until nothing runs any more."""
    expect(page.locator(".lab-dock")).to_be_hidden()
    expect(page.locator(".lab-form .lab-run")).to_be_enabled()


def test_a_person_changes_runs_stops_runs_again_and_exports(page: Page, work: Path) -> None:
    """Form and cell hold the same values; a stopped run is shown as such, and the menu makes the report of the last."""
    expect(page.locator(".lab-form")).to_be_visible()
    expect(page.locator(".lab-form [name=clients]")).to_have_value("10")
    page.fill(".lab-form [name=clients]", "12")
    page.select_option(".lab-form [name=engine]", "epoll")
    assert {name: source(page)[name] for name in ("clients", "engine")} == {"clients": "12", "engine": '"epoll"'}
    page.evaluate(
        f"{SOURCE}.setSource({SOURCE}.getSource().replace('interval_ms: float = 500.0', 'interval_ms: float = 100.0'))"
    )
    expect(page.locator(".lab-form [name=interval_ms]")).to_have_value("100.0")

    run(page, "5")
    expect(page.locator(".lab-dock")).to_contain_text("measuring")
    page.click(".lab-dock button")
    wait_until_over(page)
    shown = "".join(outputs(page, LIVE)[0]["data"]["text/html"])
    bar = re.search(r'aria-valuenow="(\d+)"', shown)
    assert bar is not None
    assert int(bar[1]) < 100
    assert "cut short at" in shown

    run(page, "0.05")
    wait_until_over(page)
    (told,) = outputs(page, "page.result()")
    assert "12 devices" in told["data"]["application/vnd.falcon-lab.result+json"]["title"]
    assert "cut short at" not in json.dumps(outputs(page, LIVE))
    assert len(list((work.parent / "results").glob("*/run.json"))) == 2

    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.get_by_text("File", exact=True).first.click()
    page.get_by_text("Save and Export Notebook As").hover()
    with page.expect_download() as download:
        page.get_by_text("Lab_report", exact=True).click()
    report = Path(download.value.path()).read_text()
    assert "12 devices" in report
    assert 'class="lab-form"' not in report


LIVE = "record = lab.run(scenario, on_progress=lab.Live())\npage = lab.Page(record, scenario)"
