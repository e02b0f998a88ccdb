"""The whole notebook as papermill runs it: what it takes beyond the run itself, and the size of what remains."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import polars as pl

import experiments as lab
from experiments.analyse.instrument import Figure
from experiments.record.reading import Record

_NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "run.ipynb"


def notebook(folder: Path, minutes: float) -> list[Figure]:
    """Runs it and makes its report.

    Args:
        folder: an empty one, for all that remains.
        minutes: measured by the run.
    """
    begun = time.monotonic()
    command = [sys.executable, "-m", "papermill", str(_NOTEBOOK), str(folder / "run.ipynb"), "-k", "python3"]
    parameters = {"minutes": str(minutes), "results_dir": str(folder), "run_id": "notebook"}
    for name, value in parameters.items():
        command += ["-p", name, value]
    subprocess.run([*command, "--no-progress-bar"], check=True, stderr=subprocess.DEVNULL)
    took_s = time.monotonic() - begun
    export = [sys.executable, "-m", "nbconvert", "--to", "lab_report", str(folder / "run.ipynb")]
    subprocess.run(export, check=True, stderr=subprocess.DEVNULL)
    record = lab.load(folder / "notebook")
    stored = sum(path.stat().st_size for path in (record.path / "requests").iterdir())
    early = min(1.0, minutes)
    early_mb, late_mb = _memory_mb(record, early * 60), _memory_mb(record, minutes * 60)
    return [
        _at_most(f"notebook beyond warm-up + {minutes:g} min", took_s - minutes * 60 - record.scenario.warmup_s, 8, "s"),
        _at_most(f"generator memory after {early:g} min", early_mb, 120, "MB"),
        Figure(f"generator memory after {minutes:g} min (the end)", f"{late_mb:.0f} MB", "the same"),
        _at_most("record on disk", stored / record.rows.count, 20, "bytes per poll"),
        _at_most("HTML report", (folder / "run.html").stat().st_size / 1e6, 4, "MB"),
    ]


def _at_most(what: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(what, f"{value:.3g} {unit}", f"<= {limit:g} {unit}", value <= limit)


def _memory_mb(record: Record, at_s: float) -> float:
    samples = record.resources().filter((pl.col("group") == "generator") & (pl.col("t_s") <= at_s))
    return float(samples["rss_bytes"][-1] / 1e6)
