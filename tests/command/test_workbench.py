"""The working copy that JupyterLab opens."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary

from experiments.command import workbench
from experiments.errors import ParameterError
from experiments.present.live import form

v4 = nbformat.v4


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two notebooks, of which one has a form; trust is kept in a place of the test's own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shown = v4.new_code_cell("lab.form()", metadata={"tags": [workbench.FORM_TAG]})
    nbformat.write(v4.new_notebook(cells=[shown]), folder / "run.ipynb")
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("1")]), folder / "sweep.ipynb")
    return folder


def copied(source: Path, *, fresh: bool = False) -> tuple[Path, list[str]]:
    """The folder of copies, and what is said of it."""
    folder = source.parent / "work"
    return folder, workbench.copies(fresh, source=source, folder=folder)


def changed(path: Path, code: str) -> NotebookNode:
    """A notebook with one more cell."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(v4.new_code_cell(code))
    nbformat.write(notebook, path)
    return notebook


def test_the_copy_shows_the_form_before_anything_runs(source: Path) -> None:
    """It is trusted, so that JupyterLab lets the form's script run; the original is as it was."""
    before = (source / "run.ipynb").read_bytes()
    folder, said = copied(source)
    copy = nbformat.read(folder / "run.ipynb", as_version=4)
    assert 'class="lab-form"' in copy.cells[0].outputs[0].data["text/html"]
    assert copy.cells[0].outputs[0].metadata == form.ROLE
    assert NotebookNotary().check_signature(copy)
    assert (source / "run.ipynb").read_bytes() == before
    assert said == []


def test_what_a_person_changed_is_left_alone(source: Path) -> None:
    """Also where the original has become another one, which is said."""
    folder, _ = copied(source)
    changed(folder / "run.ipynb", "mine")
    mine = (folder / "run.ipynb").read_bytes()
    assert copied(source)[1] == []
    changed(source / "run.ipynb", "theirs")
    assert "run.ipynb is yours, and of an earlier version" in copied(source)[1][0]
    assert (folder / "run.ipynb").read_bytes() == mine


def test_a_copy_nobody_touched_follows_its_original(source: Path) -> None:
    """So a new version of the lab is a new version in JupyterLab."""
    folder, _ = copied(source)
    changed(source / "sweep.ipynb", "theirs")
    assert copied(source)[1] == []
    assert nbformat.read(folder / "sweep.ipynb", as_version=4).cells[-1].source == "theirs"


def test_a_fresh_copy_keeps_the_one_before(source: Path) -> None:
    """Beside it, under the time."""
    folder, _ = copied(source)
    changed(folder / "run.ipynb", "mine")
    copied(source, fresh=True)
    kept = list(folder.glob("run-*.ipynb"))
    assert len(kept) == 1
    assert nbformat.read(kept[0], as_version=4).cells[-1].source == "mine"
    assert len(nbformat.read(folder / "run.ipynb", as_version=4).cells) == 1


def test_only_a_copy_is_opened(source: Path) -> None:
    """An unknown name is refused, and says which there are."""
    folder, _ = copied(source)
    assert workbench.command("sweep", folder=folder)[-1] == str(folder / "sweep.ipynb")
    with pytest.raises(ParameterError, match="those that are there are run, sweep"):
        workbench.command("swep", folder=folder)
