"""What a search comes to, in sentences: never a number that only the generator limited.

Findings and figures -> text. The sentences are what people quote, so they carry how often, how many, and what was the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from experiments.analyse.targets.naming import letters
from experiments.predict.forecast import Model
from experiments.predict.usl import Law, Unidentified
from experiments.present.answer import Judgement
from experiments.present.format import count, duration, number, plain, plural, size
from experiments.studies.capacity.evidence import evidence, limit
from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.search import Rules, confirming
from experiments.studies.capacity.strategy import ClosedLoop, Run, Search, Stage
from experiments.studies.cells import Outcome
from experiments.studies.study import CellStudy
from experiments.studies.text import Pair, folder
from experiments.target.hello import NAME as HELLO

_TOO_FAR = 0.1
"""From which distance of the light cells from the model a forecast is not to be rested on: CPU repeats within 2 %."""

_STEADY = 1.1
"""Most : least processor time per request at the same load, on a machine whose speed is steady. Source: repeats on two quiet
cores lie within 4 %; on a guest whose host is busy 5,600 devices cost 79, 87, 105 and 120 µs per request."""


def workers(number_: int) -> str:
    """`1 worker`."""
    return plural(number_, "worker")


def question(study: CellStudy[Asked]) -> list[Pair]:
    """What is searched for, and within what."""
    asked = study.asked
    rules, base = asked.rules, asked.base
    said = [
        ("service level", "; ".join(_level(asked))),
        ("devices", f"{count(rules.smallest)} to {count(rules.largest)}, each polling every {plain(base.interval_ms)} ms"),
        ("on", ", ".join(workers(one) for one in asked.workers)),
        ("narrowed down to", f"{plain(rules.step_pct)} % of the load that held before the first that did not"),
        (
            "confirmed with",
            f"{plural(rules.confirmations, 'new run')} at the answer and up to as many a step above{_anew(rules)}",
        ),
        ("a suspect run", "counts, and is named" if asked.own.suspect_counts else "is no evidence, as an invalid one"),
    ]
    time = [
        ("a cell takes", f"{duration(base.warmup_s + base.window_s)} of load and about 10 s around it"),
        ("time", f"at most {duration(3600 * asked.own.max_hours)} from now; a search usually takes 25 to 40 cells"),
    ]
    return [*said, *([] if study.shown else time), *folder(study)]


def measured(outcome: Outcome, why: str, asked: Asked, left_s: float) -> str:
    """A line for the log: what came of a cell, and how long the search may still take."""
    if outcome.summary is None:
        came = f"{outcome.status}: {outcome.why}"
    elif why in (Stage.why, ClosedLoop.why):
        came = str(outcome.verdict)
    else:
        shows = evidence(outcome, suspect_counts=asked.own.suspect_counts)
        came = f"{outcome.verdict}, {_SHOWN[shows.shown]}" + (f" ({shows.why})" if shows.why else "")
    return f"{why}: {outcome.cell.name}: {came}; {left_s / 60:.0f} min of time left at most"


_SHOWN = {"pass": "pass", "fail": "fail", "inconclusive": "inconclusive"}


def _anew(rules: Rules) -> str:
    return "; the runs that chose the edge do not count" if rules.anew else ""


def _level(asked: Asked) -> list[str]:
    base, level = asked.base, asked.levels
    called = letters(level)
    said = [f"response p99 of {called[name]} up to {plain(one.p99_ms)} ms" for name, one in level.items() if one.p99_ms]
    said += [
        f"failed polls of {called[name]} up to {plain(one.failure_pct)} %"
        for name, one in level.items()
        if one.failure_pct is not None
    ]
    if base.slo_failure_pct < 100:
        said.append(f"failed polls up to {plain(base.slo_failure_pct)} %, so many are left out of the p99")
    if base.slo_devices_pct:
        said.append(f"kept by {plain(base.slo_devices_pct)} % of the devices, each by itself")
    return said


def model(number_: int, learnt: Model | None) -> list[Pair]:
    """Processor times, and what they rest on."""
    on = f"with {workers(number_)}"
    if learnt is None:
        return [(on, "no light cell could be used: begin with a smaller load, or look into the cells' verdicts")]
    pairs = []
    for name, side in (("server", learnt.server), ("generator", learnt.generator)):
        times = f"{_us(side.status_s)} per poll" + (f" of A, {_us(side.bulk_s)} of B" if side.split else "")
        wake = f", {_us(side.wake_s)} each time it sleeps and wakes" if side.wake_s else "; sleeping could not be told apart"
        pairs.append((f"{name}, {on}", f"{times}{wake}; the cells lie within {100 * side.residual_ratio:.1f} % of this"))
    often, stood = (sum(length**power * rate for length, rate in learnt.pauses) for power in (0, 1))
    pairs.append((f"pauses of each loop, {on}", f"{number(often)} a second, {number(100 * stood)} % of the time"))
    if learnt.slowness != (1.0,):
        least, most = min(learnt.slowness), max(learnt.slowness)
        varied = f"a poll took from {number(100 * least)} to {number(100 * most)} % of its mean time, second by second"
        pairs.append((f"speed of the machine, {on}", varied))
    loads = ", ".join(f"{100 * load:.0f} %" for load in learnt.loads)
    return [*pairs, (f"learnt {on}", f"from {plural(len(learnt.loads), 'cell')} with a worker's core busy for {loads}")]


def _us(seconds: float) -> str:
    return f"{number(1e6 * seconds)} µs"


def foretold(asked: Asked, number_: int, learnt: Model | None, edge: int | None) -> list[Pair]:
    """The capacity that follows from the light cells, its range, and what would be busy there."""
    on = f"devices on {workers(number_)}"
    if learnt is None or edge is None:
        return [(on, "nothing can be foretold")]
    if edge == 0:
        return [(on, f"not even {count(asked.rules.smallest)}")]
    low, high = (edge / factor for factor in reversed(learnt.doubt))
    reach = ", the largest load allowed, or more" if edge >= asked.rules.largest else ""
    server, generator = learnt.cores_used(asked.at(edge, number_))
    server, generator = server / number_, generator / max(1, asked.base.generators)
    busy = f"a worker {100 * server:.0f} %, a generator {100 * generator:.0f} % of a core"
    off = max(learnt.server.residual_ratio, learnt.generator.residual_ratio)
    far = f"; the light cells lie up to {100 * off:.0f} % from the model: do not rest on this" if off > _TOO_FAR else ""
    first = (
        "; the generator would give up first: use more generators or engine=epoll" if generator > max(0.8, server) else ""
    )
    return [
        (on, f"{count(edge)}{reach}; {count(low)} to {count(high)} if any one light cell is left out{far}"),
        (f"busy there, with {workers(number_)}", busy + first),
    ]


def answer(search: Search) -> tuple[str, list[str]]:
    """The headline and further sentences of a search's end."""
    asked, finding = search.asked, search.finding
    base = asked.base
    # Endpoints of another target may have clocks of their own, which `interval_ms` says nothing of.
    often = f"at {plain(base.interval_ms)} ms" if base.target == HELLO else f"of {Path(base.target).stem}"
    every = f"{often} on {workers(search.workers)}"
    if finding is None:
        return _unfinished(search, every), ["Start again with the same capacity_id to go on."]
    if finding.how == "no evidence":
        why = _why(search, finding.above)
        return f"No run with {count(finding.above)} devices {every} is evidence.", [why]
    if finding.how == "smallest misses":
        held = f"held in {_of(search, finding.above)} runs"
        said = f"Even {count(finding.above)} devices {every} miss the service level: {held}."
        return said, [_why(search, finding.above)]
    held = f"{count(finding.clients)} devices {every}: held in {_of(search, finding.clients)} runs"
    more = [*_suspects(search), *_worth(search, finding.clients)]
    if finding.how == "largest holds":
        more.insert(0, f"The edge lies beyond largest={count(finding.clients)}: ask for more to find it.")
        return f"At least {held}.", more
    if finding.how == "generator first":
        return f"At least {held}; the server's edge was not seen.", [_blind(search, finding.above), *more]
    limits = [f"Limit: {limit(at_limit)}."] if (at_limit := search.at_limit()) else ["What was at its limit cannot be told."]
    more = [*limits, *_weak(search, finding.above), *_unsteady(search), *more]
    return f"{held}; {count(finding.above)}: in {_of(search, finding.above)}.", more


