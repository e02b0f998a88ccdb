"""What the cells of a notebook show: each method is one cell, and its value is what the cell displays.

A page reads one record. Tables are worked out when they are first needed, and once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from experiments.analyse import latency, resources, service_level, summary, timeline
from experiments.analyse.changes import Comparison, compare
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.duets import duet as duets
from experiments.analyse.duets import pieces
from experiments.analyse.history.latest import LATEST, latest_before
from experiments.analyse.passes.courses import Courses, Steps, courses
from experiments.analyse.passes.digest import KINDS
from experiments.analyse.polls import arrange
from experiments.analyse.targets import asked as of_run
from experiments.errors import VerdictError
from experiments.present import answer as answers
from experiments.present import top
from experiments.present.axes import step_of
from experiments.present.duets import table as comparison
from experiments.present.format import moment, plural
from experiments.present.html import Markup, note, nothing
from experiments.present.pages.asked import of_record
from experiments.present.result import run as run_result
from experiments.present.result.shown import Shown
from experiments.present.tables import changes as differences
from experiments.present.tables import connections, database, limits, wrong_answers
from experiments.present.tables import headline as figures
from experiments.present.tables import provenance as sources
from experiments.present.tables import scenario as question
from experiments.present.tables import service_level as levels
from experiments.present.tables import verdict as judgement
from experiments.present.tables.clients import clients as clients_table
from experiments.present.tables.sortable import SortableTable
from experiments.record.collection import collect

if TYPE_CHECKING:
    from experiments.present.chart import Chart
    from experiments.record.reading import Record
    from experiments.scenario import Scenario

FEW_POLLS = 1500
"""Up to so many polls, each is drawn by itself instead of percentiles over time."""

MOST_STEPS = 120
"""Steps of time in which polls are counted."""

MOST_ROWS, MOST_COLUMNS = 150, 100
"""Cells of the map of devices."""


class Page:
    """Everything that is shown of one record."""

    def __init__(self, record: Record, scenario: Scenario | None = None) -> None:
        """Opens a page.

        Args:
            record: a run, finished or not.
            scenario: what is asked now; None for what the record answers. They differ where `run_dir` names an earlier
                run: it then is shown as such, and held to the service level of now if there is one.
        """
        self.record = record
        self._scenario = scenario or record.scenario

    # -- what it comes to ------------------------------------------------------------------------

    def verdict(self) -> Markup:
        """The answer, the two judgements, and what must be known besides."""
        facts, scenario = self.record.facts, self.record.scenario
        said = self._stamps() + judgement.found(self.summary["verdict"])
        said += comparison.sentences(self.summary) + figures.sentences(self.summary)
        said += connections.sentences(self.summary, facts, self._interval_s) + limits.sentences(self.summary)
        said += database.sentences(facts.get("database"), scenario)
        died = facts.get("server", {}).get("died")
        lost = answers.Lost.of(self.summary).polls
        own = wrong_answers.own_words(self.record, opened=bool(died)) if died or lost else Markup("")
        return top.of_run(self.answer, said, own)

    @cached_property
    def answer(self) -> answers.Answer:
        """What the run comes to, in words."""
        return answers.answer(self.record, self.summary)

    def checks(self) -> Markup:
        """What the verdict rests on."""
        return judgement.checks(self.summary["verdict"])

    def asked(self) -> Markup:
        """What was asked, and the load that it makes."""
        record = self.record
        calibration = record.started.get("environment", {}).get("calibration") or {}
        return of_record(record, question.advice(record.scenario, record.plan, calibration.get("carries") or {}))

    def headline(self) -> Markup:
        """Counts and times of every endpoint, and what the first wrong answers looked like."""
        return figures.headline(self.summary) + wrong_answers.first(self.record.facts, self.record.endpoints)

    def duet(self) -> Markup:
        """The servers that were polled beside the run's own, held against it."""
        return comparison.duet(self.summary)

    def service_level(self) -> Markup:
        """The limits that were asked for, and whether they are kept."""
        return levels.levels(self.summary)

    def costs(self) -> Markup:
        """What the server and the generator used."""
        return figures.costs(self.summary)

    def changes(self) -> Markup:
        """What changed since the run or sweep that `compare_to` names."""
        if self._comparison is None:
            if self._scenario.compare_to == LATEST:
                return nothing("No earlier run beside this one asked the same on the same machine and may be believed.")
            return nothing("compare_to names no earlier run, so there is nothing to compare with.")
        return differences.changes(self._comparison, self._compare_to, self._scenario.margin_pct)

    def clients(self) -> SortableTable | Markup:
        """Every device and endpoint, to sort and to filter."""
        by_client = self._evidence.digest.by_client
        return clients_table(by_client.table(), by_client.off_by)

    def provenance(self) -> Markup:
        """Where the figures come from."""
        return sources.provenance(self.record)

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        margin_pct = self._scenario.margin_pct
        return Shown(run_result.result(self.record, self.summary, self._comparison, self._compare_to, margin_pct))

    def enforce(self) -> None:
        """With `strict`, fails the notebook if the run deserves it; to be called after everything is shown.

        Raises:
            VerdictError: `strict`, and the verdict is invalid, the service level is missed, or a figure is worse than in
                `compare_to` by more than the margin.
        """
        if not self._scenario.strict:
            return
        level = self.summary["service_level"]
        if self.summary["verdict"]["status"] == "invalid":
            raise VerdictError(f"strict: the run is invalid. {judgement.reason(self.summary['verdict'])}")
        if level["asked"] and level["met"] is not True:
            raise VerdictError(f"strict: {levels.sentence(level, self.record.endpoints)}")
        if self._comparison is not None:
            differences.enforce(self._comparison, self._compare_to, self._scenario.margin_pct)

    # -- charts ----------------------------------------------------------------------------------

    def response_over_time(self) -> Chart | Markup:
        """How long devices waited, over the window."""
        from experiments.present.charts import response

        chart = None
        if self._evidence.planned > FEW_POLLS:
            courses = self._courses
            chart = response.over_time(
                courses.responses,
                self._window_s,
                self._bins_s,
                self.record.endpoints,
                limits=self._limits_ms,
                lag=courses.lag,
                lag_bin_s=self._lag_bin_s,
                off_by=courses.off_by,
            )
        chart = chart or response.each_poll(self._courses.first_polls, self._window_s)
        return self._dated(chart) or note("No poll was answered or waited for, so there are no times to draw.")

    def duet_over_time(self) -> Chart | Markup:
        """The same in each piece of the run."""
        from experiments.present.duets import chart as drawn

        told = self.summary.get("duets") or []
        found = pieces.pieces(self.record, arrange(self.record)) if told else None
        series = [] if found is None else [(one, duets.cpu_series(found, place)) for place, one in enumerate(told, 1)]
        chart = drawn.over_time(series, self._window_s)
        few = "No piece of the run has both servers' costs, so there is no ratio to draw."
        return self._dated(chart) or (note(few) if told else nothing("One server was polled, so there is no ratio to draw."))

    def percentiles(self) -> Chart | Markup:
        """How long the slowest polls took."""
        from experiments.present.charts import percentiles

        curves = {
            (endpoint, kind): latency.curve(self._evidence.digest.times[endpoint, kind])
            for endpoint in self._endpoints
            for kind in KINDS
        }
        few = "Too few polls for a curve of percentiles: each of its points needs ten polls beyond it."
        return percentiles.percentile_curve(curves, self.record.endpoints, limits=self._limits_ms) or note(few)

    def outcomes_over_time(self) -> Chart | Markup:
        """Polls answered and failed, against what was planned."""
        from experiments.present.charts import outcomes

        courses = self._courses
        chart = outcomes.over_time(courses.outcomes, courses.planned, self._window_s, self._step_s)
        return self._dated(chart) or note("No poll was due in the measured window.")

    def server_over_time(self) -> Chart | Markup:
        """What the run cost the server."""
        from experiments.present.charts import resources as drawn

        environment = self.record.facts.get("environment", {})
        may_use = self.record.facts.get("server", {}).get("may_use") or {}
        cores = may_use.get("cores") or environment.get("cores_usable", environment.get("cores"))
        chart = drawn.server(self._usage, self._window_s, cores)
        unseen = self.record.facts.get("server", {}).get("unseen")
        why = unseen or "the server is not on this machine, or the run ended first"
        return self._dated(chart) or note(f"No use of resources was recorded: {why}.")

    def generator_over_time(self) -> Chart | Markup:
        """Whether the generator kept up."""
        from experiments.present.charts import generator

        host = resources.host(self.record)
        chart = generator.over_time(self._courses.lag, self._usage, host, self._window_s, self._lag_bin_s)
        return self._dated(chart) or note("Nothing is known of the generator: no poll was sent and no sample was taken.")

    def device_map(self) -> Chart | Markup:
        """Which devices waited, and when."""
        from experiments.present.charts import heatmap

        chart = heatmap.slowest(self._courses.slowest, self._window_s, self._map_step_s)
        return self._dated(chart) or note("No poll was answered or waited for, so there is no map of devices.")

    # -- tables, made once -----------------------------------------------------------------------

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The stored summary, or one made now: where there is none, or one of another version, or files are damaged."""
        made = self._made_summary
        now = made["service_level"]
        if self._scenario is not self.record.scenario:
            now = summary.judged(self._evidence, self._scenario)
        return made | {"service_level": now} if now["asked"] else made

    @cached_property
    def _made_summary(self) -> dict[str, Any]:
        return summary.current(self.record)

    @cached_property
    def _comparison(self) -> Comparison | None:
        return compare(self._before, [self.record]) if self._before else None

    @cached_property
    def _before(self) -> list[Record]:
        """The runs that `compare_to` names; of `latest` the newest earlier one that asks the same here, if there is one."""
        place = self._scenario.compare_to
        if place != LATEST:
            return collect(place) if place else []
        found = latest_before(self.record)
        return [found] if found else []

    @property
    def _compare_to(self) -> str:
        """What `compare_to` names, by its own name."""
        place = self._scenario.compare_to
        return self._before[0].run_id if place == LATEST and self._before else place

    @cached_property
    def _evidence(self) -> Evidence:
        """Of the first server, where there are several."""
        return Evidence(self.record).each[0]

    @cached_property
    def _courses(self) -> Courses:
        """What is drawn over time, gathered in one pass."""
        return courses(
            self._evidence,
            Steps(self._bins_s, self._lag_bin_s, self._step_s, self._map_step_s, MOST_ROWS, FEW_POLLS),
        )

    @cached_property
    def _usage(self) -> pl.DataFrame:
        found = resources.usage(self.record)
        return found.filter((pl.col("group") != "server") | (pl.col("instance") == 0))

    def _dated(self, chart: Chart | None) -> Chart | None:
        """A chart over time that says when its time began, to be found again in the logs of others."""
        began = self.record.facts.get("window_started_at")
        return chart and (chart.noting(f"0 on the time axis is {moment(str(began))}.") if began else chart)

    @property
    def _limits_ms(self) -> dict[str, float]:
        """Endpoint -> what was asked of its response p99, in ms; 0 for nothing."""
        target = of_run.target(self.record)
        asked = service_level.levels(self._scenario, self.record.endpoints, target)
        return {name: level.p99_ms for name, level in asked.items()}

    @property
    def _interval_s(self) -> float:
        """The shortest interval in which a device polls."""
        return of_run.interval_s(self.record)

    @property
    def _window_s(self) -> float:
        return self.record.window_s

    @property
    def _step_s(self) -> float:
        """Length of a bin in which polls are counted: two rounds or more, so that the count is even."""
        at_least = max(self._window_s / MOST_STEPS, 2 * self._interval_s)
        return step_of(self._window_s, at_least)

    @property
    def _map_step_s(self) -> float:
        """Length of a column of the map of devices."""
        return step_of(self._window_s, max(self._interval_s, self._window_s / MOST_COLUMNS))

    @cached_property
    def _bins_s(self) -> dict[str, float]:
        """Endpoint -> length of a bin of its percentiles."""
        planned = {name: self.summary["endpoints"][name]["planned"] for name in self._endpoints}
        return {name: timeline.choose_bin(self._window_s, [count]) for name, count in planned.items()}

    @property
    def _lag_bin_s(self) -> float:
        return min(self._bins_s.values(), default=1.0)

    @property
    def _endpoints(self) -> list[str]:
        """The endpoints that were polled, in the target's order."""
        return [name for name, one in self.summary["endpoints"].items() if one.get("planned")]

    def _stamps(self) -> list[str]:
        """What must be known before any figure is read."""
        record = self.record
        said = [f"This run is not complete: {sentence}." for sentence in record.missing]
        if record.plan.systems > 1:
            said.append(
                f"{plural(record.plan.systems, 'server')} were polled by one swarm: {', '.join(record.scenario.names)}. "
                "What is not said to be of another is that of the first."
            )
        if self._scenario.run_dir:
            said.append(
                f"Shown from the record of run {record.run_id}, begun {record.started.get('started_at')}; "
                "nothing was measured now."
            )
        if record.scenario.pacing == "after":
            said.append(
                "Closed loop: each device waits an interval after every answer, so a slow server is asked less "
                "often, and delay hides itself. Compare such a run only with its like."
            )
        return said
