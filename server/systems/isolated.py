"""Makes the environments of systems that cannot live beside the lab's packages: `python -m server.systems.isolated`.

Each is a virtual environment within the lab's own, made where a Python that it runs on is found. `complete` is written
last, so an interrupted install does not pass for one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from server.catalogue import SYSTEMS
from server.systems.model import System

_ASK_S = 20
_INSTALL_S = 600


def main() -> int:
    """Makes what is missing and says a line for each; the exit code is 1 if an install failed."""
    failed = False
    for system in SYSTEMS.values():
        if system.isolated:
            result = make(system)
            failed |= result.startswith("failed")
            sys.stdout.write(f"{system.title}: {result}\n")
    return int(failed)


def make(system: System) -> str:
    """Makes the environment of a system; says what came of it: ready, skipped, or failed, and why."""
    assert system.isolated is not None
    packages = "\n".join(system.isolated.packages)
    stamp = system.home / "complete"
    if stamp.exists() and stamp.read_text() == packages:
        return "ready"
    python = next(filter(None, map(find, system.isolated.pythons)), None)
    if python is None:
        return f"skipped: no Python {' or '.join(system.isolated.pythons)}"
    shutil.rmtree(system.home, ignore_errors=True)
    install = [system.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *system.isolated.packages]
    try:
        for command in ([str(python), "-m", "venv", str(system.home)], install):
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=_INSTALL_S)
    except (subprocess.SubprocessError, OSError) as error:
        return f"failed: {error}"
    stamp.write_text(packages)
    return "ready"


def find(version: str) -> Path | None:
    """A Python of this version, such as "3.7", that runs; None if there is none."""
    return next((path for path in _candidates(version) if _is(path, version)), None)


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    if on_path := shutil.which(name):
        yield Path(on_path)
    home = Path.home()
    # What pyenv and uv have installed need not be on the path; pyenv's own python3.7 there may say that it is not chosen.
    yield from (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions").glob(f"{version}.*/bin/{name}")
    yield from (home / ".local/share/uv/python").glob(f"cpython-{version}.*/bin/{name}")


def _is(path: Path, version: str) -> bool:
    ask = [str(path), "-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=_ASK_S, stdin=subprocess.DEVNULL, check=False)
    except (subprocess.SubprocessError, OSError):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


if __name__ == "__main__":
    sys.exit(main())
