"""Probes a server from a terminal: a name, an http URL, or `all`, and for that the file of a page."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.errors import LabError
from experiments.probe import page, probing


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; 0, or 2 if it could not be probed."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("Usage: python -m experiments.probe NAME | http://URL | all [PAGE.md]\n")
        return 2
    asked, file = arguments[0], Path(arguments[1]) if len(arguments) > 1 else None
    try:
        if asked == "all":
            found = probing.probe_all(probing.systems(), _say)
        else:
            found = [probing.probe_url(asked) if "://" in asked else probing.probe_system(asked)]
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if file:
        file.write_text(page.page(found), encoding="utf-8")
    sys.stdout.write("\n\n".join(map(page.text, found)) + "\n")
    return 2 if any(one.failure for one in found) else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
