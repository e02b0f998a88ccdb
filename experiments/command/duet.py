"""`lab duet`: two servers polled at once, and whether the second needs more than the first by more than a margin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from experiments import beside
from experiments.analyse.duets import gate
from experiments.command.execute import Judge
from experiments.command.given import Given
from experiments.errors import LabError, ParameterError
from experiments.present.result.model import Case, Judgement, Result
from experiments.record import reading
from experiments.studies import duet
from server import catalogue


def asked(first: str, second: str, named: Sequence[str]) -> tuple[Given, float]:
    """The parameters of such a run, and the margin in percent.

    Args:
        first, second: the servers, in the words of `beside`.
        named: `name=value` each; `seconds` and `margin_pct` are the duet's own.

    Raises:
        ParameterError: a word or a value that is not allowed.
    """
    own = dict(word.partition("=")[::2] for word in named if word.startswith(("seconds=", "margin_pct=")))
    try:
        seconds, margin_pct = float(own.get("seconds", duet.SECONDS)), float(own.get("margin_pct", gate.MARGIN_PCT))
    except ValueError:
        raise ParameterError(f"{' '.join(own)}: a number is needed of each.") from None
    said = {**duet.LOAD, "minutes": seconds / 60, **beside.parameters(first, second, catalogue.SYSTEMS)}
    rest = [word for word in named if word.partition("=")[0] not in own]
    return Given.of(rest, yaml=[json.dumps(said)]), margin_pct


def judge(margin_pct: float) -> Judge:
    """What judges the result of such a run."""

    def judged(result: Result, place: Path) -> Result:
        try:
            found = duet.of(reading.load(place)).judged(margin_pct)
        except (LabError, KeyError):  # It was broken off before it had two servers to show, which the result says.
            return result
        status = {"fine": "passed", "regression": "failed", "not measurable": "error"}[found.kind]
        case = Case(suite="duet", name=f"within {margin_pct:g} %", status=status, said=found.why)  # type: ignore[arg-type]
        changed = {"cases": [case, *result.cases], "regressions": [found.why] if found.kind == "regression" else []}
        if found.kind == "not measurable":
            return result.model_copy(update=changed | {"measurement": Judgement(status="invalid", said=found.why)})
        # A generator that was late was so for both alike, so a duet stands where a single run would not.
        level = result.service_level if result.measurement.status != "invalid" else Judgement(status="not asked")
        stands = Judgement(status="suspect", said=f"As a duet it stands: {found.why}.")
        measured = result.measurement if result.measurement.status != "invalid" else stands
        return result.model_copy(update=changed | {"measurement": measured, "service_level": level})

    return judged
