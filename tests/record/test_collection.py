"""Sealed records are found at a run, or below a folder of cells."""

from pathlib import Path

import pytest

from experiments.errors import RecordError
from experiments.record.collection import collect
from experiments.scenario import Scenario
from tests.support.made_up import made_up

SHORT = Scenario(clients=5, minutes=0.05, warmup_s=0)


def test_a_run_is_one_record(tmp_path: Path) -> None:
    """The folder of a single run is as good as one that holds many."""
    assert [record.run_id for record in collect(made_up(tmp_path, SHORT).path)] == ["made-up"]


def test_a_folder_of_cells_gives_the_records_that_count(tmp_path: Path) -> None:
    """Neither those that were killed, nor those that were set aside."""
    for name in ("b", "a"):
        made_up(tmp_path / "cells" / name, SHORT.model_copy(update={"run_id": name}))
    made_up(tmp_path / "cells" / "killed", SHORT.model_copy(update={"run_id": "killed"}), killed_at=1)
    made_up(tmp_path / "aside" / "a-1", SHORT.model_copy(update={"run_id": "a"}))
    (tmp_path / "cells" / "failed").mkdir()
    assert [record.run_id for record in collect(tmp_path)] == ["a", "b"]


def test_where_nothing_was_measured_there_is_nothing_to_collect(tmp_path: Path) -> None:
    """An empty folder, one that is not there, an unfinished run: one sentence each."""
    killed = made_up(tmp_path, SHORT, killed_at=1).path
    for place in (tmp_path / "absent", tmp_path / "cells", killed):
        with pytest.raises(RecordError, match="no finished run"):
            collect(place)
