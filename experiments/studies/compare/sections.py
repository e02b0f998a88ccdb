"""What the cells of `compare.ipynb` show once everything is measured: each method is one cell of the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.errors import VerdictError
from experiments.present import subject, top
from experiments.present.chart import Chart
from experiments.present.charts.studies import compare as charts
from experiments.present.charts.studies import three_clients as client_charts
from experiments.present.format import count, number, percent, plural
from experiments.present.html import Markup, caption, element, note
from experiments.present.result.shown import Shown
from experiments.present.tables import provenance as sources
from experiments.present.tables.studies import compare as tables
from experiments.present.tables.studies import three_clients as client_tables
from experiments.scenario import Scenario
from experiments.studies.capacity.evidence import limit
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Outcome
from experiments.studies.compare import capacities, error_rate, ranking, rows
from experiments.studies.compare import result as compare_result
from experiments.studies.compare import text as words
from experiments.studies.compare.params import FALCON, Series
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.three_clients import clients
from experiments.target.hello import NAME as HELLO

_FAIRNESS = (
    *("system", "version", "beside {}", "loop", "HTTP parser", "workers", "threads", "keep-alive"),
    "what is not equal",
)
_HOW = ("system", "how it reads and writes rows", "command")


@dataclass(frozen=True)
class Pieces:
    """Several charts and tables below one another."""

    shown: Sequence[Chart | Markup]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for piece in self.shown:
            display(piece)  # type: ignore[no-untyped-call]


class ComparePage:
    """Everything that is shown of one comparison."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def answer(self) -> Markup:
        """The answer in three sentences, and what must be known before any figure is read."""
        notes = [words.itself(self.comparison, one) for one in self.comparison.asked.series]
        if suspect := sum(run.suspect for run in self.comparison.runs):
            notes.append(f"{count(suspect)} of {plural(len(self.comparison.runs), 'run')} are suspect, and count.")
        if self.comparison.left_out:
            notes.append(self.comparison.left_out)
        records = [run.outcome.record for run in self.comparison.runs if run.outcome.record is not None]
        answer, *more = words.answer(self.comparison)
        return top.top(
            words.head(self.comparison),
            [words.where(self.comparison, self.comparison.asked.first), *subject.of_many(records, "run")[-1:]],
            answer,
            words.level(self.comparison),
            words.measurement(self.comparison),
            said=[*more, *notes],
        )

    @property
    def _beside(self) -> str:
        """What people call the one that all are held against."""
        return words.called(self.comparison.asked.reference)

    def ratios(self) -> Pieces:
        """A chart a series: CPU per request beside that of what all are held against."""
        return Pieces([self._ratios(one) for one in self.comparison.asked.series])

    def _ratios(self, series: Series) -> Chart | Markup:
        found, asked = ranking.found(self.comparison, series), self.comparison.asked
        # The least on top: a chart's first category is at its bottom.
        drawn = [rows.ratio(one, asked.reference) for one in reversed(found)]
        where = words.where(self.comparison, series)
        over = "the pieces of a run in which both were polled" if asked.in_duets(series) else "the blocks"
        chart = charts.ratios(drawn, load=series.title, where=where, beside=self._beside, over=over)
        if chart is None:
            return note(f"{where}: no two systems were measured together, so there is no ratio to draw.")
        return chart

    def table(self) -> Markup:
        """A ranking a series, with every measure; systems without figures below it."""
        shown = Markup("")
        for one in self.comparison.asked.series:
            where, ranks = words.where(self.comparison, one), rows.ranking(self.comparison, one)
            measures = ranking.measures(ranking.figures(self.comparison, one))
            known = [measure for measure in measures if any(row["measures"][measure.title] for row in ranks)]
            units = {measure.title: measure.unit for measure in known}
            made = tables.ranking(ranks, rows.missing(self.comparison, one), units, where=where, beside=self._beside)
            shown += element("h3", where) + made
        asked = self.comparison.asked
        in_duets = [asked.in_duets(one) for one in asked.series]
        said = [text for text, there in ((ranking.OF_DUETS, any(in_duets)), (ranking.RANKING, not all(in_duets))) if there]
        return shown + caption(" ".join(said))

    def times(self) -> Pieces:
        """A chart a series: response at equal load."""
        shown: list[Chart | Markup] = []
        for one in self.comparison.asked.series:
            where = words.where(self.comparison, one)
            of = rows.first_endpoint(self.comparison, one)
            none = note(f"{where}: too few polls for a percentile of {of}, or no run counts.")
            shown.append(charts.times(rows.times(self.comparison, one), of=of, load=one.title, where=where) or none)
        return Pieces(shown)

    def costs(self) -> Markup:
        """Memory, start-up and lines."""
        more = self.comparison.asked.own.memory_clients
        held = f"what a run with {count(more)} devices held more than those, all workers together, one run each"
        return tables.costs(rows.costs(self.comparison)) + caption(
            f"Medians of the runs at {self.comparison.asked.first.title}; per 1,000 connections: "
            f"{held if more else 'not measured, memory_clients is 0'}. "
            "Lines are of the whole application, the database workload included where it has one."
        )

    def capacity(self) -> Markup:
        """Capacity of the systems that were searched."""
        if not self.comparison.asked.of_hello:
            return note("Capacity of a target is searched by capacity.ipynb, within the service level that its file says.")
        if not self.comparison.capacities:
            return note("No capacity was searched: capacity_systems names no system, or the time did not allow it.")
        made = [[words.title(name), *_capacity(search)] for name, search in self.comparison.capacities.items()]
        head = ["system", "devices held", "how the search ended", "what was at its limit", "runs"]
        level = ", ".join(
            f"response p99 of {name} up to {number(limit_ms)} ms"
            for name, limit_ms in capacities.levels_ms(self.comparison.asked).items()
        )
        said = (
            f"Within {level} and {number(capacities.FAILURE_PCT)} % of failed polls. A single search each: the edge of one "
        )
        said += "search may move by a step or more in another."
        return tables.plain(head, made, label="capacities", numbers={1, 4}, wide={3}) + caption(said)

    def serial(self) -> Chart | Markup:
        """Whether requests that wait for a database wait for one another."""
        found = rows.serial(self.comparison)
        chart = charts.serial(found, devices=max((len(row["times"]) for row in found), default=0))
        if chart is None:
            return note("It was not shown whether requests wait for one another: serial is off, or no such run counts.")
        return chart

    def serial_words(self) -> Markup:
        """The same in sentences."""
        shown = Markup("")
        for row in rows.serial(self.comparison):
            if row["times"]:
                first, last = row["times"][0], row["times"][-1]
                why = f" {row['serial']}" if row["serial"] else ""
                said = f"{row['title']}: first answered after {number(first)} ms, last after {number(last)} ms."
                shown += caption(said + why)
        return shown

    def three_clients(self) -> Pieces:
        """What each client reports of one server, what of it was its own, and who counted what."""
        if not self.comparison.clients:
            why = "three_clients is 0" if self.comparison.asked.of_hello else "their question is the article's"
            return Pieces([note(f"The three clients were not asked: {why}.")])
        found = clients(self.comparison.clients)
        chart = client_charts.reported(found) or note("No client has polls to show.")
        runs = [
            _row(outcome, one.name, one.why) for outcome, one in zip(self.comparison.clients.values(), found, strict=True)
        ]
        reports = tables.reports("three clients", runs)
        return Pieces(
            [client_tables.answer(found), chart, client_tables.reported(found), client_tables.counts(found), reports]
        )

    def fairness(self) -> Markup:
        """What was equal, and what was not."""
        base = self.comparison.asked.base
        equal = (
            f"Equal for all: devices and interval, {_asked(base)}, {plural(base.workers, 'worker')} where a system can have "
            f"them, the generator ({base.engine}) and the machine. In a duet both servers were there at the same time, and "
            "the swarm polled them in turns; the order of runs was drawn."
        )
        head = [name.format(self._beside) for name in _FAIRNESS]
        made = tables.plain(head, rows.fairness(self.comparison), label="fairness", numbers={5, 6}, wide={8})
        return made + caption(equal) + tables.plain(_HOW, rows.how(self.comparison), label="rows and commands", wide={1, 2})

    def wrong(self) -> Markup:
        """How often the method is wrong, and how well runs repeat."""
        if not self.comparison.asked.of_hello:
            return caption(" ".join(words.itself(self.comparison, one) for one in self.comparison.asked.series))
        first = self.comparison.asked.first
        pool = ranking.pool(self.comparison.runs, first)
        runs = sum(map(len, pool.values()))
        others = max(1, len([name for name in self.comparison.asked.systems if name != FALCON]))
        few = f"the pool is too small: {plural(runs, 'run')} of Falcon; {error_rate.FEWEST_RUNS} in 5 blocks are needed"
        said = [
            (
                "Falcon called different from itself, its runs split anew",
                words.rate(error_rate.resplit(pool), few),
                "about 5 %",
            ),
            *(
                (
                    f"intervals that miss the truth, made-up data ({data})",
                    words.rate(error_rate.missed_truth(data), ""),
                    "about 5 %",
                )
                for data in error_rate.DATA
            ),
            *(
                (
                    f"any of {count(others)} equal systems called different, made-up data ({data}), after Holm",
                    words.rate(error_rate.false_claims(others, data), ""),
                    "at most about 5 %",
                )
                for data in error_rate.DATA
            ),
        ]
        spread = [
            (title, count(number_), "–" if part is None else percent(part, 1.0))
            for title, number_, part in rows.spreads(self.comparison, first)
        ]
        shown = tables.plain(["how often is it wrong?", "measured", "promised"], said, label="error rate", wide={1})
        shown += caption(error_rate.MADE_UP)
        if spread:
            head = ["CPU per request", "runs", "spread over the blocks (coefficient of variation)"]
            shown += tables.plain(head, spread, label="spread of CPU per request", numbers={1, 2})
        return shown

    def systems(self) -> Markup:
        """A part a system: what became of it, its runs and their reports, the end of its server's log."""
        shown = Markup("")
        for name in self.comparison.asked.systems:
            runs = [_row(run.outcome, run.role, run.why, run.block) for run in rows.runs_of(self.comparison, name)]
            states = [(one.title, *rows.state_of(self.comparison, name, one)) for one in self.comparison.asked.series]
            said = "; ".join(f"{title}: {state}" + (f" ({why})" if why else "") for title, state, why in states)
            shown += tables.part(words.title(name), said, runs, rows.log_tail(self.comparison, name))
        return shown

    def provenance(self) -> Markup:
        """Where the figures come from: the facts of the first run; each run's own report has its own."""
        records = [run.outcome.record for run in self.comparison.runs if run.outcome.record is not None]
        if not records:
            return note("No run was measured.")
        first = records[0]
        return caption(f"Of the run {first.run_id}; each run's own report has its own.") + sources.provenance(first)

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        return Shown(compare_result.result(self.comparison.folder.name, self.comparison, unmet(self.comparison)))

    def enforce(self) -> None:
        """Fails, if that was asked for, where the comparison is not whole or Falcon differs from itself.

        Raises:
            VerdictError: says why.
        """
        if self.comparison.asked.own.strict and (reasons := unmet(self.comparison)):
            raise VerdictError(" ".join(reasons))


