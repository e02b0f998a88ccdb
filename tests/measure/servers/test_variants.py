"""A server that differs by commit, packages or loop: made before a run, gone after it, and refused in a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.beside import System
from experiments.errors import ParameterError
from experiments.measure.servers import variants
from experiments.measure.servers.variants import Variant
from server import catalogue


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@t.invalid", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of an app in a folder of a repository, and a change that is in neither."""
    app = tmp_path / "repository" / "api"
    app.mkdir(parents=True)
    git(app.parent, "init", "-q", "-b", "main")
    for text in ("old", "new"):
        (app / "app.py").write_text(text)
        git(app.parent, "add", "-A")
        git(app.parent, "commit", "-q", "-m", text)
    (app / "app.py").write_text("not committed")
    return app.parent


def test_another_commit_starts_in_a_worktree_of_its_own(repository: Path) -> None:
    """The folder is that of the other commit, the user's own files stay as they are, and nothing is left in the end."""
    before = git(repository, "status", "--short")
    made = variants.make(System("git:HEAD~1", revision="HEAD~1"), repository / "api")
    assert made.folder is not None
    assert (made.folder / "app.py").read_text() == "old"
    assert made.facts["commit"] == git(repository, "rev-parse", "HEAD~1")
    assert (repository / "api" / "app.py").read_text() == "not committed"
    made.close()
    assert not made.folder.exists()
    assert git(repository, "worktree", "list").count("\n") == 0
    assert git(repository, "status", "--short") == before


def test_a_commit_that_is_not_there_is_refused(repository: Path, tmp_path: Path) -> None:
    """Also where the folder belongs to no repository, or the commit had no such folder; no worktree stays."""
    (repository / "later").mkdir()
    for revision, home, why in (
        ("nowhere", repository / "api", "no such commit"),
        ("HEAD", tmp_path, "in no repository"),
        ("HEAD", repository / "later", "has no folder 'later'"),
    ):
        with pytest.raises(ParameterError, match=why):
            variants.make(System(revision=revision), home)
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_loop_takes_the_place_of_the_one_in_the_command() -> None:
    """The record's words change with it; a command without such an option is refused."""
    falcon = Variant(loop="asyncio").applied(catalogue.SYSTEMS["falcon"])
    assert falcon.loop == "asyncio"
    assert falcon.template[falcon.template.index("--loop") + 1] == "asyncio"
    with pytest.raises(ParameterError, match="no loop to choose"):
        Variant(loop="asyncio").applied(catalogue.SYSTEMS["django"])


def test_what_has_its_own_environment_keeps_it() -> None:
    """No package can be changed there, since nobody knows what it rests on."""
    with pytest.raises(ParameterError, match="environment of its own already"):
        Variant(python="/elsewhere/python").applied(catalogue.SYSTEMS["django-1.11"])
    assert Variant(python="/elsewhere/python").applied(catalogue.SYSTEMS["falcon"]).python == "/elsewhere/python"


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept by what is in it, and one whose making broke off is no environment."""
    ran: list[list[str]] = []

    def run(command: list[str]) -> None:
        ran.append(command)
        if "venv" in command:
            home = Path(command[-1])
            (home / "bin").mkdir(parents=True)
            (home / "bin" / "python").symlink_to(sys.executable)
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            (home / "lib" / version / "site-packages").mkdir(parents=True)
        elif "broken==1" in command:
            raise subprocess.CalledProcessError(1, command, stderr="some words\nERROR: there is no broken==1\n")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(variants, "_run", run)
    first = variants.make(System(packages=("falcon==4.1",)), tmp_path)
    assert (variants.make(System(packages=("falcon==4.1",)), tmp_path).python, len(ran)) == (first.python, 2)
    (pth,) = Path(first.python).parents[1].rglob("lab.pth")
    assert "site-packages" in pth.read_text()
    for _ in range(2):
        with pytest.raises(ParameterError, match="ERROR: there is no broken==1"):
            variants.make(System(packages=("broken==1",)), tmp_path)
    assert len(ran) == 6


def test_a_server_as_it_is_needs_nothing(tmp_path: Path) -> None:
    """Other workers or another name make no environment."""
    assert variants.make(System("starlette workers=2", server="starlette", workers=2), tmp_path) is variants.AS_IT_IS
