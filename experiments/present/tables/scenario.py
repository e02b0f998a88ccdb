"""The question shown back: what was asked, and the load that this makes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.analyse.targets.naming import together
from experiments.present.format import count, duration, number, plain, size
from experiments.present.html import Markup, element, table
from experiments.scenario import ENGINES, Scenario
from experiments.schedule import Plan
from experiments.target.hello import NAME as HELLO

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_PLACES = ("results_dir", "run_dir", "compare_to", "dask_scheduler")
"""Parameters that say where things are, not what was asked."""

CARRIED_ELSEWHERE = {"httpx": 12_000.0, "epoll": 24_000.0}
"""Engine -> polls/s of endpoint A that one generator sent with lag p99 <= 5 ms, where this machine was never calibrated.

Source: part 4 of the calibration on a quiet virtual machine with 2 cores, nginx on the same, November 2026: 6,000 and 12,000
devices at 500 ms, the most that were tried with epoll. On a day when others used half of that machine, httpx carried 2,000.
"""
_ELSEWHERE = "a virtual machine with 2 cores; this one is not calibrated for it (make calibrate)"
_FASTEST = "epoll"


def cards(scenario: Scenario, plan: Plan) -> Markup:
    """The load that the scenario asks for, in a handful of figures.

    Args:
        plan: the scenario's, or a record's, which knows it without the target's file.
    """
    shown = _load(scenario, plan)
    return element("div", *(_card(value, meaning) for value, meaning in shown), css="lab-cards")


def _load(scenario: Scenario, plan: Plan) -> list[tuple[str, str]]:
    per_s = plan.polls_per_s
    bytes_per_s = answered_bytes_per_s(scenario, plan)
    intervals = sorted({clock.interval_s for clock in plan.clocks})
    apart = " and ".join(filter(None, [", ".join(map(_interval, intervals[:-1])), _interval(intervals[-1])]))
    connections = f"{count(plan.clients)} to be kept open" if scenario.keep_alive else "one per request"
    ask = "at most " if scenario.pacing == "after" else ""
    return [
        (count(plan.clients), "devices"),
        (apart, "between polls of a device"),
        (f"{ask}{number(per_s)} polls/s", f"asked for, {together(plan.endpoints)}"),
        *([(f"{ask}{size(bytes_per_s)}/s", "of answers, without headers")] if bytes_per_s is not None else []),
        (f"{ask}{count(per_s * scenario.window_s)}", f"polls in {duration(scenario.window_s)}"),
        (connections, "connections"),
    ]


def advice(scenario: Scenario, plan: Plan, carried: Mapping[str, float]) -> Markup:
    """What to ask instead, where one generator is asked for more than its engine was measured to carry.

    Args:
        carried: engine -> polls/s that one generator carried on this machine; empty where that is not known.
    """
    here = scenario.engine in carried
    most = (carried if here else CARRIED_ELSEWHERE).get(scenario.engine)
    per_s = plan.polls_per_s
    if not most or not scenario.generators or per_s <= most * scenario.generators:
        return Markup("")
    better = f"generators={math.ceil(per_s / most)}"
    if _FASTEST in ENGINES and scenario.engine != _FASTEST:
        better = f'engine="{_FASTEST}" or {better}'
    said = (
        f"Each generator is asked for {number(per_s / scenario.generators)} polls/s. One with engine={scenario.engine} was "
        f"measured to carry {number(most)} polls/s of A with little lag on {'this machine' if here else _ELSEWHERE}. "
        f"If the verdict complains of the generator, take {better}."
    )
    return element("div", element("p", said), css="lab-banner lab-suspect", aria_label="advice")


def _interval(seconds: float) -> str:
    return f"{plain(1000 * seconds)} ms" if seconds < 1 else duration(seconds)


def answered_bytes_per_s(scenario: Scenario, plan: Plan) -> float | None:
    """Bytes of bodies that the server is asked for; None where a target says what is right, and not how long it is."""
    if scenario.target != HELLO:
        return None
    return math.fsum(rate * scenario.body_bytes[name] for name, rate in plan.rates.items())


def _card(value: str, meaning: str) -> Markup:
    return element("div", element("b", value), element("span", meaning), css="lab-card")


def parameters(asked: Mapping[str, Any]) -> Markup:
    """What was asked otherwise than by default, and all parameters behind a fold."""
    known = {name: value for name, value in asked.items() if name not in _PLACES}
    changed = {name: value for name, value in known.items() if value != _field(name).default}
    if changed:
        shown = _rows(changed, "parameters away from their defaults")
    else:
        shown = element("p", "Every parameter has its default.")
    everything = element("summary", f"All {len(known)} parameters")
    return shown + element("details", everything, _rows(known, "all parameters"), css="lab-more")


def _field(name: str) -> FieldInfo:
    return Scenario.model_fields[name]


def _rows(asked: Mapping[str, Any], label: str) -> Markup:
    rows = [[name, _value(value), _field(name).description or ""] for name, value in asked.items()]
    return table(["parameter", "value", "meaning"], rows, label=label, wide={2})


def _value(value: object) -> str:
    if isinstance(value, float):
        return plain(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value) or '""'