def unmet(comparison: Comparison) -> list[str]:
    """Why a comparison should not be relied on; empty if it may be."""
    reasons = [comparison.left_out] if comparison.left_out else []
    for series in comparison.asked.series:
        runs = [run for run in comparison.runs if run.series == series]
        without = {run.system for run in runs} - {run.system for run in runs if run.counts}
        reasons += [f"{series.title}: {name} has no run that counts." for name in sorted(without)]
        found = ranking.found(comparison, series)
        if any(one.name == ranking.AGAIN and one.kind in ("more", "less") for one in found):
            reasons.append(f"{series.title}: {words.title(comparison.asked.reference)} differs from itself.")
    return reasons


def _asked(base: Scenario) -> str:
    if base.target != HELLO:
        return "endpoints, shares and checks of the target"
    return f"bodies of {count(base.status_bytes)} and {count(base.bulk_bytes)} bytes"


def _capacity(search: Search) -> list[str]:
    finding = search.finding
    if finding is None:
        return ["–", "the time was up before the edge was found", "–", count(len(search.runs))]
    seen = search.at_limit()
    at_limit = limit(seen) if seen else "cannot be told"
    return [count(finding.clients), finding.how, at_limit, count(len(search.runs))]


def _row(outcome: Outcome, role: str, why: str, block: int = 1) -> dict[str, object]:
    return {
        "name": outcome.cell.name,
        "role": role,
        "block": block,
        "verdict": outcome.verdict or outcome.status,
        "why": why,
        "report": outcome.link,
    }
