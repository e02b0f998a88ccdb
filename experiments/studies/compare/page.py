"""What the cells of `compare.ipynb` show once everything is measured: each function is one cell of the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.predict.cell import read
from experiments.present.chart import Chart
from experiments.present.charts import compare as charts
from experiments.present.charts import three_clients as client_charts
from experiments.present.markup import Markup, caption, element, note
from experiments.present.tables import compare as tables
from experiments.present.tables import provenance as sources
from experiments.present.tables import three_clients as client_tables
from experiments.present.words import count, number, percent, plural
from experiments.studies.capacity.evidence import limit
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Outcome
from experiments.studies.compare import error_rate, ranking, rows
from experiments.studies.compare import text as words
from experiments.studies.compare.params import FALCON, Series
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.statistics import FEWEST_BLOCKS
from experiments.studies.compare.three_clients import clients

_FAIRNESS = (
    "system",
    "version",
    "beside Falcon",
    "loop",
    "HTTP parser",
    "workers",
    "threads",
    "keep-alive",
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


def answer(comparison: Comparison) -> Markup:
    """The answer in three sentences, and what must be known before any figure is read."""
    notes = [words.itself(comparison, one) for one in comparison.asked.series]
    if suspect := sum(run.suspect for run in comparison.runs):
        notes.append(f"{count(suspect)} of {plural(len(comparison.runs), 'run')} are suspect, and count.")
    if comparison.left_out:
        notes.append(comparison.left_out)
    found = ranking.by_block(comparison.runs, comparison.asked.first).get(FALCON, {})
    css = "lab-invalid" if not found else "lab-suspect" if len(found) < FEWEST_BLOCKS else "lab-valid"
    return tables.answer(words.headline(len(found)), words.answer(comparison), notes, css=css)


def ratios(comparison: Comparison) -> Pieces:
    """A chart a series: CPU per request beside Falcon's."""
    return Pieces([_ratios(comparison, one) for one in comparison.asked.series])


def _ratios(comparison: Comparison, series: Series) -> Chart | Markup:
    found = ranking.ranked(ranking.by_block(comparison.runs, series))
    # The least on top: a chart's first category is at its bottom.
    drawn = [rows.ratio(one) for one in reversed(found)]
    where = words.where(comparison, series)
    chart = charts.ratios(drawn, load=series.title, where=where)
    if chart is None:
        return note(f"{where}: no two systems have a block in common, so there is no ratio to draw.")
    return chart


def table(comparison: Comparison) -> Markup:
    """A ranking a series, with every measure; systems without figures below it."""
    shown = Markup("")
    for one in comparison.asked.series:
        where, ranks = words.where(comparison, one), rows.ranking(comparison, one)
        known = [measure for measure in ranking.MEASURES if any(row["measures"][measure.title] for row in ranks)]
        units = {measure.title: measure.unit for measure in known}
        made = tables.ranking(ranks, rows.missing(comparison, one), units, where=where)
        shown += element("h3", where) + made
    return shown + caption(
        "Values are medians over the blocks; below each its ratio to Falcon, geometric mean of the runs paired by block, "
        "with the 95 % t-interval. Falcon's value in a block is the geometric mean of all its runs there. More or less is "
        "claimed at 5 % after Holm's correction over all systems of a column; "
        f"with fewer than {FEWEST_BLOCKS} blocks a ratio is provisional and has no interval. Falcon against itself stands "
        "outside that family, and is decided alone."
    )


def times(comparison: Comparison) -> Pieces:
    """A chart a series: response at equal load."""
    shown: list[Chart | Markup] = []
    for one in comparison.asked.series:
        where = words.where(comparison, one)
        none = note(f"{where}: too few polls for a percentile of A, or no run counts.")
        shown.append(charts.times(rows.times(comparison, one), load=one.title, where=where) or none)
    return Pieces(shown)


def costs(comparison: Comparison) -> Markup:
    """Memory, start-up and lines."""
    more = comparison.asked.own.memory_clients
    held = f"what a run with {count(more)} devices held more than those, all workers together, one run each"
    return tables.costs(rows.costs(comparison)) + caption(
        f"Medians of the runs at {comparison.asked.first.title}; per 1,000 connections: "
        f"{held if more else 'not measured, memory_clients is 0'}. "
        "Lines are of the whole application, the database workload included where it has one."
    )


def capacities(comparison: Comparison) -> Markup:
    """Capacity of the systems that were searched."""
    if not comparison.capacities:
        return note("No capacity was searched: capacity_systems names no system, or the time did not allow it.")
    made = [[words.title(name), *_capacity(search)] for name, search in comparison.capacities.items()]
    head = ["system", "devices held", "how the search ended", "what was at its limit", "runs"]
    said = "A single search each: the edge of one search may move by a step or more in another."
    return tables.plain(head, made, label="capacities", numbers={1, 4}, wide={3}) + caption(said)


def _capacity(search: Search) -> list[str]:
    finding = search.finding
    if finding is None:
        return ["–", "the time was up before the edge was found", "–", count(len(search.runs))]
    return [count(finding.clients), finding.how, _limit(search), count(len(search.runs))]


