"""The form above a run, as HTML; `tests/notebooks/test_jupyterlab.py` uses it."""

import json
from pathlib import Path

import pytest

from experiments.present.exporter import LabReportExporter
from experiments.present.live import form
from experiments.scenario import ENGINES, Scenario
from tests.present.notebooks import executed, notebook

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "run.ipynb"


def test_every_field_is_a_parameter_of_the_notebook() -> None:
    """Under the name by which its script finds the line."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    (source,) = ("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    script = form.drawn().content
    for name in ("target", "clients", "interval_ms", "minutes", "engine"):
        assert f'name="{name}"' in script
        assert f'"{name}"' in script
        assert f"\n{name}: " in f"\n{source}"
        assert name in Scenario.model_fields


def test_every_engine_can_be_chosen() -> None:
    """The list is that of the lab."""
    assert [f"<option>{name}</option>" for name in ENGINES if f"<option>{name}</option>" not in form.drawn().content] == []


def test_nothing_is_seen_where_its_script_finds_no_jupyterlab(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is hidden until then, a kernel of papermill has only a note, and a report has neither."""
    assert form.drawn().content.startswith('<div class="lab-form" hidden="hidden">')
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert "lab-form" not in form.form().markup.content
    assert "a form stands here" not in LabReportExporter().from_notebook_node(notebook(executed(form.form)))[0]
