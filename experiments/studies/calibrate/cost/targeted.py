"""The figures of part 4 beside what they are meant to reach. A miss is shown as one; nothing here passes or fails a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.analyse.instrument import Cost, Figure, cost_ratio, keeps_rate, middle
from experiments.studies.calibrate.cost.growth import LAG_P99_MS
from experiments.studies.calibrate.cost.results import Results

_RATIOS = (
    ("random", "epoll", "httpx-stock", 12.0),
    ("random", "epoll", "locust-fast", 6.0),
    ("random", "epoll", "aiohttp", 5.0),
    ("together", "epoll", "hey", 4.5),
    ("together", "epoll", "h2load", 1.8),
    ("mix", "epoll", "httpx-stock", 15.0),
    ("mix", "httpx", "httpx-stock", 6.0),
)
"""Load, ours, theirs, and how many times as much CPU per poll theirs should take."""

_LAGS = (
    ("random", "epoll", "lag_p50_ms", 0.07),
    ("random", "epoll", "lag_p99_ms", 0.2),
    ("mix", "httpx", "lag_p99_ms", 5.0),
)
"""Load, engine, which lag, and its limit on a quiet machine."""

_MEMORY_KB = {"epoll": 3.0, "httpx": 20.0}
_DEVICES = {"epoll": 18_000}
"""Engine -> devices at 500 ms in one process with a lag p99 of at most `_DEVICES_LAG_MS`; 20,000 files allow few more."""
_DEVICES_LAG_MS = 1.0
GROWTH = "memory and devices"
"""What these two are called where they are skipped."""
_VERDICTS = {"httpx": "valid", "httpx-stock": "invalid"}
_UNSENT_PCT = 0.1
_RESPONSE_P50_MS = 1.5


def figures(results: Results) -> list[Figure]:
    """Every figure that has a target, and the largest swarms and memory of engines that have none."""
    return [
        *_ratios(results),
        *_lags(results),
        *_default_load(results),
        *_devices(results),
        *_memory(results),
        *_quiet(results),
    ]


def _on(results: Results, load: str, contender: str) -> dict[str, list[Cost]]:
    """The rounds of a contender under a load, by target."""
    found: dict[str, list[Cost]] = {}
    for cost in results.costs:
        if (cost.load, cost.contender) == (load, contender):
            found.setdefault(cost.target, []).append(cost)
    return found


def _ratios(results: Results) -> Iterator[Figure]:
    for load, ours, theirs, wanted in _RATIOS:
        mine, others = _on(results, load, ours), _on(results, load, theirs)
        for target in sorted(mine.keys() & others.keys()):
            ratio = cost_ratio(mine[target], others[target])
            if ratio is not None:
                said = f"1 : {ratio.median:.1f}  ({ratio.low:.1f} – {ratio.high:.1f})"
                late = [name for name, some in ((ours, mine), (theirs, others)) if not _keeps_rate(some[target])]
                said += f", but {' and '.join(late)} did not keep the rate" if late else ""
                what = f"{load}, {target}: CPU per poll, {ours} : {theirs}"
                yield Figure(what, said, f"1 : {wanted:g} or better", None if late else ratio.median >= wanted)
        if not mine.keys() & others.keys():
            why = _why_not(results, ours, theirs)
            yield Figure(f"{load}: CPU per poll, {ours} : {theirs}", why, f"1 : {wanted:g} or better")


def _keeps_rate(costs: Sequence[Cost]) -> bool:
    return keeps_rate(middle(cost.polls_per_s for cost in costs) or 0.0, costs[0].asked_per_s)


def _why_not(results: Results, *contenders: str) -> str:
    return next((f"{name}: {results.skipped[name]}" for name in contenders if name in results.skipped), "not measured")


def _lags(results: Results) -> Iterator[Figure]:
    for load, engine, name, limit in _LAGS:
        percentile = name.split("_")[1]
        found = _on(results, load, engine)
        for target, costs in found.items():
            what = f"{load}, {target}: lag {percentile}, {engine}"
            yield _at_most(what, middle(getattr(cost, name) for cost in costs), limit, "ms")
        if not found:
            yield Figure(f"{load}: lag {percentile}, {engine}", _why_not(results, engine), f"<= {limit:g} ms")


def _at_most(what: str, value: float | None, limit: float, unit: str) -> Figure:
    if value is None:
        return Figure(what, "too few polls", f"<= {limit:g} {unit}")
    return Figure(what, f"{value:.2f} {unit}", f"<= {limit:g} {unit}", value <= limit)


def _default_load(results: Results) -> Iterator[Figure]:
    """What the default load shows of the default engine, and that httpx's own client is found out."""
    for engine, wanted in _VERDICTS.items():
        for target, costs in _on(results, "mix", engine).items():
            verdicts = [cost.verdict or "–" for cost in costs]
            met = all(verdict == wanted for verdict in verdicts)
            yield Figure(f"mix, {target}: verdicts of {engine}", _counted(verdicts), wanted, met)
    for target, costs in _on(results, "mix", "httpx").items():
        late = middle(cost.unsent_late_pct for cost in costs)
        yield _at_most(f"mix, {target}: polls never sent, httpx", late, _UNSENT_PCT, "%")
        response = middle(cost.response_p50_ms for cost in costs)
        yield _at_most(f"mix, {target}: response p50 of A, httpx", response, _RESPONSE_P50_MS, "ms")


def _counted(words: Sequence[str]) -> str:
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def _devices(results: Results) -> Iterator[Figure]:
    for engine in dict.fromkeys([*_DEVICES, *(step.engine for step in results.steps)]):
        steps = [step for step in results.steps if step.engine == engine]
        for limit_ms, wanted in ((LAG_P99_MS, None), (_DEVICES_LAG_MS, _DEVICES.get(engine))):
            what = f"devices at 500 ms in one generator, lag p99 <= {limit_ms:g} ms, {engine}"
            target = f"{wanted:,}" if wanted else ""
            if not steps:
                yield Figure(what, _why_not(results, engine, GROWTH), target)
                continue
            held = [step for step in steps if step.held and (step.lag_p99_ms or 0.0) <= limit_ms]
            most = max((step.clients for step in held), default=0)
            said = f"{most:,}" + (f", at {held[-1].cpu_us_per_poll:.0f} µs per poll" if held else "")
            said += " (all that were tried)" if held and held[-1] is steps[-1] else ""
            yield Figure(what, said, target, most >= wanted if wanted else None)


def _memory(results: Results) -> Iterator[Figure]:
    known = {one.engine: one.bytes_per_device / 1000 for one in results.memory}
    for engine in dict.fromkeys([*_MEMORY_KB, *known]):
        what, limit = f"memory per device, {engine}", _MEMORY_KB.get(engine)
        wanted = f"<= {limit:g} kB" if limit else ""
        if engine not in known:
            yield Figure(what, _why_not(results, engine, GROWTH), wanted)
        else:
            yield Figure(what, f"{known[engine]:.1f} kB", wanted, known[engine] <= limit if limit else None)


def _quiet(results: Results) -> Iterator[Figure]:
    """How far to trust all of the above: what else the machine was doing, as the lab's own runs saw it."""
    seen = [cost.disturbed_by for cost in results.costs if cost.disturbed_by is not None]
    loud = [cause for cause in seen if cause]
    if seen:
        causes = f" ({_counted(loud)})" if loud else ""
        yield Figure("runs of the lab that others disturbed", f"{len(loud)} of {len(seen)}{causes}", "0", not loud)
