"""Prints what the instrument costs and how exact it is, beside what it is meant to reach.

    python -m benchmarks                  about 4 minutes: both engines in turn, and one notebook run
    python -m benchmarks --minutes 10     the notebook run as long as the default one

Engines are compared in interleaved rounds of the same load, as medians and ratios, since machines are shared and noisy.
A figure beyond its target is printed as it is: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

import experiments as lab

_NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "run.ipynb"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    target: str


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        figures = _engines(Path(folder), arguments.rounds, arguments.seconds)
        figures += _notebook(Path(folder), arguments.minutes)
    width = max(len(figure.what) for figure in figures)
    print(f"\n{'figure':{width}}  {'measured':>28}  target")
    for figure in figures:
        print(f"{figure.what:{width}}  {figure.measured:>28}  {figure.target}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which both engines run once (default 3)")
    parser.add_argument("--seconds", type=float, default=20, help="measured seconds of each of these runs (default 20)")
    parser.add_argument("--minutes", type=float, default=1, help="measured minutes of the notebook run (default 1)")
    return parser.parse_args()


def _engines(folder: Path, rounds: int, seconds: float) -> list[Figure]:
    """Both engines at the default load, in turn."""
    seen: dict[str, list[dict[str, Any]]] = {"httpx": [], "httpx-stock": []}
    for number in range(rounds):
        for engine, summaries in seen.items():
            scenario = lab.Scenario(
                engine=engine, minutes=seconds / 60, results_dir=str(folder), run_id=f"{engine}-{number}"
            )
            summaries.append(lab.run(scenario).summary())
            print(f"round {number + 1} of {rounds}, {engine}: {_one_line(summaries[-1])}", flush=True)
    lean, stock = seen["httpx"], seen["httpx-stock"]
    ratios = [
        b["generator"]["cpu_us_per_poll"] / a["generator"]["cpu_us_per_poll"] for a, b in zip(lean, stock, strict=True)
    ]
    late = [100 * _both(summary, "unsent_late") / _both(summary, "planned") for summary in lean]
    return [
        Figure("default load: unsent_late", f"{median(late):.3f} %", "<= 0.1 %"),
        Figure("default load: verdicts of httpx", _verdicts(lean), "valid"),
        Figure("default load: verdicts of httpx-stock", _verdicts(stock), "invalid"),
        Figure("lag p99", f"{median(s['generator']['lag_ms']['p99'] for s in lean):.2f} ms", "<= 5 ms"),
        Figure("response p50 of A", f"{median(_p50(s) for s in lean):.2f} ms", "<= 1.5 ms"),
        Figure("response p50 of A, httpx-stock", f"{median(_p50(s) for s in stock):.1f} ms", "(what it claims)"),
        Figure("CPU per poll, httpx", f"{_cpu(lean):.0f} us", ""),
        Figure("CPU per poll, httpx-stock", f"{_cpu(stock):.0f} us", ""),
        Figure("CPU per poll, httpx : httpx-stock", f"1 : {median(ratios):.1f}", "<= 1 : 6"),
    ]


def _notebook(folder: Path, minutes: float) -> list[Figure]:
    """The whole notebook as papermill runs it, its record and its report."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "papermill", str(_NOTEBOOK), str(folder / "run.ipynb"), "-k", "python3"]
    command += [
        "--no-progress-bar",
        "-p",
        "minutes",
        str(minutes),
        "-p",
        "results_dir",
        str(folder),
        "-p",
        "run_id",
        "notebook",
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    took = time.monotonic() - begun
    export = [sys.executable, "-m", "nbconvert", "--to", "lab_report", str(folder / "run.ipynb")]
    subprocess.run(export, check=True, stderr=subprocess.DEVNULL)
    record = lab.load(folder / "notebook")
    parts = sum(path.stat().st_size for path in (record.path / "requests").iterdir())
    beyond = took - minutes * 60 - record.scenario.warmup_s
    return [
        Figure(f"notebook beyond warm-up + {minutes:g} min", f"{beyond:.1f} s", "<= 8 s"),
        Figure("generator memory after 1 min", _memory_mb(record, 60), "<= 120 MB"),
        Figure(f"generator memory after {minutes:g} min", _memory_mb(record, minutes * 60), "the same"),
        Figure("record on disk", f"{parts / record.requests().height:.1f} bytes a poll", "<= 20"),
        Figure("HTML report", f"{(folder / 'run.html').stat().st_size / 1e6:.2f} MB", "<= 4 MB"),
    ]


def _memory_mb(record: Any, at_s: float) -> str:
    samples = record.resources().filter((pl.col("group") == "generator") & (pl.col("t_s") <= at_s))
    return f"{samples['rss_bytes'][-1] / 1e6:.0f} MB"


def _one_line(summary: dict[str, Any]) -> str:
    return (
        f"{summary['verdict']['status']}, response p50 of A {_p50(summary):.2f} ms, "
        f"{summary['generator']['cpu_us_per_poll']:.0f} us a poll"
    )


def _p50(summary: dict[str, Any]) -> float:
    value: float = summary["endpoints"]["status"]["response_ms"]["p50"]
    return value


def _cpu(summaries: list[dict[str, Any]]) -> float:
    return median(summary["generator"]["cpu_us_per_poll"] for summary in summaries)


def _both(summary: dict[str, Any], count: str) -> int:
    return sum(endpoint[count] for endpoint in summary["endpoints"].values())


def _verdicts(summaries: list[dict[str, Any]]) -> str:
    return ", ".join(summary["verdict"]["status"] for summary in summaries)


if __name__ == "__main__":
    main()
