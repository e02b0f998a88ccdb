"""What it takes to work out and to show a record of 66 million polls, beside one of 660,000.

    python -m benchmarks.analysis             some minutes, and 1.2 GB of disk while it runs
    python -m benchmarks.analysis --times 10  a tenth of it

One run of ten minutes is made up, and its parts are copied and moved on in time. Each record is read by a process of its
own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from IPython.core.interactiveshell import InteractiveShell

import experiments as lab
from experiments.analyse.instrument import Figure
from experiments.measure.host import memory
from experiments.present.exporter import LabReportExporter
from experiments.present.pages.run import Page
from experiments.runner import summarise
from experiments.scenario import Scenario
from tests.present.notebooks import executed, notebook
from tests.support.long_run import long_run
from tests.support.made_up import made_up

_TIMES = 100
_LIMITS = {1: (0.6, 0.53), _TIMES: (60.0, 1.5 * 2**30 / 1e9)}
"""Times the record of ten minutes -> seconds and GB: of the summary for the short one, else with page and HTML."""


def analysis(folder: Path, times: int = _TIMES) -> list[Figure]:
    """Measures both.

    Args:
        folder: takes the records, and is empty afterwards but for the short one.
        times: how much longer the long one is.
    """
    short = made_up(folder, Scenario(minutes=10, warmup_s=5))
    figures = _figures(short.path, 1)
    long = long_run(short, folder, times)
    return [*figures, *_figures(long.path, times)]


def main() -> None:
    """Prints both, or, in a process of its own, what one record took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis")
    parser.add_argument("--times", type=int, default=_TIMES, help="times ten minutes (default %(default)s)")
    parser.add_argument("--read", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        return print(json.dumps(_read(Path(arguments.read))))
    with tempfile.TemporaryDirectory() as folder:
        for figure in analysis(Path(folder), arguments.times):
            print(f"{figure.what:60}  {figure.measured:>10}  {figure.wanted}")
    return None


def _figures(path: Path, times: int) -> list[Figure]:
    command = [sys.executable, "-m", "benchmarks.analysis", "--read", str(path)]
    took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    what = f"{took['polls'] / 1e6:.3g} million polls: "
    seconds, gigabytes = _LIMITS.get(times, (None, None))
    shown = "summary, page and HTML" if times > 1 else "summary"
    value = took["summary_s"] + (took["page_s"] if times > 1 else 0.0)
    peak = took["peak_gb"] if times > 1 else took["summary_peak_gb"]
    return [
        _at_most(what + shown, value, seconds, "s"),
        _at_most(what + "memory, peak", peak, gigabytes, "GB"),
        Figure(what + "processor time of the summary", f"{took['summary_cpu_s']:.3g} s", ""),
    ]


def _at_most(what: str, value: float, limit: float | None, unit: str) -> Figure:
    if limit is None:
        return Figure(what, f"{value:.3g} {unit}", "")
    return Figure(what, f"{value:.3g} {unit}", f"<= {limit:.3g} {unit}", value <= limit)


def _read(path: Path) -> dict[str, float]:
    """What the record took: seconds and GB."""
    InteractiveShell.instance()
    began, cpu = time.monotonic(), time.process_time()
    record = summarise(lab.load(path))
    summary_s, summary_cpu_s, summary_peak_gb = time.monotonic() - began, time.process_time() - cpu, _peak_gb()
    began = time.monotonic()
    page = Page(record)
    shows = (
        *(page.verdict, page.checks, page.asked, page.headline, page.service_level, page.costs),
        *(page.response_over_time, page.percentiles, page.outcomes_over_time, page.server_over_time),
        *(page.generator_over_time, page.device_map, page.clients, page.provenance),
    )
    LabReportExporter().from_notebook_node(nbformat.from_dict(notebook(*[executed(show) for show in shows])))
    return {
        "polls": sum(one["planned"] for one in record.summary()["endpoints"].values()),
        "summary_s": summary_s,
        "summary_cpu_s": summary_cpu_s,
        "summary_peak_gb": summary_peak_gb,
        "page_s": time.monotonic() - began,
        "peak_gb": _peak_gb(),
    }


def _peak_gb() -> float:
    return (memory.peak_rss_bytes() or 0) / 1e9


if __name__ == "__main__":
    main()
