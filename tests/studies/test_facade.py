"""All studies are used alike: by their notebooks' parameters, from one facade."""

from pathlib import Path

import nbformat
import papermill
import pytest

import experiments as lab
from experiments.errors import ParameterError, RecordError
from experiments.studies.facade import Facade

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STUDIES = {"sweep": lab.Sweep, "capacity": lab.Capacity, "compare": lab.Compare, "calibrate": lab.Calibration}


@pytest.mark.parametrize("name", STUDIES)
def test_a_notebook_has_every_parameter_of_its_study_and_goes_through_its_facade(name: str) -> None:
    """Its first cell shows back what is asked, and its last one enforces the verdict."""
    study: type[Facade] = STUDIES[name]
    path = NOTEBOOKS / f"{name}.ipynb"
    assert set(papermill.inspect_notebook(str(path))) == set(study.asks.params.names())
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    variable = cells[1].splitlines()[2].partition(" = ")[0]
    assert cells[1] == (
        f"import experiments as lab\n\n{variable} = lab.{study.__name__}.from_notebook(globals())\n{variable}.asked()"
    )
    assert cells[-1].endswith(".enforce()")


@pytest.mark.parametrize("name", STUDIES)
def test_a_name_that_papermill_injected_must_be_a_parameter_of_every_study(name: str) -> None:
    """A typing error is refused with the nearest name, where an earlier folder is only shown as well."""
    kind = STUDIES[name].asks.params.kind
    for given in ({}, {f"{kind}_dir": "somewhere"}):
        with pytest.raises(ParameterError, match="did you mean 'max_hours'"):
            STUDIES[name].from_notebook(given | {"In": ["# Parameters\nmax_hour = 3"]})


@pytest.mark.parametrize("name", STUDIES)
def test_what_is_not_there_cannot_be_shown(name: str, tmp_path: Path) -> None:
    """A folder without a plan is no study of any kind."""
    study = STUDIES[name]
    with pytest.raises(RecordError, match="not a folder of cells"):
        study.of({f"{study.asks.params.kind}_dir": str(tmp_path)})
