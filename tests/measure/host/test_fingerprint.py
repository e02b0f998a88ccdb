"""What is said of this machine."""

import subprocess
from pathlib import Path

import pytest

from experiments.measure.host import fingerprint


@pytest.mark.parametrize(
    ("lines", "virtual"),
    [
        (["flags\t\t: fpu vme hypervisor lahf_lm"], True),
        (["flags\t\t: fpu vme lahf_lm"], False),
        (["Features\t: fp asimd evtstrm"], None),
        ([], None),
    ],
)
def test_a_machine_that_does_not_say_so_is_not_called_real(lines: list[str], virtual: bool | None) -> None:
    """The processor's flags tell of a hypervisor; where there are none, nothing is known."""
    assert fingerprint.is_virtual(lines) is virtual


def test_what_the_report_shows_of_a_machine_is_written() -> None:
    """The provenance reads `hypervisor`, and nothing that no fingerprint has."""
    assert "hypervisor" in fingerprint.fingerprint()


def test_the_commit_is_told_and_whether_files_were_changed(tmp_path: Path) -> None:
    """A folder that is no repository of its own has none, even where one further up has."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for asked in (["init", "-q"], ["add", "."], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run([*git, *asked], check=True)
    (tmp_path / "inner").mkdir()
    assert fingerprint.commit(tmp_path / "inner") is None
    found = fingerprint.commit(tmp_path)
    assert found is not None
    assert (len(found["id"]), found["changed"]) == (40, False)
    (tmp_path / "file").write_text("new")
    subprocess.run([*git, "add", "file"], check=True)
    assert fingerprint.commit(tmp_path) == {"id": found["id"], "changed": True}
