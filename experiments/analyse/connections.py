"""What became of the connections: opened once and kept, or closed by the server, and after how long a rest.

run.json's facts of the generators -> figures of the whole run, warm-up included, and a finding in one word. A server that
closes what its devices want to keep makes each poll pay for a connection; one whose keep-alive ends when the next poll is
due leaves it to chance whether a poll meets an open connection, a closed one, or one that is just being closed.
"""

from __future__ import annotations

from typing import Any, Literal

from experiments.analyse.targets import asked
from experiments.record.reading import Record
from experiments.scenario import OWN_ENGINES

Finding = Literal["closes_with_answers", "closes_after_answers", "short_keep_alive", "knife_edge", "closes_idle"]

_COUNTING = (*OWN_ENGINES, "threads")
"""Engines that know of their connections."""
_SHARE = 0.01
"""Of the polls: below, it is no habit of the server's. Some end a connection after a thousand requests."""
_AT_ONCE = 0.05
"""Rest, as a share of the interval, up to which a server closes after its answer rather than after a rest."""
_NEAR = 0.8
"""Rest, as a share of the interval, from which its keep-alive may as well end after the next poll as before it: servers look
for connections that rested for too long once a second or more seldom, and a device's answers come sooner or later."""
_ALIKE = 2.0
"""Longest rest over shortest (p95 over p5) up to which it is one time that the server keeps: gunicorn with a second of
keep-alive looks once a second, so it closes after 1 to 2. Those that a restarted worker drops had rested for any time."""


def summarise(record: Record) -> dict[str, Any] | None:
    """The figures; None where no generator can tell, as with a transport that is not ours."""
    generator = record.facts.get("generator", {})
    instances = [item for item in generator.get("instances", []) if "connects" in item]
    if not instances or generator.get("transport") or record.scenario.engine not in _COUNTING:
        return None
    names = ("attempts", "connects", "reconnects", "closes", "retries")
    totals = {name: sum(int(item.get(name) or 0) for item in instances) for name in names}
    rest_s = _rest([item for item in instances if item.get("idle_close_s")])
    if not totals["connects"] and record.facts.get("totals", {}).get("ok"):
        return None  # Of a lab that did not say yet that a transport was not its own.
    found = _finding(totals, rest_s, asked.interval_s(record)) if record.scenario.keep_alive else None
    return {
        **{"requests" if name == "attempts" else name: total for name, total in totals.items()},
        "connects_per_request": _ratio(totals["connects"], totals["attempts"]),
        "reconnects_per_request": _ratio(totals["reconnects"], totals["attempts"]),
        "idle_close_s": rest_s,
        "finding": found,
    }


def _rest(instances: list[dict[str, Any]]) -> dict[str, float] | None:
    """How long connections had rested when the server closed them; the median is that of the generator with most of them."""
    if not instances:
        return None
    rests = [item["idle_close_s"] for item in instances]
    most = max(instances, key=lambda item: int(item.get("reconnects") or 0))["idle_close_s"]
    return {"p5": min(rest["p5"] for rest in rests), "p50": most["p50"], "p95": max(rest["p95"] for rest in rests)}


def _finding(totals: dict[str, int], rest_s: dict[str, float] | None, interval_s: float) -> Finding | None:
    few = _SHARE * totals["attempts"]
    if totals["closes"] > few:
        return "closes_with_answers"
    if rest_s is None or totals["reconnects"] + totals["retries"] <= few:
        return None
    if rest_s["p95"] <= _AT_ONCE * interval_s:
        return "closes_after_answers"
    if rest_s["p95"] > _ALIKE * rest_s["p5"]:
        return "closes_idle"
    return "knife_edge" if rest_s["p50"] >= _NEAR * interval_s else "short_keep_alive"


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
