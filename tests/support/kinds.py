"""The five kinds of report, each made of its notebook with made-up results."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from experiments.present.pages.run import Page
from experiments.record.schema import Outcome
from experiments.studies.calibrate import certificate, limits, text
from experiments.studies.calibrate.trial import Trial
from experiments.studies.capacity.page import Capacity
from experiments.studies.compare.sections import ComparePage
from tests.present.notebooks import executed
from tests.present.studies.test_compare import comparison
from tests.present.studies.test_sweep import mixed, shown
from tests.studies.calibrate.test_session import FIGURES, TRIED
from tests.studies.capacity.test_session import made, study
from tests.support.made_up import SMALL, failing, made_up

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class _Calibrated:
    """What a calibration shows without its trials having been made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder

    def certificate(self) -> object:
        trials = {limits.POSITIVE: [Trial("positive control 1", "", "valid", ok=True, run_id="it")]}
        return text.certificate(certificate.certify(self._folder, TRIED, trials, FIGURES))


KINDS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "run": (
        "page",
        lambda folder: Page(made_up(folder, SMALL, server=failing(Outcome.HTTP_ERROR, every=4, status=503))),
    ),
    "sweep": ("page", lambda folder: shown(folder, mixed)),
    "capacity": ("capacity", lambda folder: Capacity(study(folder, made(edge=200)))),
    "compare": ("page", lambda folder: ComparePage(comparison(folder))),
    "calibrate": ("calibration", _Calibrated),
}
"""Notebook -> what its cells call, and how that is made."""


def notebook_of(kind: str, folder: Path) -> NotebookNode:
    """The notebook as if it had been executed: cells that show a part of the page have their outputs."""
    name, make = KINDS[kind]
    page = make(folder)
    nb = nbformat.read(NOTEBOOKS / f"{kind}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
            if call := _called(cell.source, name, page):
                cell.outputs = executed(call).outputs
    return nb


def _called(source: str, name: str, page: Any) -> Callable[[], object] | None:
    """What a cell like `page.response("p95")` shows; None for every other."""
    tree = ast.parse(source).body
    call = tree[0].value if len(tree) == 1 and isinstance(tree[0], ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if not isinstance(call.func.value, ast.Name) or call.func.value.id != name or call.func.attr == "enforce":
        return None
    method = getattr(page, call.func.attr, None)
    given = [ast.literal_eval(one) for one in call.args]
    return (lambda: method(*given)) if method else None
