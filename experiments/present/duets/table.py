"""Two servers beside each other: a sentence, and a table of what the second needs for what the first needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.present.format import NONE, count, number, percent, plain, size
from experiments.present.html import Markup, caption, element, nothing, table

_RATIOS = (
    ("cpu_ratio", "processor time for a request"),
    ("response_p50_ratio", "response p50"),
    ("response_p95_ratio", "response p95"),
)


def sentences(summary: Mapping[str, Any]) -> list[str]:
    """The result in words, one for each server beside the run's own; none in a run with one."""
    return [sentence(duet) for duet in summary.get("duets") or []]


def sentence(duet: Mapping[str, Any]) -> str:
    """What one comparison comes to, by the processor time for a request."""
    a, b, cpu = duet["a"], duet["b"], duet["cpu_ratio"]
    if cpu["kind"] == "not measurable":
        few = f"only {plain(cpu['pieces'])} pieces of the run have the costs of both"
        return f"{b} beside {a}: nothing can be told, since {few}."
    low, high = (_by(cpu[end]) for end in ("low", "high"))
    found = f"({low} to {high} with 95 % confidence, {plain(cpu['pieces'])} pieces of {plain(duet['piece_s'])} s)"
    least = number(duet["smallest_detectable_pct"], 2)
    smallest = f"a difference of {least} % would have been seen in nine of ten such runs"
    if cpu["kind"] == "cannot tell apart":
        return f"{a} and {b} cannot be told apart by processor time for a request {found}; {smallest}."
    return f"{b} needs {_by(cpu['estimate'])} processor time for a request beside {a} {found}; {smallest}."


def _by(ratio: float) -> str:
    """`3.1 % more`, of a ratio."""
    change = 100 * (ratio - 1)
    return f"{number(abs(change), 2)} % {'more' if change >= 0 else 'less'}"


def duet(summary: Mapping[str, Any]) -> Markup:
    """Every server beside the run's own: sentence, ratios and counts."""
    duets: Sequence[Mapping[str, Any]] = summary.get("duets") or []
    if not duets:
        return nothing("beside names no further server, so there is nothing to hold this one against.")
    shown = Markup("")
    for one in duets:
        shown += element("p", sentence(one)) + _ratios(one) + _counts(one)
    return shown + caption(_READ) + _resolution(duets[0].get("cpu_resolution_s") or 0.0)


_READ = (
    "Both servers ran at the same time, polled by one swarm, so that what disturbed one disturbed the other. A ratio "
    "is what the second needs for what the first needs, as the mean of its logarithm over the pieces; its interval takes "
    "into account that neighbouring pieces are alike. Headline and charts elsewhere are those of the first server."
)


def _resolution(seconds: float) -> Markup:
    """Says so where CPU time is counted too coarsely to be taken for exact."""
    if seconds < _COARSE_S:
        return Markup("")
    tick = f"{number(1000 * seconds)} ms"
    return caption(f"This platform counts CPU time in ticks of {tick}, so each piece is off by up to two of them.")


_COARSE_S = 1e-3


def _ratios(one: Mapping[str, Any]) -> Markup:
    rows = [
        [
            what,
            number(ratio["estimate"], 4),
            f"{number(ratio['low'], 4)} – {number(ratio['high'], 4)}" if ratio["low"] is not None else NONE,
            _KINDS[ratio["kind"]],
            f"{number(ratio['smallest_detectable_pct'], 2)} %" if ratio["smallest_detectable_pct"] is not None else NONE,
        ]
        for key, what in _RATIOS
        if (ratio := one[key])
    ]
    head = [f"{one['b']} : {one['a']}", "ratio", "95 % interval", "so it is", "smallest difference that would show"]
    return table(head, rows, label=f"{one['b']} beside {one['a']}", numbers=(1, 2, 4))


_KINDS = {
    "more": "more",
    "less": "less",
    "cannot tell apart": "not to be told apart",
    "not measurable": "not to be measured: too few pieces",
}


def _counts(one: Mapping[str, Any]) -> Markup:
    cost, failures, memory = one["cpu_us_per_request"], one["failures"], one["memory"]
    rows = [
        ["processor time for a request", *(_us(cost[letter]) for letter in "ab")],
        ["polls without a right answer", *(_share(failures[letter], failures[f"planned_{letter}"]) for letter in "ab")],
        ["resident memory, peak", *(size(memory[f"{letter}_rss_peak_bytes"]) for letter in "ab")],
    ]
    return table(["what", one["a"], one["b"]], rows, label="costs and failures of both servers", numbers=(1, 2))


def _us(value: float | None) -> str:
    return NONE if value is None else f"{number(value)} µs"


def _share(part: int, whole: int) -> str:
    return f"{count(part)} of {count(whole)} ({percent(part, whole)})"
