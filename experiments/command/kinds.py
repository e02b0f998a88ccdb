"""The notebooks that the command line runs, and how each names its folder."""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import parameters
from experiments.errors import ParameterError
from experiments.runner import check_earlier
from experiments.scenario import Scenario
from experiments.typed import Typed

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Kind:
    """One notebook."""

    name: str
    """As its file and its command are called."""
    own: str
    """Begins the parameters that name its folder: `sweep` for `sweep_id` and `sweep_dir`."""
    facade: str = ""
    """What checks its parameters, `module:class`; empty for a single run."""

    @property
    def id(self) -> str:
        return f"{self.own}_id"

    @property
    def shows(self) -> str:
        return f"{self.own}_dir"

    @property
    def notebook(self) -> Path:
        """Its file.

        Raises:
            ParameterError: the lab is installed without its notebooks.
        """
        path = NOTEBOOKS / f"{self.name}.ipynb"
        if not path.is_file():
            raise ParameterError(f"{path} is not there: the command line runs the notebooks of a checkout of the lab.")
        return path

    def check(self, typed: Mapping[str, Typed]) -> dict[str, Any]:
        """Refuses what the notebook would refuse before it starts anything.

        Returns:
            All parameters, those that nobody gave at the notebook's own values.

        Raises:
            ParameterError: one sentence for each thing that is wrong.
            RecordError: what is to be shown or compared with is not there.
        """
        asks = self._asks
        known, texts = (Scenario.model_fields, Scenario.texts()) if asks is None else (asks.names(), asks.textual())
        parameters.check_names(typed, known)
        given = {name: parameters.meant(one, of_text=name in texts) for name, one in typed.items()}
        asked = defaults(self.notebook) | given
        if asks is None:
            scenario = Scenario.from_parameters(asked)
            check_earlier(scenario.compare_to, strict=scenario.strict)
        else:
            self._loaded.of(asked)
        return asked

    @property
    def _asks(self) -> Any:
        return self._loaded.asks.params if self.facade else None

    @property
    def _loaded(self) -> Any:
        module, _, name = self.facade.partition(":")
        return getattr(importlib.import_module(module), name)


def defaults(notebook: Path) -> dict[str, Any]:
    """The values in the parameters cell of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }


KINDS = {
    one.name: one
    for one in (
        Kind("run", "run"),
        Kind("sweep", "sweep", "experiments.studies.sweep.page:Sweep"),
        Kind("capacity", "capacity", "experiments.studies.capacity.page:Capacity"),
        Kind("compare", "compare", "experiments.studies.compare.page:Compare"),
        Kind("tools", "tools", "experiments.studies.tools.page:Tools"),
        Kind("calibrate", "calibration", "experiments.studies.calibrate.page:Calibration"),
    )
}
