"""A calibration as the notebook goes through it: part by part, each shown when it is done, and a certificate at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import polars as pl

from experiments.analyse.polls import prepare
from experiments.calibrate import certificate, known, lies
from experiments.calibrate.second_opinion import second_opinion
from experiments.calibrate.trial import Trial
from experiments.errors import ParameterError
from experiments.present.chart import Chart
from experiments.present.charts import stall
from experiments.present.markup import Markup, note
from experiments.present.tables import trials as tables
from experiments.present.tables.sortable import SortableTable
from experiments.record import store
from experiments.scenario import Scenario, check_names, injected_names

PARAMETERS = ("variant", "engines", "pacings", "honest_runs", "results_dir")


class Calibration:
    """What `calibrate.ipynb` asks, and what came of it so far."""

    def __init__(self, *, variant: str, engines: str, pacings: str, honest_runs: int, results_dir: str) -> None:
        """Checks what is asked.

        Args:
            variant: `quick` (six programs) or `full` (all of them).
            engines: engines to try, separated by commas.
            pacings: pacings to try, separated by commas.
            honest_runs: how often the default load is measured; at least 1.
            results_dir: where runs and the certificate go; empty for the project's `results/`.

        Raises:
            ParameterError: a value is not allowed.
        """
        if variant not in ("quick", "full"):
            raise ParameterError(f"variant={variant!r}: allowed are 'quick' and 'full'.")
        if honest_runs < 1:
            raise ParameterError(f"honest_runs={honest_runs}: at least 1 is needed, since damaged copies are made of it.")
        self.variant = variant
        self._engines = [Scenario.from_parameters({"engine": name.strip()}).engine for name in engines.split(",")]
        self._pacings = [Scenario.from_parameters({"pacing": name.strip()}).pacing for name in pacings.split(",")]
        self._honest_runs = honest_runs
        self._results_dir = Path(results_dir).expanduser() if results_dir else store.default_results_dir()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._runs_dir = self._results_dir / f"calibration-{stamp}"
        self._runs_dir.mkdir(parents=True)
        self._parts: certificate.Parts = {}
        self._lines: list[pl.DataFrame] = []

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: a value is not allowed, or papermill injected a name that is no parameter.
        """
        check_names(injected_names(namespace), PARAMETERS)
        return cls(**{name: namespace[name] for name in PARAMETERS})

    def known_answers(self) -> Markup:
        """Part 1: every program x pacing x engine, expected beside measured."""
        names = known.QUICK if self.variant == "quick" else known.programs()
        tried = []
        for trial, lines in known.trials(names, self._pacings, self._engines, self._runs_dir, _say):
            tried.append(trial)
            self._lines.append(lines)
        return self._part("known answers", tried)

    def figures(self) -> SortableTable:
        """Every figure of part 1: expected, measured, error and limit; those that are wrong come first."""
        frame = pl.concat(self._lines).sort("ok", maintain_order=True)
        return SortableTable(frame.with_columns(pl.col("expected", "measured", "error", "limit").round_sig_figs(4)))

    def stall_seen_twice(self) -> Chart | Markup:
        """The stall of part 1, as latency and as response."""
        trials = [trial for trial in self._parts.get("known answers", []) if trial.name.startswith("stall, fixed")]
        if not trials or not trials[0].run_id:
            return note("The stall was not measured with fixed pacing.")
        record = store.load(self._runs_dir / trials[0].run_id)
        return stall.seen_twice(prepare(record), record.window_s)

    def honest_and_lies(self) -> Markup:
        """Part 2: what must be valid, and what must never be."""
        runs = list(lies.honest_runs(self._runs_dir, self._honest_runs, _say))
        ground = lies.Ground(self._runs_dir, runs[-1][1])
        tried = [trial for trial, _ in runs]
        tried += lies.must_stay_valid(ground, _say)
        tried += lies.lies(ground, _say)
        return self._part("battery of lies", tried)

    def second_opinion(self) -> Markup:
        """Part 3: the same load by a tool that is not ours."""
        return self._part("second opinion", second_opinion(self._runs_dir, _say))

    def certificate(self) -> Markup:
        """Writes the certificate, which later runs on this machine quote."""
        return tables.certificate(certificate.certify(self._results_dir, self.variant, self._parts))

    def _part(self, name: str, tried: Iterable[Trial]) -> Markup:
        self._parts[name] = list(tried)
        return tables.trials(self._parts[name], label=name)


def _say(line: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S}Z  {line}\n")
    sys.stdout.flush()
