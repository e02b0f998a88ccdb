"""What a comparison comes to, in sentences: every number from the runs, and what cannot be claimed is said in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Literal

from experiments.parameters import listed
from experiments.present.answer import Judgement
from experiments.present.format import count, duration, number, percent, plain, plural
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Outcome
from experiments.studies.compare import ranking
from experiments.studies.compare.error_rate import Rate
from experiments.studies.compare.params import FALCON, SYSTEMS, Asked, Series
from experiments.studies.compare.ranking import AGAIN, Standing, figures
from experiments.studies.compare.runs import Comparison, Run
from experiments.studies.compare.statistics import FEWEST_BLOCKS
from experiments.studies.compare.strategy import Course, Estimate
from experiments.studies.text import Pair, folder, goes_on, late

_MOST_NAMES = 4
_ALARMING_PCT = 1.0


def title(name: str) -> str:
    """What people read of a system, or of what all are held against once more."""
    if name == AGAIN:
        return "against itself"
    return SYSTEMS[name].title if name in SYSTEMS else name


def verdict(one: Standing) -> str:
    """What may be said of a system beside Falcon."""
    if one.is_reference:
        return "what all are held against"
    if one.ratio is None or one.kind is None:
        return "not held against it"
    if one.kind == "cannot tell apart":
        return one.kind
    difference = _difference(one.ratio.value)
    return f"provisional: {difference}" if one.kind == "provisional" else difference


def _difference(value: float) -> str:
    if value >= 2:
        return f"{number(value)} times as much"
    off = 100 * (value - 1)
    return "the same" if round(off, 1) == 0 else f"{number(abs(off), 2)} % {'more' if off > 0 else 'less'}"


def headline(comparison: Comparison) -> tuple[str, Literal["valid", "suspect", "invalid"]]:
    """How far the answer may be trusted, in a sentence and in a word."""
    asked = comparison.asked
    reference = title(asked.reference)
    found = figures(comparison, asked.first).get(asked.reference, {})
    if not found:
        return f"There is no answer: {reference} has no run that counts.", "invalid"
    if not asked.in_duets(asked.first):
        return _of_blocks(len(found)), "suspect" if len(found) < FEWEST_BLOCKS else "valid"
    ratios = [one.ratio for one in ranking.found(comparison, asked.first) if one.ratio is not None]
    half = [100 * (math.sqrt(one.high / one.low) - 1) for one in ratios if one.low is not None and one.high is not None]
    if len(half) < len(ratios):
        return "Provisional: a duet has too few pieces for an interval; give duet_minutes more.", "suspect"
    width = f"; half of an interval is {number(median(half), 2)} % in the median" if half else ""
    every = f"Every system at once with {reference}, for {duration(60 * asked.own.duet_minutes)} each{width}."
    return every, "valid"


def _of_blocks(blocks: int) -> str:
    if blocks < FEWEST_BLOCKS:
        return f"Provisional: {plural(blocks, 'block')}, and {FEWEST_BLOCKS} are needed to claim a difference."
    return f"Every system beside Falcon, from {plural(blocks, 'block')} of runs."


def answer(comparison: Comparison) -> list[str]:
    """Three sentences: CPU of the static workload, of the database, and capacity or else memory."""
    if not comparison.asked.of_hello:
        return [*(cpu(comparison, one) for one in comparison.asked.series), _room(comparison)]
    return [_workload(comparison, "static"), _workload(comparison, "database"), _room(comparison)]


def _workload(comparison: Comparison, workload: str) -> str:
    series = [one for one in comparison.asked.series if one.workload == workload]
    if not series:
        return f"The {workload} workload was not asked for."
    # Of several loads the first; of the databases PostgreSQL, which comes last: SQLite stands for none but itself.
    return cpu(comparison, series[-1] if workload == "database" else series[0])


def cpu(comparison: Comparison, series: Series) -> str:
    """CPU per request of what all are held against, and how many need less, more, or cannot be told apart."""
    found = {one.name: one for one in ranking.found(comparison, series)}
    reference = comparison.asked.reference
    load = where(comparison, series)
    load = load[0].upper() + load[1:]
    base = found.get(reference)
    if base is None:
        return f"{load}: {_short(reference)} has no run that counts, so nothing can be held against it."
    needed = f"{load}: {_short(reference)} needed {number(base.value)} µs of CPU per request"
    others = [one for one in found.values() if one.name not in (reference, AGAIN) and one.ratio is not None]
    if not others:
        return f"{needed}; no other system has a run that counts."
    provisional = [one for one in others if one.kind == "provisional"]
    firm = [one for one in others if one.kind != "provisional"]
    said = [needed]
    if firm:
        less, more, same = ([one for one in firm if one.kind == kind] for kind in ("less", "more", "cannot tell apart"))
        parts = [f"{count(len(less))} needed less{_named(less)}", f"{count(len(more))} more{_named(more)}"]
        parts.append(f"{count(len(same))} cannot be told apart{_named(same)}")
        said.append(f"of {plural(len(firm), 'other system')} {', '.join(parts)}")
    if provisional:
        few = "with too few pieces" if comparison.asked.in_duets(series) else f"with fewer than {FEWEST_BLOCKS} blocks"
        below = [one for one in provisional if one.ratio and one.ratio.value < 1]
        of = f"of {plural(len(provisional), 'other system')} {count(len(below))} lay below it{_named(below)}"
        said.append(f"{of}, provisional {few}")
    return "; ".join(said) + "."


def _short(reference: str) -> str:
    return "Falcon ASGI" if reference == FALCON else reference


def called(reference: str) -> str:
    """What people call, in few words, the one that all are held against."""
    return "Falcon" if reference == FALCON else reference


def head(comparison: Comparison) -> str:
    """`3 servers beside Falcon: 160 devices`."""
    asked = comparison.asked
    others = [name for name in asked.systems if name != asked.reference]
    named = listed([title(name) for name in others]) if len(others) <= _MOST_NAMES else plural(len(others), "server")
    return f"{named or 'Nothing'} beside {called(asked.reference)}: {asked.first.title}"


def level(comparison: Comparison) -> Judgement:
    """A comparison asks for none; what a server failed is said all the same."""
    failing = sorted(
        {title(run.system) for run in comparison.runs if run.figures and run.figures.failed_pct >= _ALARMING_PCT}
    )
    alarm = f"polls failed with {listed(failing[:_MOST_NAMES])}" if failing else ""
    return Judgement("not asked", "A comparison asks for no service level; the capacity below has one.", alarm)


def measurement(comparison: Comparison) -> Judgement:
    """Whether there is enough for what is claimed, and how many runs count."""
    said, status = headline(comparison)
    counting = sum(run.counts for run in comparison.runs)
    return Judgement(status, f"{said} {count(counting)} of {plural(len(comparison.runs), 'run')} count.")


def where(comparison: Comparison, series: Series) -> str:
    """The load, in words."""
    base = comparison.asked.base
    if not comparison.asked.of_hello:  # Its endpoints may have clocks of their own.
        return f"{series.title} as {base.target} has them, {plural(base.workers, 'worker')}"
    return f"{series.title}, each every {plain(base.interval_ms)} ms, {plural(base.workers, 'worker')}"


def _named(some: Sequence[Standing]) -> str:
    if not some:
        return ""
    more = f" and {len(some) - _MOST_NAMES} more" if len(some) > _MOST_NAMES else ""
    return f" ({listed([one.name for one in some[:_MOST_NAMES]])}{more})"


def _room(comparison: Comparison) -> str:
    found = {name: one.finding for name, one in comparison.capacities.items() if one.finding}
    held = {name: one.clients for name, one in found.items() if one.clients}
    if held:
        said = listed([f"{name} {count(clients)}" for name, clients in held.items()])
        return f"Devices held within the service level, a single search each: {said}."
    reference = comparison.asked.reference
    memory = {
        name: median(values)
        for name, own in figures(comparison, comparison.asked.first).items()
        if name != AGAIN and (values := [one.uss_bytes / 1e6 for one in chain(*own.values()) if one.uss_bytes])
    }
    if reference not in memory:
        return f"Neither a capacity nor the memory of {_short(reference)} is known from runs that count."
    least = min(memory, key=lambda name: memory[name])
    most = max(memory, key=lambda name: memory[name])
    return (
        f"Capacity was not {'found' if comparison.asked.searched else 'searched'}; a worker of {_short(reference)} held "
        f"{number(memory[reference])} MB of its own memory, the least was {number(memory[least])} MB ({least}), the most "
        f"{number(memory[most])} MB ({most})."
    )


def itself(comparison: Comparison, series: Series) -> str:
    """What came of the one that all are held against, beside itself."""
    name = called(comparison.asked.reference)
    one = next((one for one in ranking.found(comparison, series) if one.name == AGAIN), None)
    if one is None or one.ratio is None:
        return f"{series.title}: {name} was not held against itself, since no two runs of it count."
    said = f"{series.title}: {name} against itself, CPU per request: {interval(one)}"
    if one.kind == "provisional":
        return f"{said}, provisional."
    if one.kind == "cannot tell apart":
        return f"{said}: cannot be told apart, as it should be."
    return f"{said}: it differs from itself, so smaller differences than this one mean nothing here."


def interval(one: Standing) -> str:
    """`1.23 (1.20 to 1.26)`."""
    if one.ratio is None:
        return "–"
    if one.ratio.low is None:
        return f"{number(one.ratio.value)}"
    return f"{number(one.ratio.value)} ({number(one.ratio.low)} to {number(one.ratio.high)})"


def rate(found: Rate | None, none: str) -> str:
    """`4.5 % (9 of 200)`."""
    return none if found is None else f"{percent(found.wrong, found.tried)} ({count(found.wrong)} of {count(found.tried)})"


def question(course: Course) -> list[Pair]:
    """What is measured, in which order, and how long it takes."""
    study, asked, estimate = course.study, course.study.asked, course.estimate
    return [
        ("held against", title(asked.reference)),
        *(
            (series.title, listed([name for name in _taking_part(asked) if series.concerns(name)]))
            for series in asked.series
        ),
        *([("duets", _duets(course))] if course.duets else []),
        *([("blocks", _blocks(asked))] if len(course.duets) < estimate.runs else []),
        ("three clients, one server", plural(asked.own.three_clients, "device") if asked.asks_clients else "none"),
        ("capacity searched for", listed(asked.searched) or "none"),
        ("runs", f"{estimate.runs} of {duration(asked.base.warmup_s + asked.base.window_s)} each, the server started anew"),
        *([] if study.shown else [("time", _time(estimate))]),
        *folder(study),
        *((f"skipped: {name}", why) for name, why in asked.skipped.items()),
    ]


def _taking_part(asked: Asked) -> list[str]:
    return [name for name in asked.systems if name not in asked.skipped]


def _blocks(asked: Asked) -> str:
    count = plural(asked.own.blocks, "block")
    said = f"{count}, each with every system once in an order of its own, and Falcon once more to be held against itself"
    if asked.own.blocks < FEWEST_BLOCKS:
        return f"{said}; with fewer than {FEWEST_BLOCKS} all ratios are provisional, without intervals"
    return said


def _duets(course: Course) -> str:
    asked = course.study.asked
    own = duration(60 * asked.own.duet_minutes)
    return (
        f"{plural(len(course.duets), 'run')} of {own} in an order that was drawn: two servers at once, the same swarm polls "
        f"both in turns, as many devices of each as the load says; one of them is {title(asked.reference)} beside itself"
    )


def _time(estimate: Estimate) -> str:
    """About how long, and what becomes of it where that is too long."""
    said = f"about {duration(estimate.seconds)}: "
    said += f"{duration(estimate.duets_s)} for the duets, " if estimate.duets_s else ""
    said += f"{duration(estimate.blocks_s)} for the blocks"
    if estimate.clients_s:
        said += f", {duration(estimate.clients_s)} for the three clients"
    if estimate.capacities_s:
        said += f", {duration(estimate.capacities_s)} for the searches for capacity"
    limit = f"max_hours is {duration(estimate.budget_s)}"
    if estimate.fits:
        return f"{said}; {limit}"
    return (
        f"{said}. {limit[0].upper()}{limit[1:]}: no block is begun that would not end by then, and what is left out is said"
    )


def cut(course: Course, came: Mapping[str, Outcome], searches: Mapping[str, Search]) -> str:
    """What the time did not allow, or that somebody interrupted; empty if all was measured.

    Args:
        came: cells of blocks and of the three clients that were measured, by name.
        searches: those for capacity that were begun, by system.
    """
    study = course.study
    left = sum(one.cell.name in came and came[one.cell.name].status == "not measured" for one in course.duets)
    searched = listed([name for name in study.asked.searched if name not in searches or searches[name].finding is None])
    nor = f", nor was the capacity of {searched} searched" if searched else ""
    first, last = 1 + sum(all(one.cell.name in came for one in block) for block in course.blocks), len(course.blocks)
    if study.interrupted:
        said = "Interrupted"
    elif left:
        said = f"{left} of {plural(len(course.duets), 'duet')} were not begun, since the time was up{nor}"
    elif study.late and first <= last:
        which = f"Block {first} of {last} was" if first == last else f"Blocks {first} to {last} were"
        said = f"{which} not begun, since {late(study)}{', nor were the three clients asked' if course.clients else ''}{nor}"
    elif study.late:
        said = f"The three clients were not begun, since {late(study)}{nor}"
    elif searched:
        said = f"The search for the capacity of {searched} was not ended"
    else:
        return ""
    return f"{said}; {goes_on(study)}."


def missing(runs: Sequence[Run]) -> str:
    """What an earlier comparison lacks; a new one says by itself what it left out."""
    lacking = sum(run.outcome.status == "not measured" for run in runs)
    return f"{lacking} of {len(runs)} runs were not measured." if lacking else ""
