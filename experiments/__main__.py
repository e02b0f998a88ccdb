"""Tries a target from a terminal: one device, one round, request and answer side by side.

    python -m experiments try hello
    python -m experiments try ./my.yaml server_url=http://127.0.0.1:8000 clients=50

The exit code is 0 if every answer is right, 1 if one is not, and 2 if the target could not be tried.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.errors import LabError
from experiments.parameters import check_names
from experiments.runner import try_target
from experiments.scenario import Scenario


def main(arguments: Sequence[str]) -> int:
    """Tries what the arguments name."""
    if len(arguments) < 2 or arguments[0] != "try":
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        asked = dict(_named(one) for one in arguments[2:])
        check_names(asked, Scenario.model_fields)
        trial = try_target(Scenario.from_parameters({**asked, "target": arguments[1]}))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{trial!r}\n")
    return 0 if trial.right else 1


def _named(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
