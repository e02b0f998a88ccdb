"""What is asked, shown back: the load that it makes, and the parameters that say something of it.

A scenario that is to be run, or the record of one that was -> markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.analyse.targets import asked as of_run
from experiments.present.html import Markup
from experiments.present.tables import scenario as question
from experiments.present.tables import target as targets
from experiments.record.reading import load
from experiments.target.hello import NAME as HELLO

if TYPE_CHECKING:
    from experiments.record.reading import Record
    from experiments.scenario import Scenario
    from experiments.schedule import Plan


def asked(scenario: Scenario, calibration: Mapping[str, Any] | None = None) -> Markup:
    """The scenario shown back before it runs, with the load that it asks for, and whether its generators can carry it.

    With `run_dir` it is what that run was asked.

    Args:
        calibration: the certificate that speaks for this machine, if there is one.

    Raises:
        RecordError: `run_dir` holds no record.
    """
    if scenario.run_dir:
        return of_record(load(scenario.run_dir))
    plan = scenario.plan
    advice = question.advice(scenario, plan, (calibration or {}).get("carries") or {})
    if scenario.target == HELLO:
        return _question(scenario, plan, advice)
    loaded = scenario.load_target()
    return _question(scenario, plan, advice, targets.endpoints(loaded.shown(), plan, loaded.name))


def of_record(record: Record, advice: Markup | None = None) -> Markup:
    """What the run of a record was asked, and the load that it made."""
    scenario, plan, target = record.scenario, record.plan, of_run.target(record)
    if target is None:
        return _question(scenario, plan, advice)
    return _question(scenario, plan, advice, targets.endpoints(target, plan, of_run.target_name(record)))


def _question(scenario: Scenario, plan: Plan, advice: Markup | None, target: Markup | None = None) -> Markup:
    """The load in figures, what helps to carry it, what the target asks, and the parameters that say something of it."""
    nothing = Markup("")
    parameters = scenario.model_dump(exclude=scenario.unused if target else None)
    return question.cards(scenario, plan) + (advice or nothing) + (target or nothing) + question.parameters(parameters)
