"""A user's own transport factory: whether generators can have it, which is said before anything starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from experiments.errors import ParameterError
from experiments.scenario import Scenario

_IMPORT_S = 30.0
_IMPORT = "import importlib, sys; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])"


def name_of(factory: Callable[..., object] | None) -> str:
    """`module:name` of a transport factory; empty for none.

    Raises:
        ParameterError: it is not at the top level of a module, where another process would look for it.
    """
    if factory is None:
        return ""
    module, name = getattr(factory, "__module__", None) or "", getattr(factory, "__qualname__", "")
    if module == "__main__" or not name or not hasattr(sys.modules.get(module), name):
        raise ParameterError(
            f"transport={name or repr(factory)!r} of {module!r}: generator processes must be able to import it; put it at "
            "the top level of a module of yours."
        )
    return f"{module}:{name}"


def check(transport: str, scenario: Scenario) -> None:
    """Makes sure that a new Python process here can import a factory, as generators will.

    Args:
        transport: `module:name`; empty for none.

    Raises:
        ParameterError: it cannot, and why.
    """
    # Workers of a cluster import it on their machines, and say so themselves.
    if not transport or not scenario.generators or scenario.dask_scheduler:
        return
    module, _, name = transport.partition(":")
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _IMPORT, module, name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"not within {_IMPORT_S:g} s"
    else:
        if tried.returncode == 0:
            return
        reason = (tried.stderr.strip().splitlines() or [f"it ended with code {tried.returncode}"])[-1][:200]
    raise ParameterError(
        f"transport={transport!r} cannot be imported by a generator process ({reason}): start the notebook or script in the "
        "folder of that module, install the module, or poll from this process with generators=0."
    )
