"""A calibration as the notebook goes through it: part by part, each shown when it is done, and a certificate at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import polars as pl

from experiments.analyse.polls import prepare
from experiments.errors import ParameterError
from experiments.parameters import check_names, injected_names
from experiments.present.chart import Chart
from experiments.present.charts import stall
from experiments.present.markup import Markup, note
from experiments.present.tables import trials as tables
from experiments.present.tables.sortable import SortableTable
from experiments.record import reading
from experiments.record.reading import Record
from experiments.scenario import Scenario
from experiments.studies.calibrate import certificate, known, limits, trial
from experiments.studies.calibrate.agenda import Agenda
from experiments.studies.calibrate.certificate import Tried
from experiments.studies.calibrate.controls import honest, lies
from experiments.studies.calibrate.controls.ground import Ground
from experiments.studies.calibrate.cost.part import LOADS, PEERS, SECONDS, CostPart
from experiments.studies.calibrate.second_opinion.opinions import second_opinions
from experiments.studies.calibrate.second_opinion.tools import TOOLS
from experiments.studies.calibrate.trial import Parts, Trial

PARAMETERS = (
    *("variant", "engines", "pacings", "honest_runs", "results_dir"),
    *("cost_rounds", "cost_seconds", "cost_peers", "cost_loads", "wrk2"),
)


class Calibration:
    """What `calibrate.ipynb` asks, and what came of it so far."""

    def __init__(
        self,
        *,
        variant: str,
        engines: str,
        pacings: str,
        honest_runs: int,
        results_dir: str,
        cost_rounds: int = 0,
        cost_seconds: float = SECONDS,
        cost_peers: str = PEERS,
        cost_loads: str = LOADS,
        wrk2: str = "",
    ) -> None:
        """Checks what is asked.

        Args:
            variant: `quick` (six programs) or `full` (all of them).
            engines: engines to try, separated by commas.
            pacings: pacings to try, separated by commas.
            honest_runs: how often the default load is measured; at least 1.
            results_dir: where runs and the certificate go; empty for the project's `results/`.
            cost_rounds: and the others that begin so: see `cost.part`.
            wrk2: path of a wrk2 binary, which no distribution has; empty for none.

        Raises:
            ParameterError: a value is not allowed.
        """
        if variant not in ("quick", "full"):
            raise ParameterError(f"variant={variant!r}: allowed are 'quick' and 'full'.")
        if honest_runs < 1:
            raise ParameterError(f"honest_runs={honest_runs}: at least 1 is needed, since damaged copies are made of it.")
        if "threads" in [name.strip() for name in engines.split(",")]:
            raise ParameterError(f"engines={engines!r}: threads is the author's client, measured and not relied on.")
        self._tried = Tried(variant, _each("engine", engines), _each("pacing", pacings))
        self._honest_runs = honest_runs
        self._programs = known.QUICK if variant == "quick" else known.programs()
        self._cost = CostPart(rounds=cost_rounds, seconds=cost_seconds, peers=cost_peers, loads=cost_loads, wrk2=wrk2)
        self._results_dir = reading.results_dir(results_dir)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._runs_dir = self._results_dir / f"calibration-{stamp}"
        self._runs_dir.mkdir(parents=True)
        self._say = Agenda(self._runs, _write)
        self._parts: Parts = {}
        self._lines: list[pl.DataFrame] = []
        self._honest: list[Record] = []

    @property
    def _runs(self) -> int:
        """How many runs will be announced."""
        known_answers = len(self._programs) * len(self._tried.pacings) * len(self._tried.engines)
        return known_answers + self._honest_runs + len(honest.HONEST) + len(lies.LIES) + len(TOOLS)

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
        tried = []
        asked = self._programs, self._tried.pacings, self._tried.engines
        for one, lines in known.trials(*asked, self._runs_dir, self._say):
            tried.append(one)
            self._lines.append(lines)
        return self._part("known answers", tried)

    def figures(self) -> SortableTable:
        """Every figure of part 1: expected, measured, error and limit; those that are wrong come first."""
        frame = pl.concat(self._lines).sort("ok", maintain_order=True)
        right = pl.when("ok").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("right")
        rounded = pl.col("expected", "measured", "error", "limit").round_sig_figs(4)
        return SortableTable(frame.with_columns(rounded).select(pl.exclude("ok"), right))

    def stall_seen_twice(self) -> Chart | Markup:
        """The stall of part 1, as latency and as response."""
        stalls = [one.run_id for one in self._parts.get("known answers", []) if one.name.startswith("stall, fixed")]
        if not any(stalls):
            return note("The stall was not measured with fixed pacing.")
        record = reading.load(self._runs_dir / stalls[0])
        return stall.seen_twice(prepare(record), record.window_s)

    def honest_runs(self) -> Markup:
        """Part 2: the default load again and again, judged together."""
        tried = []
        for one, record in honest.honest_runs(self._runs_dir, self._honest_runs, self._say):
            tried.append(one)
            self._honest.append(record)
        return self._part(limits.HONEST, [honest.few_suspects(self._honest), *tried])

    def servers_in_trouble(self) -> Markup:
        """Part 2: what else must be valid."""
        return self._part("servers in trouble", honest.must_stay_valid(self._ground, self._say))

    def lies(self) -> Markup:
        """Part 2: what must never be valid."""
        return self._part(limits.LIED, lies.lies(self._ground, self._say))

    def limits(self) -> Markup:
        """Part 2: how far honest runs and lies lie from the limits of the verdict."""
        return tables.limits(limits.seen(self._runs_dir))

    def second_opinion(self) -> Markup:
        """Part 3: the same load by tools that are not ours."""
        return self._part(certificate.SECOND_OPINION, second_opinions(self._runs_dir, self._say))

    def costs(self) -> Markup:
        """Part 4: what the instrument costs, beside tools that are not ours."""
        return self._cost.measure(self._runs_dir / "cost", _stamped)

    def cost_chart(self) -> Chart | Markup:
        """CPU per poll, side by side."""
        return self._cost.chart()

    def largest_swarms(self) -> Markup:
        """How one generator does with more and more devices."""
        return self._cost.growth()

    def cost_figures(self) -> Markup:
        """The figures of part 4 beside what they are meant to reach."""
        return self._cost.figures()

    def certificate(self) -> Markup:
        """Writes the certificate, which later runs on this machine quote."""
        carries = self._cost.results.carries
        figures = pl.concat(self._lines)
        return tables.certificate(certificate.certify(self._results_dir, self._tried, self._parts, figures, carries))

    @property
    def _ground(self) -> Ground:
        return Ground(self._runs_dir, self._honest[-1])

    def _part(self, name: str, tried: Iterable[Trial]) -> Markup:
        self._parts[name] = list(tried)
        trial.write(self._runs_dir, self._parts)
        return tables.trials(self._parts[name], label=name)


def _each(parameter: str, listed: str) -> list[str]:
    """The values of a list with commas, each of them one that a scenario allows."""
    return [getattr(Scenario.from_parameters({parameter: value.strip()}), parameter) for value in listed.split(",")]


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stamped(line: str) -> None:
    _write(f"{datetime.now(UTC):%H:%M:%S}Z  {line}")
