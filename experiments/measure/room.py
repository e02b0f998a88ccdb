"""How much the last file of a run can need: run.json, which is written when the disk may be full.

Scenario -> bytes, on the safe side. What grows with the plan is counted, and what a server says is bounded where it is kept.
"""

from __future__ import annotations

import math

from experiments.measure.engines.wrong_answers import MOST_KINDS
from experiments.measure.generators.recover import PART_ROWS
from experiments.measure.generators.shard_runner import FLUSH_S
from experiments.scenario import Scenario

PART_BYTES = 76
"""A line of run.json: a SHA-256 in hexadecimal digits, quotes, indentation."""
ANSWER_BYTES = 11_000
"""A wrong answer that is kept: why it is wrong, its headers and the first bytes of its body, with all their escapes."""
_GENERATOR_BYTES = 3_000
_WORKER_BYTES = 300
_SERVER_BYTES = 8 * 1024
"""Of a server beside the run's own: headers, command line."""
_REST_BYTES = 64 * 1024
"""Scenario, environment, headers, command lines, database."""


def run_json_bytes(scenario: Scenario) -> int:
    """Most bytes that run.json of this scenario takes."""
    generators = max(1, scenario.generators)
    answers = len(scenario.plan.endpoints) * MOST_KINDS * ANSWER_BYTES
    return (
        _REST_BYTES
        + sum(said.workers or scenario.workers for said in scenario.systems) * _WORKER_BYTES
        + (len(scenario.systems) - 1) * _SERVER_BYTES
        + generators * (_GENERATOR_BYTES + answers + most_parts(scenario) * PART_BYTES)
    )


def most_parts(scenario: Scenario) -> int:
    """Of one generator: one every few seconds, the last one, and those that are added if it is lost."""
    lasting_s = scenario.warmup_s + scenario.window_s + scenario.timeout_s
    polls = scenario.plan.polls_per_s * (scenario.warmup_s + scenario.window_s) / max(1, scenario.generators)
    return math.ceil(lasting_s / FLUSH_S) + 2 + math.ceil(polls / PART_ROWS)
