"""What the cells of `capacity.ipynb` show: each method is one cell, and its value is what the cell displays.

Measuring methods come in the order in which the notebook calls them, so that what is foretold stands before it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from experiments.analyse.targets.naming import titles
from experiments.errors import VerdictError
from experiments.predict import forecast
from experiments.predict.cell import Cell as Figures
from experiments.predict.cell import cannot
from experiments.predict.forecast import Model
from experiments.present import subject, top
from experiments.present.chart import Chart
from experiments.present.charts.studies import capacity as charts
from experiments.present.html import Markup, caption, note, nothing
from experiments.present.live.run import to_log
from experiments.present.result.shown import Shown
from experiments.present.tables import changes as differences
from experiments.present.tables import scenario as question
from experiments.present.tables.studies import capacity as tables
from experiments.studies.capacity import earlier, extrapolation, rows
from experiments.studies.capacity import result as capacity_result
from experiments.studies.capacity import text as words
from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.progress import StageT, measured
from experiments.studies.capacity.search import Finding
from experiments.studies.capacity.strategy import ClosedLoop, Light, Repeats, Run, Search
from experiments.studies.facade import Facade
from experiments.studies.study import CellStudy

_HELD_OUT = 0.7
"""Part of the foretold capacity at which the held-out cell is measured."""
_HELD_OUT_RUNS = 3
_CURVE = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05)
"""Parts of the foretold capacity at which response is foretold for the chart."""
_CAPACITY_TARGET_PCT = 15.0


class Capacity(Facade[Asked]):
    """One capacity search, from the question to the extrapolation."""

    asks = Asked

    def __init__(self, study: CellStudy[Asked], say: Callable[[str], None] = to_log) -> None:
        super().__init__(study)
        self._say = say
        self._light: dict[int, list[Run]] = {}
        self._models: dict[int, Model | None] = {}
        self._foretold: dict[int, int] = {}
        self._searches: dict[int, Search] = {}
        self._closed: list[tuple[int, float]] = []

    # -- the question ------------------------------------------------------------------------------

    def asked(self) -> Markup:
        """What is searched for, how, and how long that may take."""
        shown = tables.facts(words.question(self.study), label="the search")
        return shown + question.parameters(self._asked.base.model_dump())

    @property
    def _asked(self) -> Asked:
        return self.study.asked

    def _measured(self, stage: StageT) -> StageT:
        return measured(self.study, stage, self._say)

    # -- foretold ----------------------------------------------------------------------------------

    def light(self) -> Markup:
        """Measures the light cells, if anything can be foretold from them."""
        if self._cannot:
            return note(self._cannot)
        for workers in self._asked.workers:
            self._light[workers] = self._measured(Light(self._asked, workers)).runs
            self._models[workers] = forecast.learn(_figures(self._light[workers]))
        return tables.cells(self._cells([run for runs in self._light.values() for run in runs]), label="light cells")

    def model(self) -> Markup:
        """What the light cells say of the server and the generator."""
        if self._cannot:
            return note(self._cannot)
        pairs = [pair for workers, model in self._models.items() for pair in words.model(workers, model)]
        return tables.facts(pairs, label="what the light cells tell") + _assumptions(forecast.ASSUMPTIONS)

    def foretell(self) -> Markup:
        """The capacity that follows, before it is looked for."""
        if self._cannot:
            return note(self._cannot)
        for workers, model in self._models.items():
            if model is not None:
                self._foretold[workers] = self._edge(model, workers)
        pairs = [
            pair
            for workers, model in self._models.items()
            for pair in words.foretold(self._asked, workers, model, self._foretold.get(workers))
        ]
        return tables.facts(pairs, label="capacity foretold")

    def _edge(self, model: Model, workers: int) -> int:
        rules, scenario = self._asked.rules, self._asked.at(1, workers)
        return forecast.capacity(model, scenario, smallest=rules.smallest, most=rules.largest)

    def held_out(self) -> Markup:
        """Foretells a load at 70 % of the capacity, then measures it."""
        workers = self._asked.workers[0]
        model, edge = self._models.get(workers), self._foretold.get(workers, 0)
        if model is None or not edge:
            return note("Nothing was foretold, so there is nothing to hold out.")
        clients = round(_HELD_OUT * edge)
        found = forecast.forecast(model, self._asked.at(clients, workers), _HELD_OUT_RUNS)
        number = min(_HELD_OUT_RUNS, self._asked.rules.confirmations)
        measured = self._measured(Repeats(self._asked, workers, clients, number)).runs
        summaries = [run.outcome.summary for run in measured if run.outcome.summary is not None and run.outcome.believed]
        if not summaries:
            return note(f"The cell with {clients:,} devices gave no evidence, so nothing can be held against it.")
        table = tables.held_against(rows.held_out(found, summaries, titles(found.response_s)), label="held-out cell")
        listed = tables.cells(self._cells(measured), label="runs of the held-out cell")
        return table + caption(f"Foretold before it was measured: {clients:,} devices, {len(summaries)} runs.") + listed

    # -- searched ----------------------------------------------------------------------------------

    def search(self) -> Markup:
        """Searches the edge for every number of workers, as far as the time allows."""
        for workers in self._asked.workers:
            self._searches[workers] = self._measured(Search(self._asked, workers))
        if not self.study.shown:
            earlier.keep(self.study.folder.path, self._found)
        return self.answer()

    def answer(self) -> Markup:
        """What the search comes to, in sentences."""
        first, *others = self._searches.values()
        more = [sentence for search in others for sentence in (words.answer(search)[0], *words.answer(search)[1])]
        headline, sentences = words.answer(first)
        records = [run.outcome.record for run in first.runs if run.outcome.record is not None]
        return top.top(
            words.title(subject.servers(records), first),
            subject.of_many(records, "run of the search"),
            headline,
            words.level(first),
            words.measurement(first),
            said=[*sentences, *more],
        )

    def levels(self) -> Markup:
        """Every load of the search."""
        shown = Markup("")
        for search in self._searches.values():
            shown += caption(words.workers(search.workers)) + tables.levels(rows.levels(search), self._names)
        return shown

    def edge(self) -> Chart | Markup:
        """The chart of the first number of workers: response over devices, foretold and measured."""
        workers = self._asked.workers[0]
        search, model = self._searches[workers], self._models.get(workers)
        curve = self._curve(model, workers) if model is not None else []
        limits = {name: level.p99_ms for name, level in self._asked.levels.items()}
        found = search.finding.clients if search.finding else None
        runs = [rows.point(run) for run in search.runs]
        return charts.edge(runs, limits, curve, found, workers) or note("No cell of the search has a p99 to show.")

    def _curve(self, model: Model, workers: int) -> list[dict[str, Any]]:
        edge = self._foretold.get(workers, 0)
        levels = sorted({min(self._asked.rules.largest, max(1, round(part * edge))) for part in _CURVE if edge})
        return [rows.foretold(clients, forecast.forecast(model, self._asked.at(clients, workers))) for clients in levels]

    def miss(self) -> Markup:
        """The capacity foretold beside the one found."""
        made = []
        for workers, search in self._searches.items():
            found = search.finding.clients if search.finding and search.finding.how == "edge" else None
            edge = self._foretold.get(workers) or None
            name = f"devices on {words.workers(workers)}"
            made.append(rows.against(name, edge, [found] if found else [], _CAPACITY_TARGET_PCT))
        loads = [load for model in self._models.values() if model for load in model.loads]
        rested = f"Foretold from cells with at most {100 * max(loads):.0f} % of a core busy." if loads else ""
        return tables.held_against(made, label="capacity foretold and found") + caption(rested)

    # -- laws and fleets ---------------------------------------------------------------------------

    def scalability(self) -> Chart | Markup:
        """Measures the closed-loop cells, if any: throughput over devices that poll again at once."""
        self._closed = extrapolation.throughputs(self._measured(ClosedLoop(self._asked, self._asked.workers[0])).runs)
        return extrapolation.scalability(self._closed) or note(
            "No closed-loop cells were asked for (closed_loop), so there is no law over concurrency."
        )

    def law(self) -> Markup:
        """The law's coefficients, over closed-loop devices and over workers, or why there are none."""
        return extrapolation.law(self._closed, self._found, self._asked.at(1, 1).plan.polls_per_s)

    def fleet(self) -> Markup:
        """What larger fleets take."""
        workers = self._asked.workers[0]
        model = self._models.get(workers)
        if model is None:
            return note("Without light cells nothing can be said of larger fleets.")
        figures = _figures([*self._light[workers], *self._searches[workers].runs])
        return extrapolation.fleets(self._asked.at(1, workers), model, figures)

    def changes(self) -> Markup:
        """What changed since the search that `compare_to` names: the capacity found, and loads that both measured."""
        if not self._compare_to:
            return nothing("compare_to names no earlier search, so there is nothing to compare with.")
        compare_to, margin_pct = self._compare_to, self._asked.own.margin_pct
        made = [
            rows.against(f"devices on {words.workers(workers)}, before and now", before, [now], margin_pct)
            for workers, (before, now) in earlier.both(compare_to, self._found).items()
        ]
        shown = tables.held_against(made, label="capacity before and now") if made else Markup("")
        return shown + differences.changes(earlier.comparison(compare_to, self._runs), compare_to, margin_pct)

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        place, margin_pct = self._compare_to, self._asked.own.margin_pct
        before = earlier.both(place, self._found) if place else {}
        comparison = earlier.comparison(place, self._runs) if place else None
        name = self.study.folder.path.name
        return Shown(capacity_result.result(name, self._searches, before, comparison, place, margin_pct))

    def enforce(self) -> None:
        """With `strict`, fails the notebook if no edge was found or it became worse; to be called after all is shown.

        Raises:
            VerdictError: `strict`, and a search did not end with an edge or with the largest load held, the capacity is
                smaller than that of `compare_to` by more than the margin, or a figure is worse by more.
        """
        own = self._asked.own
        if not own.strict:
            return
        for search in self._searches.values():
            if search.finding is None or search.finding.how not in ("edge", "largest holds"):
                raise VerdictError(f"strict: {words.answer(search)[0]}")
        if self._compare_to:
            earlier.enforce(self._compare_to, self._found, self._runs, own.margin_pct)

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _cannot(self) -> str:
        """Why nothing is foretold; empty where it is."""
        return cannot(self._asked.base.plan)

    @cached_property
    def _compare_to(self) -> str:
        return self.study.compared_with(self._asked.own.compare_to)

    @property
    def _names(self) -> tuple[str, ...]:
        """The endpoints, in the target's order."""
        return self._asked.base.plan.endpoints

    @property
    def _found(self) -> dict[int, Finding]:
        return {workers: one.finding for workers, one in self._searches.items() if one.finding is not None}

    @property
    def _runs(self) -> list[Run]:
        return [*chain(*self._light.values()), *(run for search in self._searches.values() for run in search.runs)]

    def _cells(self, runs: Sequence[Run]) -> list[dict[str, Any]]:
        return [rows.cell(run) for run in runs]


def _figures(runs: Sequence[Run]) -> list[Figures]:
    return [run.figures for run in runs if run.figures is not None]


def _assumptions(sentences: Sequence[str]) -> Markup:
    return caption("Assumed: " + " ".join(sentences))
