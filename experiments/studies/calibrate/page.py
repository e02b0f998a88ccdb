"""A calibration as the notebook goes through it: part by part, each shown when it is done, and a certificate at the end."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import polars as pl

from experiments.analyse.polls import prepare
from experiments.errors import RecordError, VerdictError
from experiments.present.chart import Chart
from experiments.present.charts import stall
from experiments.present.format import duration
from experiments.present.html import Markup, note
from experiments.present.live.run import to_log, to_stdout
from experiments.present.result.shown import Shown
from experiments.present.tables import trials as tables
from experiments.present.tables.sortable import SortableTable
from experiments.present.tables.studies import capacity as facts
from experiments.record import reading
from experiments.studies.announcer import Announcer
from experiments.studies.calibrate import certificate, known, limits, text
from experiments.studies.calibrate import result as calibration_result
from experiments.studies.calibrate.bench import RUN_S, Trials
from experiments.studies.calibrate.certificate import Tried
from experiments.studies.calibrate.controls import negative, positive
from experiments.studies.calibrate.controls.fixture import Fixture
from experiments.studies.calibrate.params import Asked
from experiments.studies.calibrate.second_opinion.opinions import second_opinions
from experiments.studies.calibrate.trial import Came, Case, Parts
from experiments.studies.facade import Facade
from experiments.studies.study import Study, each
from experiments.studies.text import folder, goes_on


class Calibration(Facade[Asked]):
    """What `calibrate.ipynb` asks, and what came of it so far."""

    asks = Asked
    bench = Trials

    def __init__(self, study: Study[Asked, Case, Came]) -> None:
        super().__init__(study)
        self._own, self._cost = study.asked.own, study.asked.cost
        self._runs_dir = study.folder.path
        self._parts: Parts = {}

    def asked(self) -> Markup:
        """What will be tried, and how long that takes."""
        own, cases = self._own, [case for cases in self._cases.values() for case in cases]
        left = [case for case in cases if not self.study.found(case).done]
        pairs = [
            ("variant", own.variant),
            ("engines, pacings", f"{', '.join(own.engines)}; {', '.join(own.pacings)}"),
            *((part, f"{len(cases)} to try") for part, cases in self._cases.items()),
        ]
        time = [] if self.study.shown else [("time", f"about {duration(RUN_S * len(left))} but for part 4")]
        return facts.facts([*pairs, *time, *folder(self.study)], label="the calibration")

    @cached_property
    def _cases(self) -> dict[str, list[Case]]:
        """Part -> what is tried in it."""
        programs = known.QUICK if self._own.variant == "quick" else known.programs()
        return {
            known.PART: known.cases(programs, self._own.pacings, self._own.engines),
            positive.PART: positive.honest_runs(self._own.honest_runs),
            positive.TROUBLE: positive.must_stay_valid(self._fixture),
            negative.PART: negative.controls(self._fixture),
            certificate.SECOND_OPINION: second_opinions(),
        }

    @cached_property
    def _agenda(self) -> Announcer:
        cases = (case for cases in self._cases.values() for case in cases)
        return Announcer(sum(not self.study.found(case).done for case in cases), to_stdout, RUN_S)

    def known_answers(self) -> Markup:
        """Part 1: every program x pacing x engine, expected beside measured."""
        return self._part(known.PART)

    def figures(self) -> SortableTable:
        """Every figure of part 1: expected, measured, error and limit; those that are wrong come first."""
        frame = self._figures.sort("ok", maintain_order=True)
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

    def positive_controls(self) -> Markup:
        """Part 2: the default load again and again, judged together."""
        return self._part(positive.PART)

    def servers_in_trouble(self) -> Markup:
        """Part 2: what else must be valid."""
        return self._part(positive.TROUBLE)

    def negative_controls(self) -> Markup:
        """Part 2: what must never be valid."""
        return self._part(negative.PART)

    def limits(self) -> Markup:
        """Part 2: how far positive and negative controls are from the limits of the verdict."""
        return tables.limits(limits.seen(self._runs_dir))

    def second_opinion(self) -> Markup:
        """Part 3: the same load by tools that are not ours."""
        return self._part(certificate.SECOND_OPINION)

    def costs(self) -> Markup:
        """Part 4: what the instrument costs, beside tools that are not ours."""
        return self._cost.measure(self._runs_dir / "cost", to_log, shown=self.study.shown)

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
        """Writes the certificate, which later runs on this machine quote; that of an earlier calibration is only shown."""
        return text.certificate(self._certified)

    @cached_property
    def _certified(self) -> dict[str, Any]:
        certify = certificate.made_out if self.study.shown else certificate.certify
        tried = Tried(self._own.variant, self._own.engines, self._own.pacings)
        carries = self._cost.results.carries
        return certify(self._runs_dir.parent, tried, self._parts, self._figures, carries, self._left_out)

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        return Shown(calibration_result.result(self._runs_dir.name, self._certified, self._parts))

    def enforce(self) -> None:
        """With `strict`, fails the notebook if a trial has, or was not made; to be called after everything is shown.

        Raises:
            VerdictError: names what failed.
        """
        failed = [one.name for trials in self._parts.values() for one in trials if one.ok is False]
        if self._own.strict and failed:
            raise VerdictError(f"strict: {len(failed)} trials failed: {', '.join(failed[:10])}.")
        if self._own.strict and (missing := sum(self._left_out.values())):
            raise VerdictError(f"strict: {missing} of what was to be tried was not; {goes_on(self.study)}.")

    @property
    def _left_out(self) -> dict[str, int]:
        """Part -> how many of its cases have no trial."""
        return {part: sum(not self.study.found(case).done for case in cases) for part, cases in self._cases.items()}

    @property
    def _figures(self) -> pl.DataFrame:
        return known.figures(self._parts.get(known.PART, ()))

    def _fixture(self) -> Fixture:
        """What negative controls are made of: the last positive control."""
        runs = [one.run_id for one in self._parts.get(positive.PART, ()) if one.run_id]
        if not runs:
            raise RecordError("no positive control was made to make corrupted copies of.")
        return Fixture(self._runs_dir, reading.load(self._runs_dir / runs[-1]))

    def _part(self, name: str) -> Markup:
        came = self.study.run(each(self._cases[name]), self._announce)
        trials = [one for case in came for one in case.trials]
        if name == positive.PART:
            runs = [reading.load(self._runs_dir / one.run_id) for one in trials if one.run_id]
            trials = [positive.few_suspects(runs), *trials]
        self._parts[name] = trials
        return tables.trials(trials, label=name)

    def _announce(self, case: Case) -> None:
        self._agenda(case.name if case.part in (positive.TROUBLE, negative.PART) else f"{case.part}: {case.name}")
