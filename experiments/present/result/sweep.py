"""The result of a sweep: its cells and points -> `Result`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from experiments.analyse.changes import Comparison
from experiments.analyse.points import Measured, Point
from experiments.analyse.summary import current
from experiments.present.format import count, longer, number, percent, plain_value, plural
from experiments.present.result import run
from experiments.present.result.model import Case, Figure, Judgement, Result, Table

Level = Literal["met", "missed", "not asked", "cannot be said"]


def result(
    name: str,
    cells: Sequence[Measured],
    points: Sequence[Point],
    titles: Mapping[str, str],
    *,
    missed: Sequence[str],
    asked: bool,
    comparison: Comparison | None = None,
    compare_to: str = "",
    margin_pct: float = 10.0,
    strict: bool = False,
) -> Result:
    """What a sweep comes to.

    Args:
        titles: endpoint -> what people call it.
        missed: what of the service level is missed where, in words.
        asked: whether there is a service level.
        strict: a cell without figures makes the whole unusable.
    """
    believed = [cell for cell in cells if cell.believed]
    measurement = _measurement(cells, believed, strict=strict)
    worse = run.changes([comparison] if comparison else [], compare_to, margin_pct)
    return Result(
        kind="sweep",
        name=name,
        title=f"Sweep: {plural(len(points), 'point')}, {plural(len(cells), 'cell')}",
        answer=_answer(points, titles),
        service_level=_service_level(missed, measured=bool(believed), asked=asked),
        measurement=measurement,
        regressions=[case.said for case in worse if case.status == "failed"],
        next_step="" if len(believed) == len(cells) else "Read the cells that have no figures in the table of all cells.",
        cases=[*map(_cell, cells), *_levels(missed, asked=asked), *worse],
        figures=list(_figures(believed)),
        tables=[_points(points, titles)],
    )


def _measurement(cells: Sequence[Measured], believed: Sequence[Measured], *, strict: bool) -> Judgement:
    said = f"{count(len(believed))} of {plural(len(cells), 'cell')} may be believed."
    if not believed or (strict and len(believed) < len(cells)):
        return Judgement(status="invalid", said=said)
    whole = all(cell.state == "valid" for cell in cells)
    return Judgement(status="valid" if whole else "suspect", said=said)


def _service_level(missed: Sequence[str], *, measured: bool, asked: bool) -> Judgement:
    if not asked:
        return Judgement(status="not asked", said="No service level was asked for.")
    if not measured:
        return Judgement(status="cannot be said", said="No cell has figures that may be used.")
    if missed:
        return Judgement(status="missed", said=f"{'; '.join(missed[:10])}.")
    return Judgement(status="met", said="Every point with figures keeps it.")


def _answer(points: Sequence[Point], titles: Mapping[str, str]) -> str:
    """The best and the worst point, by the p99 of the first endpoint that has one; p95 where polls were too few."""
    for endpoint, title in titles.items():
        for percentile in ("p99", "p95", "p50"):
            known = [(value, point) for point in points if (value := point.response_ms.get(endpoint, {}).get(percentile))]
            if known:
                ends = min(known, key=lambda one: one[0])[1], max(known, key=lambda one: one[0])[1]
                least, most = (f"{_time(point, endpoint, percentile)} ms ({_at(point)})" for point in ends)
                span = least if ends[0] is ends[1] else f"{least} to {most}"
                return f"Response {percentile} of {title}: {span}."
    return "No cell has figures that may be used."


def _time(point: Point, endpoint: str, percentile: str) -> str:
    value = point.response_ms.get(endpoint, {}).get(percentile)
    return longer(number(value), censored=percentile in point.longer.get(endpoint, ()))


def _at(point: Point) -> str:
    return ", ".join(f"{axis}={plain_value(value)}" for axis, value in point.at.items())


def _cell(cell: Measured) -> Case:
    said = f"{cell.state}: {cell.why}" if cell.why else cell.state
    return Case(suite="cell", name=cell.name, status="passed" if cell.believed else "error", said=said)


def _levels(missed: Sequence[str], *, asked: bool) -> Iterator[Case]:
    yield from (Case(suite="service level", name=said, status="failed", said=said) for said in missed)
    if asked and not missed:
        yield Case(suite="service level", name="every point", status="passed")


def _figures(cells: Sequence[Measured]) -> Iterator[Figure]:
    for cell in cells:
        if cell.record is not None:
            yield from run.figures(current(cell.record), cell=cell.name)


def _points(points: Sequence[Point], titles: Mapping[str, str]) -> Table:
    axes = list(points[0].at) if points else []
    times = [(endpoint, percentile) for endpoint in titles for percentile in ("p50", "p99")]
    head = [
        *axes,
        *(f"{titles[endpoint]} {percentile}, ms" for endpoint, percentile in times),
        "failed",
        "CPU per request, µs",
    ]
    rows = [
        [
            *(plain_value(value) for value in point.at.values()),
            *(_time(point, *time) for time in times),
            _failed(point),
            number(point.server.get("us_per_request")),
        ]
        for point in points
    ]
    return Table(title="Points", head=head, rows=rows)


def _failed(point: Point) -> str:
    shares = [share for share in point.failed_pct.values() if share is not None]
    return percent(max(shares), 100) if shares else "–"
