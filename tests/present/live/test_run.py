"""What is seen while a run is going, in a log and in JupyterLab."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from IPython.utils.capture import capture_output

from experiments.present.live import run
from experiments.present.live.run import Lines, Live
from experiments.present.live.view import ROLE, Picture

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Report:
    """What is known of a run while it is going; the fields of `measure`'s own."""

    phase: str = "measuring"
    elapsed_s: float = 30.0
    total_s: float = 65.0
    planned: int = 66_000
    sent: int = 27_500
    ok: int = 27_497
    failed: int = 3
    statuses: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    cut_short: str = ""
    in_flight: int = 2
    polls_per_s: float = 1100.0
    response_p50_ms: float | None = 0.612
    response_p99_ms: float | None = 1.834
    server_cores: float = 0.5
    generator_cores: float = 0.3
    compiling_s: float | None = None
    endpoints: tuple[str, ...] = ("status", "bulk")
    run_dir: str = ""


def run_of(seconds: int) -> list[Report]:
    """A report a second, from start to end."""
    phases = ["warming up" if second < 5 else "measuring" for second in range(seconds)]
    going = [Report(phase, float(second), float(seconds)) for second, phase in enumerate(phases)]
    end = float(seconds)
    return [Report("starting", 0.0, end), *going, Report("finishing", end, end), Report("analysing", end, end)]


@pytest.mark.parametrize("seconds", [6, 65, 605, 36_005])
def test_a_run_of_any_length_leaves_a_short_log(seconds: int) -> None:
    """Every phase has its line, and there are at most sixty."""
    lines: list[str] = []
    show = Lines(lines.append, lambda: NOON)
    for report in run_of(seconds):
        show(report)
    assert 5 <= len(lines) <= 60
    assert [
        phase
        for phase in ("starting", "warming up", "measuring", "finishing", "measured;")
        if not any(phase in line for line in lines)
    ] == []


def test_a_line_says_when_how_far_and_how_well() -> None:
    """Time, phase, counts, rate, response, failures and the expected end."""
    lines: list[str] = []
    Lines(lines.append, lambda: NOON)(Report())
    assert lines == [
        "12:00:00Z  measuring 46 %, 27,500 of 66,000 polls sent, 3 failed, 1,100 polls/s, "
        "A answered in 0.612 ms (p50), 1.83 ms (p99), server 0.50 cores, ends about 12:00:35Z"
    ]


def test_status_codes_are_seen_while_a_run_goes_on() -> None:
    """In the log and in the picture: a limit that was reached needs another remedy than a server that is broken."""
    lines: list[str] = []
    report = Report(failed=25, statuses={"429": 12, "503": 12})
    Lines(lines.append, lambda: NOON)(report)
    assert "25 failed (429: 12, 503: 12)," in lines[0]
    assert "<b>failing: </b>429: 12, 503: 12<" in shown_by([report])[0].data["text/html"]


def test_what_fails_and_why_is_seen_while_a_run_goes_on() -> None:
    """Every reason with its count; devices that still wait for the server among them."""
    report = Report(failed=25, statuses={"503": 24}, reasons={"reset": 1, "http_error": 24, "unsent_busy": 3})
    said = "http error 24 (503: 24), not sent, since the device waited 3, reset 1"
    assert f"25 failed ({said})" in run.describe(report, NOON)
    assert f"<b>failing: </b>{said}<" in shown_by([report])[0].data["text/html"]


def test_a_run_that_was_cut_short_never_shows_a_full_bar() -> None:
    """It stays where the run was, and says why it ended there."""
    report = Report("analysing", 20.0, 65.0, cut_short="the experimenter interrupted.")
    shown = shown_by([*run_of(6)[:4], report])[-1].data["text/html"]
    assert 'aria-valuenow="31"' in shown
    assert "width:30.8%" in shown
    assert "cut short at 31 %" in shown
    assert "measured</b>" not in shown
    assert run.describe(report, NOON).startswith("cut short at 31 %: the experimenter interrupted; ")


def test_a_line_leaves_out_what_is_not_known() -> None:
    """Without an answer there are no response times."""
    lines: list[str] = []
    Lines(lines.append, lambda: NOON)(Report(response_p50_ms=None, response_p99_ms=None))
    assert "answered" not in lines[0]


def test_outside_jupyterlab_progress_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """papermill and scripts get a line with its time in place of a bar."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    Live()(Report("starting"))
    assert capsys.readouterr().out.endswith("Z  starting the server and the generators\n")


def test_the_first_line_says_where_the_record_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is found, should the notebook break off; the home folder is not named."""
    monkeypatch.setenv("HOME", "/home/joe")
    for path, shown in (("/home/joe/lab/it", "~/lab/it"), ("/home/joenne/it", "/home/joenne/it")):
        line = run.describe(Report("starting", run_dir=path), NOON)
        assert line == f"starting the server and the generators; the record is written to {shown}"


def test_a_script_started_from_jupyterlab_gets_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a kernel has somebody who looks at its display."""
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/run.ipynb")
    assert not run.in_jupyterlab()


def test_a_kernel_of_jupyterlab_gets_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a Jupyter server started the kernel, one display is kept up to date."""
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/run.ipynb")
    monkeypatch.setattr("IPython.get_ipython", lambda: type("Shell", (), {"kernel": object()})())
    assert run.in_jupyterlab()


def test_loading_the_live_view_loads_no_charts() -> None:
    """A run starts without waiting for plotly."""
    import subprocess

    code = "import sys, experiments.present.live.view; sys.exit('plotly' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def shown_by(reports: list[Report]) -> list[Any]:
    """The displays that a picture makes of these reports."""
    picture = Picture(lambda: NOON)
    with capture_output() as captured:
        for report in reports:
            picture(report)
    return list(captured.outputs)


def test_the_picture_is_one_display_replaced_in_place() -> None:
    """Every later display updates the first one, so that one output is saved, marked as progress."""
    shown = shown_by(run_of(6))
    assert len({output.transient["display_id"] for output in shown}) == 1
    assert [output.update for output in shown] == [False] + [True] * (len(shown) - 1)
    assert all(output.metadata == ROLE for output in shown)


def test_the_picture_shows_the_last_minute() -> None:
    """Bar, counts and two drawings; at most sixty points a line, however long the run."""
    last = shown_by(run_of(200))[-3].data["text/html"]
    assert 'role="progressbar"' in last
    assert "27,500 of 66,000 polls sent" in last
    points = [part.split('"')[0] for part in last.split('points="')[1:]]
    assert [len(one.split()) for one in points] == [60, 60, 60]


def test_the_picture_ends_with_what_was_measured() -> None:
    """When everything is over, the latest counts stay in view."""
    last = shown_by(run_of(6))[-1].data["text/html"]
    assert "<b>measured</b>" in last
    assert "27,500 of 66,000 polls sent" in last
