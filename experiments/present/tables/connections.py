"""Connections in words and figures: which address they led to, and whether the server kept them.

What a summary and run.json's facts say -> sentences for the top of a page, and one small table.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from experiments.present.format import NONE, count, number, plural
from experiments.present.html import Markup, caption, table


def sentences(summary: Mapping[str, Any], facts: Mapping[str, Any], interval_s: float) -> list[str]:
    """What must be known before the times are read."""
    figures = summary.get("connections") or {}
    said = [_kept(figures, interval_s)] if figures.get("finding") else []
    return [*said, *_several(facts.get("server", {})), *_not_closed(facts.get("generator", {}).get("instances") or [])]


def _kept(figures: Mapping[str, Any], interval_s: float) -> str:
    connects, requests = figures["connects"], figures["requests"]
    paid = f"{plural(connects, 'connect')} for {plural(requests, 'poll')}"
    finding = figures["finding"]
    if finding in ("closes_with_answers", "closes_after_answers"):
        closed = figures["closes"] if finding == "closes_with_answers" else figures["reconnects"] + figures["retries"]
        each = "each answer" if closed >= 0.9 * requests else f"{count(closed)} of {count(requests)} answers"
        return f"Connections were to be kept, but the server closed the connection after {each}: {paid}."
    rest, interval = figures["idle_close_s"], _time(interval_s)
    met = f", {count(figures['retries'])} of which met a connection that was just being closed" if figures["retries"] else ""
    if finding == "knife_edge":
        return (
            f"A knife-edge: the server closes connections that rested for about {_time(rest['p50'])}, and devices poll "
            f"every {interval}, so that chance decides whether a poll finds its connection open: {paid}{met}. Set the "
            "server's keep-alive well above the interval, or well below it."
        )
    if finding == "short_keep_alive":
        return (
            f"The server closed connections that rested for about {_time(rest['p50'])}, less than the interval of "
            f"{interval}: {paid}{met}. A longer keep-alive would spare most of them."
        )
    spread = f"{_time(rest['p5'])} to {_time(rest['p95'])}"
    return f"The server closed kept connections that had rested for {spread}: {paid}{met}."


def _several(server: Mapping[str, Any]) -> list[str]:
    """A name that means several machines, of which one was measured."""
    addresses = server.get("addresses") or []
    if len(addresses) < 2 or all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in addresses):
        return []
    return [
        f"The server's name has {count(len(addresses))} addresses. All devices polled {server['address']}; the others were "
        "not measured."
    ]


def _not_closed(instances: list[Mapping[str, Any]]) -> list[str]:
    errors = [str(item["closing_error"]) for item in instances if item.get("closing_error")]
    return [f"The transport could not be closed after the run ({errors[0]}); no poll was lost by that."] if errors else []


def address(server: Mapping[str, Any]) -> str | None:
    """Where devices connected, and what else the name has."""
    chosen, addresses = server.get("address"), server.get("addresses") or []
    others = [one for one in addresses if one != chosen]
    return f"{chosen}; the name also has {', '.join(others)}" if others else chosen


def figures(summary: Mapping[str, Any]) -> Markup:
    """How many connections were opened for how many polls."""
    known = summary.get("connections")
    if not known:
        return caption("How many connections were opened is not known: only the lab's own transports count them.")
    head = ["requests", "connects", "connects per request", "closed by the server with an answer",
            "found closed (reconnects)", "reconnects per request", "met while closing (asked again)"]  # fmt: skip
    row = [
        count(known["requests"]),
        count(known["connects"]),
        _part(known["connects_per_request"]),
        count(known["closes"]),
        count(known["reconnects"]),
        _part(known["reconnects_per_request"]),
        count(known["retries"]),
    ]
    return table(head, [row], label="connections, warm-up included", numbers=range(7))


def _time(seconds: float) -> str:
    return f"{number(1000 * seconds)} ms" if seconds < 1 else f"{number(seconds)} s"


def _part(value: float | None) -> str:
    return NONE if value is None else number(value)