def title(servers: str, search: Search) -> str:
    """`Falcon 4.4.0: how many devices every 500 ms`."""
    return f"{servers}: how many devices at {plain(search.asked.base.interval_ms)} ms, on {workers(search.workers)}"


def level(search: Search) -> Judgement:
    """Up to how many devices the service level is kept."""
    asked, finding = "; ".join(_level(search.asked)), search.finding
    if finding is None or finding.how == "no evidence":
        return Judgement("cannot be said", f"Asked: {asked}. The search did not come to an end that is evidence.")
    if finding.how == "smallest misses":
        return Judgement("missed", f"Asked: {asked}. Missed already by the smallest load, {count(finding.above)} devices.")
    beyond = f", missed with {count(finding.above)}" if finding.above and finding.how == "edge" else ""
    return Judgement("met", f"Asked: {asked}. Kept with {count(finding.clients)} devices{beyond}.")


def measurement(search: Search) -> Judgement:
    """Whether the runs of the search may be believed, and whether it saw the server's edge or the generator's."""
    verdicts = [run.outcome.verdict or run.outcome.status for run in search.runs]
    counted = ", ".join(f"{count(verdicts.count(one))} {one}" for one in dict.fromkeys(verdicts)) or "none"
    said = f"Runs of the search: {counted}; those that are invalid are no evidence."
    finding = search.finding
    if finding is None:
        return Judgement("invalid", f"The time was up before the edge was found. {said}")
    if finding.how == "no evidence":
        return Judgement("invalid", f"No run at the load in question may be believed. {said}")
    if finding.how == "generator first":
        return Judgement("suspect", f"The generator gave up before the server did. {said}")
    return Judgement("valid", said)


