"""Is the second server worse than the first? What a gate of continuous integration must know, in one word and a sentence.

`duet` of a summary and the checks of its verdict -> regression, fine or not measurable. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

MARGIN_PCT = 3.0
"""What a duet of a minute tells apart on a machine that is used for other things too."""
_FAILED_P = 0.001
"""Failures come in bursts, so what chance would do in one of a thousand cases is asked of a claim."""
_FAILED_SHARE = 0.001
"""And a tenth of a percent of the polls more, at least."""
_FAILED_PIECES = 3
"""And in so many pieces of the run more: one burst may be the machine's doing."""
_OF_THE_RECORD = ("rows_complete", "untouched", "one_at_a_time", "answers", "totals", "served", "workers")
"""Checks without which no figure stands. That the generator was late is none of them: it was so for both alike."""

Kind = Literal["regression", "fine", "not measurable"]


@dataclass(frozen=True)
class Judged:
    """What is to be thought of the second server beside the first."""

    kind: Kind
    why: str
    """A sentence without its full stop."""


def damage(checks: Iterable[Mapping[str, Any]]) -> str:
    """Why no figure of a duet stands, a sentence without its full stop; empty where they stand."""
    damaged = [check for check in checks if check["name"] in _OF_THE_RECORD and check["status"] == "invalid"]
    return str(damaged[0]["meaning"]).rstrip(".") if damaged else ""


def judge(duet: Mapping[str, Any], checks: Iterable[Mapping[str, Any]], margin_pct: float = MARGIN_PCT) -> Judged:
    """Judges a duet.

    A regression is a difference that chance does not explain and that is, as measured, beyond the margin; fine is what is
    within the margin with 97.5 % confidence, or surely different and by less than that. What is neither cannot be told.

    Args:
        duet: of a summary.
        checks: of its verdict.
        margin_pct: what the second server may need more, in percent.
    """
    if damaged := damage(checks):
        return Judged("not measurable", damaged)
    if why := _fails_more(duet):
        return Judged("regression", why)
    worse = [(what, ratio) for key, what in _RATIOS.items() if _is_worse(ratio := duet[key], margin_pct)]
    if worse:
        return Judged("regression", f"{duet['b']} needs {_change(worse[0][1])} {worse[0][0]} beside {duet['a']}")
    cpu = duet["cpu_ratio"]
    if cpu["high"] is None:
        return Judged("not measurable", f"only {cpu['pieces']} pieces of the run have the costs of both servers")
    if cpu["high"] <= 1 + margin_pct / 100 or cpu["low"] > 1:  # Surely different then, and by less than the margin.
        return Judged("fine", f"{duet['b']} needs {_change(cpu)} CPU for a request beside {duet['a']}")
    return Judged(
        "not measurable",
        f"{duet['b']} may need up to {100 * (cpu['high'] - 1):.2g} % more CPU for a request, which is beyond the margin of "
        f"{margin_pct:g} %, or none: measure for longer, or when the machine is quieter",
    )


_RATIOS = {"cpu_ratio": "CPU for a request", "response_p50_ratio": "time for half of the answers"}


def _is_worse(ratio: Mapping[str, Any], margin_pct: float) -> bool:
    return ratio["low"] is not None and ratio["low"] > 1 and ratio["estimate"] > 1 + margin_pct / 100


def _change(ratio: Mapping[str, Any]) -> str:
    low, estimate, high = (100 * (ratio[name] - 1) for name in ("low", "estimate", "high"))
    return f"{estimate:+.1f} % ({low:+.1f} to {high:+.1f})"


def _fails_more(duet: Mapping[str, Any]) -> str:
    failures = duet["failures"]
    if not failures["planned_a"] or not failures["planned_b"]:
        return ""
    shares = [failures[letter] / failures[f"planned_{letter}"] for letter in "ab"]
    in_bursts = failures["pieces_b"] - failures["pieces_a"] < _FAILED_PIECES
    if in_bursts or shares[1] - shares[0] < _FAILED_SHARE or (failures["p"] or 0.0) > _FAILED_P:
        return ""
    return f"{duet['b']} failed {100 * shares[1]:.2g} % of its polls, {duet['a']} {100 * shares[0]:.2g} %"
