"""The question shown back: what was asked, and the load that this makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.present.markup import Markup, element, table
from experiments.present.words import count, duration, number, size
from experiments.scenario import Scenario

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_PLACES = ("results_dir", "run_dir")
"""Parameters that say where things lie on this machine, not what was asked."""


def cards(scenario: Scenario) -> Markup:
    """The load that the scenario asks for, in a handful of figures."""
    return element("div", *(_card(value, meaning) for value, meaning in _load(scenario)), css="lab-cards")


def _load(scenario: Scenario) -> list[tuple[str, str]]:
    plan = scenario.plan
    per_s = plan.polls_per_s
    share = _bulk_share(scenario)
    body = scenario.body_bytes
    bytes_per_s = per_s * ((1 - share) * body["status"] + share * body["bulk"])
    connections = f"{count(scenario.clients)} kept open" if scenario.keep_alive else "one a request"
    ask = "at most " if scenario.pacing == "after" else ""
    return [
        (count(scenario.clients), "devices"),
        (_interval(scenario.interval_ms), "between polls of a device"),
        (f"{ask}{number(per_s)} polls/s", "asked for, A and B"),
        (f"{ask}{size(bytes_per_s)}/s", "of answers, without headers"),
        (f"{ask}{count(per_s * scenario.window_s)}", f"polls in {duration(scenario.window_s)}"),
        (connections, "connections"),
    ]


def _interval(milliseconds: float) -> str:
    return f"{milliseconds:g} ms" if milliseconds < 1000 else duration(milliseconds / 1000)


def _bulk_share(scenario: Scenario) -> float:
    """Part of all polls that ask B."""
    plan = scenario.plan
    return plan.bulk_weight / (plan.status_weight + plan.bulk_weight)


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
        return f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value) or '""'