def _of(search: Search, clients: int | None) -> str:
    """`4 of 5`: of the runs that confirm a level, or where it did not come to that, of all."""
    level = clients or 0
    shown = list(confirming(search.seen, search.asked.rules, level)) or search.seen.get(level, [])
    return f"{shown.count('pass')} of {len(shown) - shown.count('inconclusive')}"


def _why(search: Search, clients: int | None) -> str:
    return next((run.shows.why for run in search.at(clients or 0) if run.shows.why), "")


def _blind(search: Search, clients: int | None) -> str:
    inconclusive = [run.shows for run in search.at(clients or 0) if run.shows.shown == "inconclusive"]
    if any(one.generator_weak for one in inconclusive):
        return (
            f"With {count(clients)} devices the generator gave up first, which says nothing of the server: use more "
            "generators, engine=epoll, or another machine for them."
        )
    why = inconclusive[0].why if inconclusive else "none was measured"
    return f"With {count(clients)} devices no run is evidence: {why}"


def _weak(search: Search, clients: int | None) -> list[str]:
    """Says so where the generator was near its own limit in runs that missed: the edge may then be partly its own."""
    missed = [run.shows for run in search.at(clients or 0) if run.shows.shown == "fail"]
    weak = sum(one.generator_weak for one in missed)
    if not weak:
        return []
    return [
        f"In {count(weak)} of the {plural(len(missed), 'run')} that missed, the generator was near its own limit too: with "
        "more generators or engine=epoll the edge may prove to be higher."
    ]


def _unsteady(search: Search) -> list[str]:
    """Says so where the same load cost different processor time from run to run: then so does the edge."""
    spans = {clients: span for clients in search.seen if (span := _costs(search.at(clients)))}
    if not spans:
        return []
    clients, (least, most) = max(spans.items(), key=lambda item: item[1][1] / item[1][0])
    if most / least < _STEADY:
        return []
    return [
        f"{count(clients)} devices cost from {number(least)} to {number(most)} µs per request in different runs: the speed "
        "of this machine is not steady, and the edge moves with it."
    ]


def _costs(runs: Sequence[Run]) -> tuple[float, float] | None:
    """The least and the most processor time per request, in µs, of several runs that are evidence."""
    summaries = [run.outcome.summary for run in runs if run.outcome.believed and run.outcome.summary]
    costs = [us for one in summaries if (us := one["server"]["cpu_us_per_request"])]
    return (min(costs), max(costs)) if len(costs) > 1 else None


def _suspects(search: Search) -> list[str]:
    suspect = sum(run.shows.suspect and run.shows.shown != "inconclusive" for run in search.runs)
    return [f"{count(suspect)} of the {plural(len(search.runs), 'run')} are suspect, and count."] if suspect else []


def _worth(search: Search, clients: int) -> list[str]:
    """Devices a core and a GB, of the cells that held at the answer."""
    held = [run.figures for run in search.at(clients) if run.shows.shown == "pass"]
    used, said = [one for one in held if one is not None], []
    if cores := [one.server.cores for one in used]:
        said.append(f"The server used {number(median(cores))} cores: {number(clients / median(cores))} devices a core.")
    if memory := [one.server_rss_bytes for one in used if one.server_rss_bytes]:
        per = clients / (median(memory) / 1e9)
        said.append(f"It held {size(median(memory))} of memory: {number(per)} devices a GB.")
    return said


def _unfinished(search: Search, every: str) -> str:
    held = max((clients for clients, shown in search.seen.items() if "pass" in shown), default=None)
    missed = min((clients for clients, shown in search.seen.items() if "fail" in shown), default=None)
    so_far = [f"{count(held)} held"] if held else []
    so_far += [f"{count(missed)} missed"] if missed else []
    return f"The search ended before the edge was found, {every}: {' and '.join(so_far) or 'nothing measured'} so far."


def law(over: str, found: Law | Unidentified, polls_per_device: float | None = None) -> list[Pair]:
    """The law's coefficients and what follows, or why there is none."""
    if isinstance(found, Unidentified):
        return [(over, found.reason)]
    said = [f"one alone {count(found.one_per_s)} polls/s"]
    said.append(f"contention {found.contention:.3f}, coherency {found.coherency:.5f}")
    said.append(f"{count(found.most_per_s)} polls/s at most" if math.isfinite(found.most_per_s) else "no end in sight")
    if polls_per_device and math.isfinite(found.most_per_s):
        said.append(f"as many as {count(found.most_per_s / polls_per_device)} devices would ask for")
    said.append(f"the points lie within {100 * found.residual_ratio:.0f} % of the curve")
    return [(over, "; ".join(said))]
