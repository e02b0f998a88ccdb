"""From a terminal: tries a target with a single device and round, makes one of what a team already has, runs a duet.

    python -m experiments try hello
    python -m experiments try ./my.yaml server_url=http://127.0.0.1:8000 clients=50
    python -m experiments from capture.har > my.yaml
    python -m experiments duet falcon "starlette workers=2" seconds=60 margin_pct=3
    python -m experiments duet "./my.yaml git:main" ./my.yaml

`from` takes a HAR file, an OpenAPI 3 document, an access log, or a curl command in quotes. The exit code is 0 if every
answer is right or the target is made, 1 if an answer is not right, and 2 if it could not be tried or made. `duet` polls two
servers at once: 0 if the second needs no more than the margin beside the first, 1 if it does, 3 if that could not be told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.errors import LabError, ParameterError
from experiments.parameters import check_names
from experiments.runner import run, try_target
from experiments.scenario import Scenario
from experiments.target.origins.origin import target_from


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say."""
    fewest = _FEWEST.get(arguments[0]) if arguments else None
    if fewest is None or len(arguments) < fewest or (arguments[0] == "from" and len(arguments) > fewest):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        if arguments[0] == "from":
            sys.stdout.write(target_from(arguments[1]))
            return 0
        if arguments[0] == "duet":
            return _duet(arguments[1], arguments[2], dict(_named(one) for one in arguments[3:]))
        asked = dict(_named(one) for one in arguments[2:])
        check_names(asked, Scenario.model_fields)
        trial = try_target(Scenario.from_parameters({**asked, "target": arguments[1]}))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{trial!r}\n")
    return 0 if trial.right else 1


_FEWEST = {"try": 2, "from": 2, "duet": 3}
"""Arguments that each command takes, itself included."""


def _duet(first: str, second: str, asked: dict[str, str]) -> int:
    from experiments.studies import duet  # It loads what measures and analyses, which the others do without.

    seconds, margin_pct = (asked.pop(name, default) for name, default in (("seconds", "60"), ("margin_pct", "3")))
    try:
        length, margin = float(seconds), float(margin_pct)
    except ValueError:
        raise ParameterError(f"seconds={seconds} margin_pct={margin_pct}: both are numbers.") from None
    found = duet.of(run(duet.scenario(first, second, seconds=length, **asked)))
    judged = found.judged(margin)
    sys.stdout.write(f"{found.said}\n{judged.kind}: {judged.why}.\nThe record is {found.record.path}\n")
    return judged.exit_code


def _named(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
