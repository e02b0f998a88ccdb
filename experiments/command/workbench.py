"""JupyterLab on a working copy of the notebooks, so that what a person tries never changes what `make report` runs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from experiments.command.kinds import NOTEBOOKS
from experiments.errors import ParameterError
from experiments.present.live import form

WORK = NOTEBOOKS.parent / "work"
FORM_TAG = "form"
_COPIED = ".copied.json"
"""In the folder of copies: notebook -> the digest of what was copied, and of the copy."""


def copies(fresh: bool = False, *, source: Path = NOTEBOOKS, folder: Path = WORK) -> list[str]:
    """Makes copies of the notebooks, those that somebody has changed left alone; a copy nobody touched follows its original.

    Args:
        fresh: make them all anew; what was changed is kept beside, under the time.

    Returns:
        What a person must know of it, a sentence each.

    Raises:
        ParameterError: the folder cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        seen = _read(folder / _COPIED)
        said = [sentence for path in sorted(source.glob("*.ipynb")) if (sentence := _copy(path, folder, seen, fresh))]
        (folder / _COPIED).write_text(json.dumps(seen, indent=1), encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{folder} cannot be written ({error.strerror}).") from None
    return said


def _copy(original: Path, folder: Path, seen: dict[str, list[str]], fresh: bool) -> str:
    """Copies one notebook if it may be, and says why not where its original has changed meanwhile."""
    copy, now = folder / original.name, _digest(original)
    was, made = seen.get(original.name, ["", ""])
    touched = copy.exists() and _digest(copy) != made
    if touched and not fresh:
        later = f"{copy.name} is yours, and of an earlier version than notebooks/{copy.name}: --fresh makes it anew."
        return "" if was == now else later
    if copy.exists() and was == now and not fresh:
        return ""
    if touched:
        copy.rename(copy.with_name(f"{copy.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.ipynb"))
    _write(original, copy)
    seen[original.name] = [now, _digest(copy)]
    return ""


def _write(original: Path, copy: Path) -> None:
    """The copy has the form already, and is trusted to show it: so it is there before a kernel is."""
    notebook = nbformat.read(original, as_version=4)  # type: ignore[no-untyped-call]
    forms = [cell for cell in notebook.cells if FORM_TAG in cell.metadata.get("tags", ())]
    for cell in forms:
        data = {"text/html": form.drawn().content, "text/plain": "the form"}
        cell.outputs = [nbformat.v4.new_output("display_data", data=data, metadata=form.ROLE)]  # type: ignore[no-untyped-call]
    nbformat.write(notebook, copy)  # type: ignore[no-untyped-call]
    if forms:
        NotebookNotary().sign(nbformat.read(copy, as_version=4))  # type: ignore[no-untyped-call]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, list[str]]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def command(notebook: str, options: Sequence[str] = (), *, folder: Path = WORK) -> list[str]:
    """The words that start JupyterLab on a copy.

    Raises:
        ParameterError: there is no notebook of that name.
    """
    path = folder / f"{Path(notebook).stem}.ipynb"
    if not path.is_file():
        there = ", ".join(sorted(one.stem for one in folder.glob("*.ipynb")))
        raise ParameterError(f"there is no notebook {notebook!r}; those that are there are {there}.")
    # The form reaches the cell of parameters and the kernel through the application.
    ours = ("--expose-app-in-browser", f"--ServerApp.root_dir={folder.parent}")
    return [sys.executable, "-m", "jupyterlab", *ours, *options, str(path)]


def start(notebook: str, options: Sequence[str] = ()) -> int:
    """Runs JupyterLab until it is ended; its exit code."""
    try:
        return subprocess.call(command(notebook, options))
    except KeyboardInterrupt:
        return 0
