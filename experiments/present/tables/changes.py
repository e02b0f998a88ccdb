"""What changed since an earlier measurement: what differs in the environment first, then figure by figure."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analyse.changes import FAILED, FAILED_MARGIN, Change, Comparison
from experiments.errors import VerdictError
from experiments.present.format import NONE, longer, number, plain, plural
from experiments.present.html import Markup, Piece, caption, element, note, table
from experiments.present.tables.verdict import Status, badge

MOST_ROWS = 120

_KINDS = {
    "regression": Status("regression", "✖", "lab-missed", ""),
    "worse": Status("worse", "▲", "lab-suspect", ""),
    "better": Status("better", "✔", "lab-met", ""),
    "cannot tell apart": Status("cannot tell apart", NONE, "lab-neutral", ""),
    "one run each": Status("one run each: no interval can be given", NONE, "lab-neutral", ""),
}


def changes(comparison: Comparison, before: str, margin_pct: float) -> Markup:
    """The whole comparison.

    Args:
        before: what it was compared with.
        margin_pct: what is worse by more is a regression.
    """
    parts = [
        _differs("The environment is not the same", comparison.environment),
        _differs("Asked differently", comparison.asked),
    ]
    if comparison.left_out:
        parts.append(caption(f"{plural(comparison.left_out, 'run')} left out that may not be believed."))
    if not comparison.changes:
        return _joined([*parts, note(f"Nothing in common with {before}: no point was measured both then and now.")])
    ordered = sorted(comparison.changes, key=lambda change: _rank(change, margin_pct))
    rows = [_row(change, margin_pct) for change in ordered[:MOST_ROWS]]
    head = ["at", "figure", "then", "now", "difference", "95 % interval", "", "runs"]
    shown = table(head, rows, label=f"what changed since {before}", numbers={2, 3, 4, 5, 7})
    drift = caption(_drift(comparison.drift_pct))
    return _joined([*parts, shown, drift, caption(_how_to_read(before, margin_pct, len(ordered)))])


def _drift(percent: float | None) -> str:
    """What is known of how the machine itself changed between the two."""
    duet = (
        "Where the version of then can still be started, hold the two against each other at once: a duet (make duet) is not "
        "touched by that."
    )
    if percent is None:
        return f"How much the machine itself changed in between is not known. {duet}"
    more = f"{number(abs(percent), 2)} % {'more' if percent >= 0 else 'less'}"
    return (
        f"Drift between the two sessions: the load generator, the same program then and now, needed {more} processor time "
        f"for a poll. So much may be the machine's own doing, and every interval of times and costs is wider by it. {duet}"
    )


def regressions(comparison: Comparison, margin_pct: float) -> list[str]:
    """A few words for each figure that is worse beyond the margin."""
    return [
        f"{change.figure} at {change.at} is worse by {_difference(change)} ({_interval(change)})"
        for change in comparison.changes
        if change.beyond(margin_pct)
    ]


def enforce(comparison: Comparison, before: str, margin_pct: float) -> None:
    """Fails a strict notebook where what was measured has become worse.

    Raises:
        VerdictError: the environment is not the same, or a figure is worse by more than the margin.
    """
    if comparison.environment:
        raise VerdictError(f"strict: {before} was measured in another environment: {'; '.join(comparison.environment)}.")
    if worse := regressions(comparison, margin_pct):
        raise VerdictError(f"strict: worse than {before} by more than {plain(margin_pct)} %: {'; '.join(worse)}.")


def _joined(parts: Sequence[Markup]) -> Markup:
    return Markup("".join(part.content for part in parts))


def _differs(head: str, sentences: Sequence[str]) -> Markup:
    if not sentences:
        return Markup("")
    shown = [element("p", f"{head}:", css="lab-headline"), *(element("p", f"{sentence}.") for sentence in sentences)]
    return element("section", *shown, css="lab-banner lab-suspect")


def _kind(change: Change, margin_pct: float) -> str:
    return "regression" if change.beyond(margin_pct) else change.kind


def _rank(change: Change, margin_pct: float) -> int:
    return list(_KINDS).index(_kind(change, margin_pct))


def _row(change: Change, margin_pct: float) -> list[Piece]:
    return [
        change.at,
        change.figure,
        longer(number(change.before), censored=change.bound in ("at most", "unknown")),
        longer(number(change.now), censored=change.bound in ("at least", "unknown")),
        _difference(change),
        _interval(change),
        badge(_KINDS[_kind(change, margin_pct)]),
        f"{change.runs[0]} / {change.runs[1]}",
    ]


def _difference(change: Change) -> str:
    bound = {"": "", "unknown": "not known, bounds differ by "}.get(change.bound, f"{change.bound} ")
    return f"{bound}{_signed(change.difference, change)}"


def _interval(change: Change) -> str:
    if change.low is None or change.high is None:
        return NONE
    return f"{_signed(change.low, change)} to {_signed(change.high, change)}"


def _signed(value: float, change: Change) -> str:
    unit = "points" if change.figure == FAILED else "%"
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))} {unit}"


def _how_to_read(before: str, margin_pct: float, rows: int) -> str:
    more = f" The first {MOST_ROWS} of {rows} rows." if rows > MOST_ROWS else ""
    margin = f"{plain(margin_pct)} % (of failures: {plain(FAILED_MARGIN)} points)"
    return (
        f"Compared with {before}. The interval comes from how far repeats lie apart (Student's t, logarithms of each run's "
        "figure); where it holds no change at all, the two cannot be told apart. One row in twenty would be called worse or "
        f"better by chance. A regression is worse by more than {margin} at the near end of its interval. A time after > is "
        "longer than the figure, since polls never had an answer: its difference is at least, or at most, the one shown. "
        "One run each has no interval, so nothing is called a regression then: compare sweeps with "
        f"repeats.{more}"
    )
