"""What makes a server differ from the one of the same name: another commit, other packages, another loop, variables.

What is said of it in; an interpreter, a folder and variables out. A worktree of git lives as long as the run; an environment
with other packages is kept for the next one, since making it takes longer than measuring it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.beside import System
from experiments.errors import ParameterError
from server import catalogue

_GIT_S = 60
_INSTALL_S = 600


@dataclass(frozen=True)
class Variant:
    """How a server is started, where that is not as usual."""

    python: str = ""
    """The interpreter; empty for its usual one."""
    folder: Path | None = None
    """Where it starts; None for its usual folder."""
    loop: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a record says of it."""
    worktree: tuple[Path, Path] | None = None
    """Repository, and the worktree that was made of it."""

    def applied(self, system: catalogue.System) -> catalogue.System:
        """A system, started so.

        Raises:
            ParameterError: its command has no loop to choose, or it has an environment of its own already.
        """
        if self.python and system.isolated:
            raise ParameterError(f"{system.name} has an environment of its own already: no package of it can be changed.")
        changed = replace(system, interpreter=self.python) if self.python else system
        if not self.loop:
            return changed
        if "--loop" not in system.template:
            raise ParameterError(f"loop={self.loop}: the command of {system.name} has no loop to choose.")
        place = system.template.index("--loop") + 1
        template = (*system.template[:place], self.loop, *system.template[place + 1 :])
        return replace(changed, template=template, loop=self.loop)

    def close(self) -> None:
        """Removes the worktree, if there is one."""
        if self.worktree is not None:
            repository, place = self.worktree
            with suppress(subprocess.SubprocessError, OSError):
                _git(repository, "worktree", "remove", "--force", str(place))
            shutil.rmtree(place.parent, ignore_errors=True)


AS_IT_IS = Variant()


def make(said: System, home: Path) -> Variant:
    """Makes what a server needs; takes as long as git and pip take.

    Args:
        home: the folder in which it usually starts.

    Raises:
        ParameterError: there is no such commit or package, or no repository.
    """
    if not said.differs:
        return AS_IT_IS
    python, facts = "", dict[str, Any]()
    if said.packages:
        python, facts["packages"] = str(_environment(said.packages)), list(said.packages)
    folder, worktree = None, None
    if said.revision:
        repository, place, commit = _worktree(said.revision, home)
        folder, worktree = place / home.resolve().relative_to(repository), (repository, place)
        facts["commit"] = commit
    variant = Variant(python, folder, said.loop, said.environment, facts, worktree)
    if folder is not None and not folder.is_dir():
        variant.close()
        raise ParameterError(f"git:{said.revision} has no folder {home.name!r}, in which the server starts.")
    return variant


def _worktree(revision: str, home: Path) -> tuple[Path, Path, str]:
    """(repository, worktree, commit) of another commit of the repository that a folder belongs to."""
    try:
        repository = Path(_git(home, "rev-parse", "--show-toplevel")).resolve()
        commit = _git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except (subprocess.SubprocessError, OSError):
        raise ParameterError(
            f"git:{revision}: there is no such commit, or {home} is in no repository of git; name a commit, branch or tag."
        ) from None
    place = Path(tempfile.mkdtemp(prefix="lab-git-")) / "tree"
    try:
        _git(repository, "worktree", "prune")
        _git(repository, "worktree", "add", "--detach", "--quiet", str(place), commit)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(place.parent, ignore_errors=True)
        said = getattr(error, "stderr", "") or str(error)
        raise ParameterError(f"git:{revision}: no worktree could be made of it ({' '.join(said.split())[:300]}).") from None
    return repository, place, commit


def _git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, timeout=_GIT_S,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return ran.stdout.strip()


def _environment(packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment in which these packages go before the lab's, and all others are the lab's own.

    Raises:
        ParameterError: they cannot be installed.
    """
    key = "\n".join([sys.version, sys.prefix, *packages])
    home = _cache() / hashlib.sha256(key.encode()).hexdigest()[:16]
    python, stamp = home / "bin" / "python", home / "complete"
    if stamp.is_file() and python.exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    try:
        _run([sys.executable, "-m", "venv", "--without-pip", str(home)])
        lab = sysconfig.get_path("purelib")
        own = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
        (own / "lab.pth").write_text(f"import site; site.addsitedir({lab!r})\n")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *packages])
        stamp.write_text(key)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(home, ignore_errors=True)
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:] or ["no reason was told"]
        asked = " ".join(packages)
        raise ParameterError(f"{asked} could not be installed in an environment of its own: {said[0]}") from None
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_S, stdin=subprocess.DEVNULL)


def _cache() -> Path:
    """Where environments are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "falcon-performance-lab" / "environments"
