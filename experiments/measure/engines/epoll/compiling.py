"""How the loop is compiled: by numba, once; what it made is kept for the next start, also where the lab is read-only.

The same functions run as plain Python with NUMBA_DISABLE_JIT=1, for debuggers, for coverage and for tests.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

_njit: Any = numba.njit
_config: Any = numba.config
F = TypeVar("F", bound=Callable[..., Any])

COMPILED = not _config.DISABLE_JIT
"""Whether anything is."""
_OURS = "falcon-asgi-performance-lab"
_EXPERIMENTS = Path(__file__).parents[3]
_SOURCES = (
    *(f"measure/engines/epoll/{name}.py" for name in ("arrays", "compiling", "course", "head", "libc", "loop")),
    *("chance.py", "schedule.py", "turns.py", "record/schema.py", "measure/engines/device.py"),
)
"""What is compiled, and where its constants come from."""


def compiled(function: F) -> F:
    """Has numba compile what Python calls, without the interpreter lock and without checks of bounds; see `make`."""
    if not COMPILED:
        # Random figures go round at 64 bits, of which compiled code makes no mention.
        return np.errstate(over="ignore")(function)
    with _caching():
        made: Any = _njit(cache=True, nogil=True, error_model="numpy")(function)
    return made  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """The same for what only compiled functions call; it is kept with these."""
    made: F = _njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return made


def make(function: Any, arguments: tuple[Any, ...]) -> bool:
    """Compiles a function for arguments of these types of numba, and for no other from then on.

    Returns:
        Whether that was new; else what was made of it earlier was found.
    """
    if not COMPILED:
        return False
    function.compile(arguments)
    function.disable_compile()
    return bool(function.stats.cache_misses)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keeps other generators that start now waiting: they will find what this one made."""
    import fcntl

    if not COMPILED:
        yield
        return
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def folder() -> Path:
    """Where compiled code is kept: the user's folder for such things, or a new one where that cannot be written.

    One folder for each state of the sources: numba looks at a function's own file, and not at what it calls.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for source in _SOURCES:
        digest.update((_EXPERIMENTS / source).read_bytes())
    named = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(named) if named.startswith("/") else Path.home() / ".cache"
    path = home / _OURS / digest.hexdigest()[:16]
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        # Of a name that nobody can foresee: what lies here is run.
        path = Path(tempfile.mkdtemp(prefix=_OURS))
    return path


@contextmanager
def _caching() -> Iterator[None]:
    """Has numba keep its code in our folder, unless the user named another one; as it was for everybody else."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = before or str(folder())
    try:
        yield
    finally:
        _config.CACHE_DIR = before
