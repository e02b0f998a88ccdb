"""Figures as people read them: three significant digits, a unit, and a word where there is none.

Knows numbers and the names of reasons; knows neither HTML nor charts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

TOO_FEW = "too few polls"
"""Stands where a percentile would rest on fewer than ten polls beyond it."""

NONE = "–"


def significant(value: float, digits: int = 3) -> float:
    """The value rounded to so many significant digits; keeps the JSON of a chart small."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def number(value: float | None, digits: int = 3, none: str = NONE) -> str:
    """`1,230`, `12.3` or `0.512`: so many significant digits, never an exponent."""
    if value is None or not math.isfinite(value):
        return none
    rounded = significant(value, digits)
    if rounded == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def longer(shown: str, *, censored: bool) -> str:
    """`> 416` where a time is only known to be longer than its figure, since polls never had an answer."""
    return f"> {shown}" if censored else shown


LONGER = "A time after > is longer than the figure: polls never had an answer, and had waited so long."
"""Explains that sign."""


def rounded_up(off_by: float) -> str:
    """What is to be known of percentiles of very many different times; empty where they are exact.

    Args:
        off_by: by how much, as a share of it, one may be longer than the exact one.
    """
    if not off_by:
        return ""
    return (
        "There were so many different times that they were counted in steps: a percentile may be up to "
        f"{100 * off_by:.2g} % too long. Counts, mean and maximum are exact."
    )


def plain(value: float) -> str:
    """`1`, `0.5` or `2,000`: a round figure, such as a limit or a tick of an axis, with no more digits than it has."""
    return f"{value:,.10g}"


def count(value: float | None) -> str:
    """`330,000`: a whole number."""
    return NONE if value is None else f"{value:,.0f}"


def plural(value: int, one: str, many: str = "") -> str:
    """`1 poll`, `2 polls`."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def size(value: float | None) -> str:
    """`62.3 MB`: bytes in the decimal unit that fits."""
    if value is None:
        return NONE
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= factor:
            return f"{number(value / factor)} {unit}"
    return f"{count(value)} B"


def duration(seconds: float) -> str:
    """`45 s`, `10 min`, `1 min 5 s` or `2 h 5 min`; a part of a second only below ten."""
    if 0 < seconds < 9.95 and round(seconds, 1) % 1:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def moment(utc: str) -> str:
    """`13:05:01.250 UTC on 2026-11-28`, of a time as the record has it."""
    day, _, time = utc.partition("T")
    return f"{time.removesuffix('Z')} UTC on {day}" if time else utc


def percent(part: float, whole: float) -> str:
    """`0.12 %` of a whole; a share that is not nothing never reads as 0."""
    if not whole:
        return NONE
    share = 100 * part / whole
    return "0 %" if share == 0 else "< 0.01 %" if share < 0.01 else f"{number(share)} %"


def reason(outcome: str) -> str:
    """`read timeout` for `read_timeout`."""
    return _REASONS.get(outcome) or outcome.replace("_", " ")


_REASONS = {
    "checks": "not as expected",
    "unsent_busy": "not sent, since the device waited",
    "unsent_late": "not sent, since the generator was late",
}


MOST_CODES = 8
"""How many status codes are named; the others are counted together."""


def reasons(
    failures: Mapping[str, int],
    statuses: Mapping[str, int] | None = None,
    checks: Mapping[str, int] | None = None,
) -> str:
    """`http error 24 (429: 12, 503: 12), not as expected 3 (json.ok: 3), reset 1`: the most frequent first.

    Args:
        statuses: answers by status code, those that were errors; None where that is not known.
        checks: polls by the expectation that failed; None where that is not known.
    """
    ordered = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    whys = {"http_error": ranked(statuses or {})} | {
        outcome: ranked({name: number_ for name, number_ in (checks or {}).items() if _outcome_of(name) == outcome})
        for outcome in ("checks", "wrong_body")
    }
    return ", ".join(
        f"{reason(name)} {count(number_)}{f' ({said})' if (said := whys.get(name)) else ''}"
        for name, number_ in ordered
        if number_
    )


def _outcome_of(check: str) -> str:
    """How a poll ended of which this expectation failed."""
    of_body = ("bytes", "body", "decoded_bytes", "decoding")
    return "wrong_body" if check in of_body else "http_error" if check == "status" else "checks"


def codes(statuses: Mapping[str, int]) -> str:
    """`429: 12, 503: 12`: status codes of answers that were errors, the most frequent first; empty without any."""
    return ranked({code: number_ for code, number_ in statuses.items() if code != "200"})


def ranked(counts: Mapping[str, int]) -> str:
    """`429: 12, 503: 12`: the most frequent first, and the rarest together."""
    ordered = sorted(
        ((name, number_) for name, number_ in counts.items() if number_),
        key=lambda item: (-item[1], len(item[0]), item[0]),
    )
    rest = sum(number_ for _, number_ in ordered[MOST_CODES:])
    said = [f"{name}: {count(number_)}" for name, number_ in ordered[:MOST_CODES]]
    return ", ".join([*said, *([f"others: {count(rest)}"] if rest else [])])


def plain_value(value: object) -> str:
    """A value of an axis, as it would be typed."""
    return plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
