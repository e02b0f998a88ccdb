"""A comparison as its notebook goes through it: asked, foretold, measured, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from experiments.errors import VerdictError
from experiments.parameters import check_names, injected_names
from experiments.present.markup import Markup
from experiments.present.tables import capacity as tables
from experiments.present.tables import scenario as question
from experiments.record.collection import located
from experiments.studies.cells.folder import Folder
from experiments.studies.cells.session import OnCellProgress
from experiments.studies.compare import outlook, page, ranking
from experiments.studies.compare.params import PARAMETERS, Asked
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.strategy import Session


class Compared(Comparison):
    """A comparison that shows itself: each of these is one cell of the notebook."""

    answer = page.answer
    ratios = page.ratios
    table = page.table
    times = page.times
    costs = page.costs
    capacity = page.capacities
    serial = page.serial
    serial_words = page.serial_words
    three_clients = page.three_clients
    fairness = page.fairness
    wrong = page.wrong
    systems = page.systems
    provenance = page.provenance

    def enforce(self) -> None:
        """Fails, if that was asked for, where the comparison is not whole or Falcon differs from itself.

        Raises:
            VerdictError: says why.
        """
        if self.asked.own.strict and (reasons := unmet(self)):
            raise VerdictError(" ".join(reasons))


class Compare:
    """What `compare.ipynb` asks."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: a value is not allowed, papermill injected a name that is no parameter, or a database is away.
            RecordError: there is nothing at `compare_dir`.
        """
        if not namespace["compare_dir"]:
            return cls(Session(Asked.from_notebook(namespace)))
        check_names(injected_names(namespace), PARAMETERS)
        shown = located(str(namespace["compare_dir"]))
        return cls(Session(Asked.of_plan(Folder(shown).plan(), namespace), shown=shown))

    def asked(self) -> Markup:
        """What will be measured, in which order, and how long that takes."""
        pairs = outlook.question(self.session)
        return tables.facts(pairs, label="the comparison") + question.parameters(self.session.asked.common)

    def measure(self, on_progress: OnCellProgress | None = None) -> Compared:
        """Measures what has no whole record yet; an interrupt ends that, and what is there is shown.

        Raises:
            ParameterError: the folder belongs to another comparison or process, or not even one block would end in time.
            RecordError: the folder cannot be written.
        """
        return Compared(**vars(self.session.measure(on_progress)))


def unmet(comparison: Comparison) -> list[str]:
    """Why a comparison should not be relied on; empty if it may be."""
    reasons = [comparison.left_out] if comparison.left_out else []
    for series in comparison.asked.series:
        runs = [run for run in comparison.runs if run.series == series]
        without = {run.system for run in runs} - {run.system for run in runs if run.counts}
        reasons += [f"{series.title}: {name} has no run that counts." for name in sorted(without)]
        found = ranking.ranked(ranking.by_block(runs, series))
        if any(one.name == ranking.AGAIN and one.kind in ("more", "less") for one in found):
            reasons.append(f"{series.title}: Falcon differs from itself.")
    return reasons
