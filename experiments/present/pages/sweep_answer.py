"""What a sweep comes to: the top of its page, from its cells and points.

Cells and points in, the answer in words and two judgements out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from experiments.analyse.points import Measured, Point
from experiments.present import subject, top
from experiments.present.answer import Judgement
from experiments.present.format import count, number, percent, plain_value, plural
from experiments.present.html import Markup

_ALARMING_PCT = 1.0
_MOST_NAMED = 3
Missed = Callable[[Point], list[str]]
"""A point -> what it misses of the service level, a sentence each."""


def shown(
    cells: Sequence[Measured], points: Sequence[Point], notes: Sequence[str], missed: Missed, *, asked: bool
) -> Markup:
    """The top of the page.

    Args:
        cells: all of them, measured or not.
        points: what they come to.
        notes: what must be known before any figure is read.
        asked: whether there is a service level.
    """
    records = [cell.record for cell in cells if cell.record]
    held = [point for point in points if point.measured and not missed(point)]
    late = [(point, said) for point in points if point.measured and (said := missed(point))]
    return top.top(
        _title(points, subject.servers(records)),
        subject.of_many(records, "cell"),
        _answer(points, held, late, asked=asked),
        _level(points, held, late, asked=asked),
        _measurement(cells),
        next_step=_next(cells, late),
        said=notes,
    )


def _title(points: Sequence[Point], servers: str) -> str:
    """`Falcon 4.4.0: clients 100 to 800, interval_ms 250 to 1,000`."""
    axes = [f"{axis} {_ends([point.at[axis] for point in points])}" for axis in (points[0].at if points else ())]
    return f"{servers}: {', '.join(axes)}" if axes else servers


def _ends(values: Sequence[object]) -> str:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return ", ".join(dict.fromkeys(map(plain_value, values)))
    low, high = min(numbers), max(numbers)
    return plain_value(low) if low == high else f"{plain_value(low)} to {plain_value(high)}"


def _named(point: Point) -> str:
    return ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items())


def _answer(points: Sequence[Point], held: Sequence[Point], late: Sequence[tuple[Point, list[str]]], *, asked: bool) -> str:
    measured = [point for point in points if point.measured]
    if not measured:
        return "No answer: no cell has figures that may be used."
    if asked and not late:
        return f"The service level is kept at every one of {plural(len(measured), 'point')} that was measured."
    if asked and not held:
        return f"The service level is missed at every one of {plural(len(measured), 'point')} that was measured."
    if asked:
        first = min((point for point, _ in late), key=_devices)
        return (
            f"The service level is kept at {count(len(held))} of {plural(len(measured), 'point')}, up to "
            f"{_named(max(held, key=_devices))}; it is missed from {_named(first)} on."
        )
    slow = [(value, point) for point in measured for one in point.response_ms.values() if (value := one.get("p99"))]
    if not slow:
        return f"{plural(len(measured), 'point')} measured, each with too few polls for a p99."
    (low, least), (high, most) = min(slow, key=lambda one: one[0]), max(slow, key=lambda one: one[0])
    ends = f"p99 from {number(low)} ms ({_named(least)}) to {number(high)} ms ({_named(most)})"
    return f"{plural(len(measured), 'point')} measured: {ends}; {_worst(measured)}."


def _devices(point: Point) -> float:
    """How much a point asks for: by devices, then by how often."""
    clients, interval = point.at.get("clients", 0), point.at.get("interval_ms", 1)
    asked = [value if isinstance(value, int | float) else 0 for value in (clients, interval)]
    return asked[0] + 1 / (1 + asked[1])


def _failed_pct(points: Sequence[Point]) -> float:
    return max((share for point in points for share in point.failed_pct.values() if share is not None), default=0.0)


def _worst(points: Sequence[Point]) -> str:
    worst = _failed_pct(points)
    return f"up to {percent(worst, 100)} of an endpoint's polls failed" if worst else "none failed"


def _level(
    points: Sequence[Point], held: Sequence[Point], late: Sequence[tuple[Point, list[str]]], *, asked: bool
) -> Judgement:
    measured = [point for point in points if point.measured]
    if not measured:
        return Judgement("cannot be said" if asked else "not asked", "No cell has figures that may be used.")
    if not asked:
        alarm = f"the server failed {_worst(measured)[: -len(' failed')]}" if _failed_pct(measured) >= _ALARMING_PCT else ""
        return Judgement("not asked", f"No service level was asked for; {_worst(measured)}.", alarm)
    said = f"Kept at {count(len(held))} of {plural(len(measured), 'point')}."
    words = [sentence for _, sentences in late for sentence in sentences][:_MOST_NAMED]
    if words:
        said += f" Missed: {'; '.join(words)}{' and more' if len(late) > len(words) else ''}."
    return Judgement("missed" if late else "met", said)


def _measurement(cells: Sequence[Measured]) -> Judgement:
    """How many cells may be believed, how many not and why."""
    states = [cell.state for cell in cells]
    counted = {name: states.count(name) for name in ("valid", "suspect", "invalid", "failed", "damaged", "unfinished")}
    believed, missing = counted["valid"] + counted["suspect"], len(cells) - sum(counted.values())
    words = [f"{many} {name}" for name, many in counted.items() if many] + ([f"{missing} not measured"] if missing else [])
    status = "valid" if counted["valid"] == len(cells) else "suspect" if believed else "invalid"
    care = f", {count(counted['suspect'])} of them with care" if counted["suspect"] else ""
    return Judgement(
        status, f"{count(believed)} of {plural(len(cells), 'cell')} may be believed{care}. Cells: {', '.join(words)}."
    )


def _next(cells: Sequence[Measured], late: Sequence[object]) -> str:
    if any(cell.state in ("failed", "damaged", "unfinished", "not measured") for cell in cells):
        return "Start again with the same sweep_id: what is missing is measured, what is there is kept."
    if any(cell.state == "invalid" for cell in cells):
        return "See in the table of cells why they are invalid, and measure those again."
    return "Open the report of the first point that misses it, in the table of cells." if late else ""