def _limit(search: Search) -> str:
    """What was at its limit in the middle one of the runs that missed next above the answer."""
    above = search.finding.above if search.finding else None
    missed = [run.outcome for run in search.at(above or 0) if run.shows.shown == "missed" and run.outcome.believed]
    seen = [found for one in missed if one.record is not None and (found := read(one.record)) is not None]
    seen.sort(key=lambda one: one.load)
    return limit(seen[len(seen) // 2]) if seen else "cannot be told"


def serial(comparison: Comparison) -> Chart | Markup:
    """Whether requests that wait for a database wait for one another."""
    found = rows.serial(comparison)
    chart = charts.serial(found, devices=max((len(row["times"]) for row in found), default=0))
    if chart is None:
        return note("It was not shown whether requests wait for one another: serial is off, or no such run counts.")
    return chart


def serial_words(comparison: Comparison) -> Markup:
    """The same in sentences."""
    shown = Markup("")
    for row in rows.serial(comparison):
        if row["times"]:
            first, last = row["times"][0], row["times"][-1]
            why = f" {row['serial']}" if row["serial"] else ""
            shown += caption(f"{row['title']}: first answered after {number(first)} ms, last after {number(last)} ms.{why}")
    return shown


def three_clients(comparison: Comparison) -> Pieces:
    """What each client reports of one server, what of it was its own, and who counted what."""
    if not comparison.clients:
        return Pieces([note("The three clients were not asked: three_clients is 0.")])
    found = clients(comparison.clients)
    chart = client_charts.reported(found) or note("No client has polls to show.")
    runs = [_row(outcome, one.name, one.why) for outcome, one in zip(comparison.clients.values(), found, strict=True)]
    reports = tables.reports("three clients", runs)
    return Pieces([client_tables.answer(found), chart, client_tables.reported(found), client_tables.counts(found), reports])


def fairness(comparison: Comparison) -> Markup:
    """What was equal, and what was not."""
    base = comparison.asked.base
    equal = (
        f"Equal for all: devices and interval, phases within a block, bodies of {count(base.status_bytes)} and "
        f"{count(base.bulk_bytes)} bytes, {plural(base.workers, 'worker')} where a system can have them, the generator "
        f"({base.engine}), the machine, and the order, drawn anew in each block."
    )
    made = tables.plain(_FAIRNESS, rows.fairness(comparison), label="fairness", numbers={5, 6}, wide={8})
    return made + caption(equal) + tables.plain(_HOW, rows.how(comparison), label="rows and commands", wide={1, 2})


def wrong(comparison: Comparison) -> Markup:
    """How often the method is wrong, and how well runs repeat."""
    first = comparison.asked.first
    pool = ranking.pool(comparison.runs, first)
    runs = sum(map(len, pool.values()))
    others = max(1, len([name for name in comparison.asked.systems if name != FALCON]))
    few = f"the pool is too small: {plural(runs, 'run')} of Falcon; {error_rate.FEWEST_RUNS} in 5 blocks are needed"
    said = [
        ("Falcon called different from itself, its runs split anew", words.rate(error_rate.resplit(pool), few), "about 5 %"),
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
        for title, number_, part in rows.spreads(comparison, first)
    ]
    shown = tables.plain(["how often is it wrong?", "measured", "promised"], said, label="error rate", wide={1})
    shown += caption(
        "Made-up data: normal is what the interval assumes; with heavy tails one run in 65 is off by more than five times "
        "the usual; drifting is a machine that gets 10 % slower over a block, in which the order of runs is drawn."
    )
    if spread:
        head = ["CPU a request", "runs", "spread over the blocks (coefficient of variation)"]
        shown += tables.plain(head, spread, label="spread of CPU a request", numbers={1, 2})
    return shown


def systems(comparison: Comparison) -> Markup:
    """A part a system: what became of it, its runs and their reports, the end of its server's log."""
    shown = Markup("")
    for name in comparison.asked.systems:
        runs = [_row(run.outcome, run.role, run.why, run.block) for run in rows.runs_of(comparison, name)]
        states = [(one.title, *rows.state_of(comparison, name, one)) for one in comparison.asked.series]
        said = "; ".join(f"{title}: {state}" + (f" ({why})" if why else "") for title, state, why in states)
        shown += tables.part(words.title(name), said, runs, rows.log_tail(comparison, name))
    return shown


def _row(outcome: Outcome, role: str, why: str, block: int = 1) -> dict[str, object]:
    return {
        "name": outcome.cell.name,
        "role": role,
        "block": block,
        "verdict": outcome.verdict or outcome.status,
        "why": why,
        "report": rows.report(outcome),
    }


def provenance(comparison: Comparison) -> Markup:
    """Where the figures come from: the facts of the first run; each run's own report has its own."""
    records = [run.outcome.record for run in comparison.runs if run.outcome.record is not None]
    if not records:
        return note("No run was measured.")
    first = records[0]
    return caption(f"Of the run {first.run_id}; each run's own report has its own.") + sources.provenance(first)
