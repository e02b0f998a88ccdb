"""Targets from a terminal: tries one with a single device and round, or makes one from what a team already has.

    python -m experiments try hello
    python -m experiments try ./my.yaml server_url=http://127.0.0.1:8000 clients=50
    python -m experiments from capture.har > my.yaml

`from` takes a HAR file, an OpenAPI 3 document, an access log, or a curl command in quotes. The exit code is 0 if every
answer is right or the target is made, 1 if an answer is not right, and 2 if it could not be tried or made.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.errors import LabError
from experiments.parameters import check_names
from experiments.runner import try_target
from experiments.scenario import Scenario
from experiments.target.origins.origin import target_from


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say."""
    if len(arguments) < 2 or arguments[0] not in ("try", "from") or (arguments[0] == "from" and len(arguments) > 2):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        if arguments[0] == "from":
            sys.stdout.write(target_from(arguments[1]))
            return 0
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
