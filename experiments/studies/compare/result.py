"""The result of a comparison of systems -> `Result`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.present.format import number, plural
from experiments.present.result.model import Case, Figure, Judgement, Result, Table
from experiments.studies.compare import ranking
from experiments.studies.compare import text as words
from experiments.studies.compare.params import Series
from experiments.studies.compare.runs import Comparison


def result(name: str, comparison: Comparison, unmet: Sequence[str]) -> Result:
    """What a comparison comes to.

    Args:
        unmet: why it should not be relied on.
    """
    series = comparison.asked.series
    return Result(
        kind="compare",
        name=name,
        title=f"Comparison of {plural(len(comparison.asked.systems), 'system')}",
        answer=" ".join(words.answer(comparison)),
        service_level=Judgement(status="not asked", said="Systems are held against one another."),
        measurement=_measurement(comparison, unmet),
        cases=[Case(suite="comparison", name="whole and fair", status="error" if unmet else "passed", said=" ".join(unmet))],
        figures=[figure for one in series for figure in _figures(comparison, one)],
        tables=[_table(comparison, one) for one in series],
    )


def _measurement(comparison: Comparison, unmet: Sequence[str]) -> Judgement:
    headline, status = words.headline(comparison)
    said = " ".join([headline, *unmet])
    if status == "invalid" or (comparison.asked.own.strict and unmet):
        return Judgement(status="invalid", said=said)
    return Judgement(status="suspect" if unmet else status, said=said)


def _figures(comparison: Comparison, series: Series) -> Iterator[Figure]:
    ratio_to = "falcon" if comparison.asked.of_hello else "target"
    for one in ranking.found(comparison, series):
        labels = {"system": one.name, "load": series.title}
        yield Figure(name="server_cpu_seconds_per_request", value=one.value * 1e-6, labels=labels)
        if one.ratio is not None:
            yield Figure(name=f"server_cpu_ratio_to_{ratio_to}", value=one.ratio.value, labels=labels)


def _table(comparison: Comparison, series: Series) -> Table:
    ranked = ranking.found(comparison, series)
    rows = [
        [words.title(one.name), number(one.value), number(one.ratio.value) if one.ratio else "–", one.kind or "–"]
        for one in ranked
    ]
    called = "Falcon" if comparison.asked.of_hello else comparison.asked.reference
    head = ["system", "CPU per request, µs", f"ratio to {called}", f"beside {called}"]
    return Table(title=words.where(comparison, series), head=head, rows=rows)
