"""gunicorn, for an application of the user's: `module:name` may be the application, or a factory that makes it.

    python own_app.py module:name <arguments of gunicorn>

A script, called by its path and from the user's folder: no package of theirs can take the place of one of ours, and what
they import is found as if they had started it themselves. uvicorn tells the two apart by itself.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any


def application(name: str) -> Any:
    """The application of that name, made if it is a factory: something that is called without arguments."""
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return found() if _is_factory(found) else found


def _is_factory(found: Any) -> bool:
    if not callable(found):
        return False
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return False
    return all(one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)


def main() -> None:
    """Runs gunicorn in this process; it finds this module, and so the application, under a name of its own."""
    from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]

    sys.path[0] = str(Path.cwd())
    sys.modules["lab_own_app"] = sys.modules[__name__]
    name, arguments = sys.argv[1], sys.argv[2:]
    sys.argv = ["gunicorn", f"lab_own_app:application({name!r})", *arguments]
    run()


if __name__ == "__main__":
    main()
