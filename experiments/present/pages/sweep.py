"""What the cells of sweep.ipynb show once everything is measured: each method is one cell of the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.analyse.changes import Comparison, compare
from experiments.analyse.points import Measured, Point, cells_table, column, endpoints_of, points
from experiments.analyse.targets.naming import titles
from experiments.errors import VerdictError
from experiments.present.format import LONGER, percent, plain
from experiments.present.html import Markup, caption, note, nothing
from experiments.present.pages import sweep_answer
from experiments.present.result import sweep as sweep_result
from experiments.present.result.shown import Shown
from experiments.present.tables import changes as differences
from experiments.present.tables import provenance as sources
from experiments.present.tables.service_level import missed_limit
from experiments.present.tables.studies import sweep as tables
from experiments.record.collection import collect

if TYPE_CHECKING:
    from experiments.present.chart import Chart
    from experiments.present.charts.studies.grid import Figure

_NOTHING = "No cell has figures that may be used."
_ALL_PCT = 100.0
_PCT_DIGITS = 4
"""So that 99.97 % does not read as all of them."""


class SweepPage:
    """Everything that is shown of one sweep."""

    def __init__(
        self,
        measured: Sequence[Measured],
        *,
        notes: Sequence[str] = (),
        limits_ms: Mapping[str, float],
        failure_pct: float = 100.0,
        compare_to: str = "",
        margin_pct: float = 10.0,
        strict: bool = False,
        name: str = "",
    ) -> None:
        """Opens a page.

        Args:
            measured: all cells of the grid, measured or not, in the order of the table.
            notes: what must be known before any figure is read.
            limits_ms: endpoint -> response time within which a poll keeps the service level; 0 for none.
            failure_pct: percent of polls of a point that may go wrong; 100 for no limit.
            compare_to: an earlier run or sweep.
            margin_pct: what is worse by more is a regression.
            name: of the sweep's folder.
        """
        self.cells = list(measured)
        self._notes = notes
        self._limits_ms = limits_ms
        self._failure_pct = failure_pct
        self._compare_to = compare_to
        self._margin_pct = margin_pct
        self._strict = strict
        self._name = name

    def verdict(self) -> Markup:
        """The answer, whether the service level is kept, and how much of the sweep may be believed."""
        asked = any(self._limits_ms.values()) or self._failure_pct < _ALL_PCT or any(point.levels for point in self._points)
        return sweep_answer.shown(self.cells, self._points, self._notes, self._missed, asked=asked)

    def response(self, percentile: str) -> Chart | Markup:
        """Maps of a response percentile, `p50`, `p95` or `p99`, of every endpoint."""
        figures = [_response(name, title, percentile) for name, title in self._titles.items()]
        unknown = any(percentile in longer for point in self._points for longer in point.longer.values())
        return self._maps(
            f"How long do devices wait? (response {percentile})",
            figures,
            f"The polls of all repeats of a point together; the darker, the longer.{f' {LONGER}' if unknown else ''}",
        )

    def kept(self) -> Chart | Markup:
        """Maps of the polls within the service level, and of those not answered right."""
        limits = {name: item["limit"] for point in self._points for name, item in point.levels.items()}
        within = [_within(name, self._titles[name], limit) for name, limit in limits.items()]
        failed = [_failed(name, title) for name, title in self._titles.items()]
        hint = (
            "" if limits else " Polls within a service level are shown where slo_status_p99_ms or slo_bulk_p99_ms is given."
        )
        return self._maps(
            "Which polls keep the service level, and which fail?",
            [*within, *failed],
            f"Percent of the planned polls: failed, or never sent because their device still waited.{hint}",
        )

    def costs(self) -> Chart | Markup:
        """Maps of what the server used."""
        from experiments.present.charts.studies.grid import Figure

        figures = [
            Figure(
                "server processor, cores",
                lambda point: point.server["cores"],
                lambda point: point.repeats.get("server_cores", ()),
            ),
            Figure(
                "processor time per request, µs",
                lambda point: point.server["us_per_request"],
                lambda point: point.repeats.get("server_us_per_request", ()),
            ),
            Figure(
                "resident memory, peak, MB",
                lambda point: _mega(point.server["rss_bytes"]),
                lambda point: [value / 1e6 for value in point.repeats.get("server_rss_bytes", ())],
            ),
        ]
        return self._maps("What does it cost the server?", figures, "Mean over repeats; memory: the highest.")

    def growth(self) -> Chart | Markup:
        """Curves over clients, with the spread of the repeats."""
        from experiments.present.charts.studies import growth

        return growth.over(self._points, cells_table(self.cells), self._names) or note(
            "Nothing grows here: no number was varied, or no cell has figures that may be used."
        )

    def spreads(self) -> Chart | Markup:
        """Small multiples of the response times."""
        from experiments.present.charts.studies import spreads

        return spreads.multiples(self._points, self._names) or note(_NOTHING)

    def table(self) -> Markup:
        """Every cell, with a link to its report."""
        return tables.cells(self.cells)

    def changes(self) -> Markup:
        """What changed since the run or sweep that `compare_to` names."""
        if not self._compare_to:
            return nothing("compare_to names no earlier sweep, so there is nothing to compare with.")
        if self._comparison is None:
            return note(_NOTHING)
        return differences.changes(self._comparison, self._compare_to, self._margin_pct)

    def provenance(self) -> Markup:
        """Where the figures come from: the facts of the first cell; each cell's own report has its own."""
        records = [cell.record for cell in self.cells if cell.record]
        if not records:
            return note(_NOTHING)
        return caption(f"Of the cell {records[0].run_id}; each cell's own report has its own.") + sources.provenance(
            records[0]
        )

    def result(self) -> Shown:
        """What it comes to, once more where "Run All" ends; and as data for whoever reads the notebook and no HTML."""
        limits = [point.levels or point.may_fail_pct for point in self._points]
        found = sweep_result.result(
            self._name,
            self.cells,
            self._points,
            self._titles,
            missed=self._missed_anywhere,
            asked=any(limits) or self._failure_pct < 100 or any(self._limits_ms.values()),
            comparison=self._comparison if self._compare_to else None,
            compare_to=self._compare_to,
            margin_pct=self._margin_pct,
            strict=self._strict,
        )
        return Shown(found)

    def enforce(self) -> None:
        """With `strict`, fails the notebook if the sweep deserves it; to be called after everything is shown.

        Raises:
            VerdictError: a cell may not be believed or was not measured, a point misses the service level, or a figure is
                worse than that of `compare_to` by more than the margin.
        """
        if not self._strict:
            return
        if bad := [f"{cell.name} ({cell.state})" for cell in self.cells if not cell.believed]:
            raise VerdictError(f"strict: cells without figures that may be used: {', '.join(bad[:10])}.")
        if missed := self._missed_anywhere:
            raise VerdictError(f"strict: the service level is missed: {'; '.join(missed[:10])}.")
        if self._compare_to and self._comparison is not None:
            differences.enforce(self._comparison, self._compare_to, self._margin_pct)

    @property
    def _missed_anywhere(self) -> list[str]:
        return [words for point in self._points for words in self._missed(point)]

    def _missed(self, point: Point) -> list[str]:
        at = ", ".join(f"{axis}={value}" for axis, value in point.at.items())
        late = [f"{missed_limit(item, self._names)} at {at}" for item in point.levels.values() if item["met"] is False]
        failed = [
            f"{percent(share, 100)} of {self._titles[name]} not answered right at {at}, limit {plain(limit)}"
            for name, share in point.failed_pct.items()
            if share is not None
            and share > (limit := min(self._failure_pct, point.may_fail_pct.get(name, self._failure_pct)))
        ]
        return late + failed

    def _maps(self, question: str, figures: Sequence[Figure], reading: str) -> Chart | Markup:
        from experiments.present.charts.studies import grid

        few = "Too few polls for this figure at every point." if any(point.measured for point in self._points) else _NOTHING
        return grid.maps(question, self._points, figures, reading) or note(few)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """The endpoints, in the target's order."""
        return endpoints_of(cell.record for cell in self.cells if cell.record)

    @property
    def _titles(self) -> dict[str, str]:
        return titles(self._names)

    @cached_property
    def _points(self) -> list[Point]:
        return points(self.cells, self._limits_ms, self._failure_pct)

    @cached_property
    def _comparison(self) -> Comparison | None:
        now = [cell.record for cell in self.cells if cell.record]
        return compare(collect(self._compare_to), now) if now else None


def _response(endpoint: str, title: str, percentile: str) -> Figure:
    from experiments.present.charts.studies.grid import Figure

    return Figure(
        f"{title}, {percentile}, ms",
        lambda point: point.response_ms.get(endpoint, {}).get(percentile),
        lambda point: point.repeats.get(column(endpoint, f"{percentile}_ms"), ()),
        lambda point: percentile in point.longer.get(endpoint, ()),
        scale="response",
    )


def _within(endpoint: str, title: str, limit_ms: float) -> Figure:
    from experiments.present.charts.studies.grid import Figure

    within = f"{title} within {plain(limit_ms)} ms, %"
    return Figure(within, lambda point: point.within_pct.get(endpoint), digits=_PCT_DIGITS, scale="within")


def _failed(endpoint: str, title: str) -> Figure:
    from experiments.present.charts.studies.grid import Figure

    return Figure(
        f"{title} not answered right, %",
        lambda point: point.failed_pct.get(endpoint),
        lambda point: point.repeats.get(column(endpoint, "failed_pct"), ()),
        digits=_PCT_DIGITS,
        scale="failed",
    )


def _mega(value: float | None) -> float | None:
    return None if value is None else value / 1e6
