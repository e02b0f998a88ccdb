"""What a target asks: a row per endpoint, as the record has it, without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.present.format import NONE, number, plain
from experiments.present.html import Markup, Piece, caption, element, table
from experiments.schedule import Plan

_HEAD = ["endpoint", "request", "each device", "polls/s", "a right answer", "service level"]


def endpoints(target: Mapping[str, Any], plan: Plan, name: str) -> Markup:
    """Every endpoint: its request, how often it is polled, what a right answer is.

    Args:
        target: as the record has it.
        name: what it is called.
    """
    rows = [_row(one, target["endpoints"].get(one) or {}, plan) for one in plan.endpoints]
    said = f"Target {name}: {text}" if (text := target.get("description")) else f"Target {name}."
    return caption(said) + table(_HEAD, rows, label="endpoints of the target", numbers={3}, wide={4}, medium={1, 2, 5})


def _row(name: str, endpoint: Mapping[str, Any], plan: Plan) -> list[Piece]:
    return [
        name,
        element("code", str(endpoint.get("request", NONE)), css="lab-small"),
        _often(name, endpoint, plan),
        number(plan.rates[name]),
        _right(endpoint),
        _level(endpoint.get("slo") or {}),
    ]


def _often(name: str, endpoint: Mapping[str, Any], plan: Plan) -> str:
    if not plan.rates[name]:
        return "never"
    clock = plan.clock_of(name)
    joins = clock.joins_per_cycle[clock.endpoints.index(plan.endpoints.index(name))]
    every = f"every {plain(clock.interval_s)} s"
    rounds = every if joins == clock.cycle_rounds else f"in {joins} of {clock.cycle_rounds} rounds, {every}"
    return f"{rounds}, or when an answer says" if endpoint.get("next_poll") else rounds


def _right(endpoint: Mapping[str, Any]) -> str:
    """`status 200; bytes 20..400; json next_poll_ms 3000`."""
    if endpoint.get("ignore") is True:
        return "any"
    expect = dict(endpoint.get("expect") or {})
    said = [f"status {_value(expect.pop('status', '200..299'))}"]
    if endpoint.get("etag") == "remember":
        said.append("304 where nothing changed")
    said += [f"{key.replace('_', ' ')} {_value(value)}" for key, value in expect.items() if value not in ({}, None)]
    return "; ".join(said)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " or ".join(map(_value, value))
    return str(value)


def _level(slo: Mapping[str, Any]) -> str:
    said = [f"p99 up to {plain(slo['p99_ms'])} ms"] if slo.get("p99_ms") is not None else []
    said += [f"failed up to {plain(slo['failure_pct'])} %"] if slo.get("failure_pct") is not None else []
    return ", ".join(said) or NONE
