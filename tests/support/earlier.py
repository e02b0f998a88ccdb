"""An earlier run in the same place, which no later one may touch, whatever happens to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest


def earlier_run(results: Path) -> dict[Path, bytes]:
    """Makes the files of a run, if there is none; returns what is in them."""
    path = results / "earlier"
    (path / "requests").mkdir(parents=True, exist_ok=True)
    for name in ("started.json", "run.json", "requests/part-0-0.parquet"):
        (path / name).write_bytes(name.encode())
    return content(path)


def content(path: Path) -> dict[Path, bytes]:
    """All files of a folder."""
    return {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[None]:
    """Such a run in the test's results, compared at the test's end."""
    before = earlier_run(tmp_path / "results")
    yield
    assert content(tmp_path / "results" / "earlier") == before
