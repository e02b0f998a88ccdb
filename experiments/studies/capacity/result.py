"""The result of a capacity search: its ends, and what is held against an earlier one -> `Result`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from experiments.analyse.changes import Comparison
from experiments.present.format import count, plural
from experiments.present.result import run
from experiments.present.result.model import Case, Figure, Judgement, Result, State, Table
from experiments.studies.capacity import text as words
from experiments.studies.capacity.search import Finding
from experiments.studies.capacity.strategy import Search

_FOUND = ("edge", "largest holds")
"""Ends that answer the question."""


def result(
    name: str,
    searches: Mapping[int, Search],
    earlier: Mapping[int, tuple[int, int]],
    comparison: Comparison | None = None,
    compare_to: str = "",
    margin_pct: float = 10.0,
) -> Result:
    """What a search comes to.

    Args:
        searches: by number of workers.
        earlier: workers -> devices held before and now, where both are known.
    """
    answers = [words.answer(search) for search in searches.values()]
    shrunk = _shrunk(earlier, compare_to, margin_pct)
    changed = [*shrunk, *run.changes([comparison] if comparison else [], compare_to, margin_pct)]
    findings = {workers: search.finding for workers, search in searches.items()}
    return Result(
        kind="capacity",
        name=name,
        title="Capacity within a service level",
        answer=" ".join(headline for headline, _ in answers) or "Nothing was searched.",
        service_level=_level(findings),
        measurement=_measurement(findings, [said for _, sentences in answers for said in sentences]),
        regressions=[case.said for case in changed if case.status == "failed"],
        cases=[*(_case(workers, search) for workers, search in searches.items()), *changed],
        figures=list(_figures(findings)),
        tables=[_table(searches)],
    )


def _level(findings: Mapping[int, Finding | None]) -> Judgement:
    """A search is asked where the level breaks: it is missed only if not even the smallest load keeps it."""
    if any(one and one.how == "smallest misses" for one in findings.values()):
        return Judgement(status="missed", said="Even the smallest load misses it.")
    if any(one and one.clients for one in findings.values()):
        return Judgement(status="met", said="By as many devices as the answer says.")
    return Judgement(status="not asked", said="No load gave evidence.")


def _measurement(findings: Mapping[int, Finding | None], sentences: Sequence[str]) -> Judgement:
    ends = [one.how if one else "unfinished" for one in findings.values()]
    if not ends or any(end in ("unfinished", "no evidence") for end in ends):
        status = "invalid"
    else:
        status = "suspect" if "generator first" in ends else "valid"
    return Judgement(status=status, said=" ".join(sentences))


def _shrunk(earlier: Mapping[int, tuple[int, int]], compare_to: str, margin_pct: float) -> list[Case]:
    found = []
    for workers, (before, now) in earlier.items():
        less = now < before * (1 - margin_pct / 100)
        said = f"{count(now)} devices on {plural(workers, 'worker')}, {count(before)} in {compare_to}"
        found.append(Case(suite="change", name=f"devices held, {workers}", status="failed" if less else "passed", said=said))
    return found


def _case(workers: int, search: Search) -> Case:
    headline, sentences = words.answer(search)
    how = search.finding.how if search.finding else "unfinished"
    status: State = "passed" if how in _FOUND else "failed" if how == "smallest misses" else "error"
    return Case(suite="search", name=words.workers(workers), status=status, said=" ".join([headline, *sentences]))


def _figures(findings: Mapping[int, Finding | None]) -> Iterator[Figure]:
    for workers, finding in findings.items():
        if finding is not None:
            yield Figure(name="devices_held", value=finding.clients, labels={"workers": str(workers), "end": finding.how})


def _table(searches: Mapping[int, Search]) -> Table:
    rows = [
        [words.workers(workers), count(one.finding.clients), one.finding.how, count(len(one.runs))]
        for workers, one in searches.items()
        if one.finding is not None
    ]
    return Table(title="Devices held", head=["on", "devices", "how the search ended", "runs"], rows=rows)
