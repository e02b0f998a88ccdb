"""A target and the load that a run asks for -> the plan: which poll of which device is due when."""

from __future__ import annotations

from experiments.schedule import Pacing, Phase, Plan, Timing
from experiments.target.file.model import Target


def plan(
    target: Target, *, clients: int, interval_s: float, phase: Phase, pacing: Pacing, seed: int, warmup_s: float,
    window_s: float,
) -> Plan:  # fmt: skip
    """The polls of a target; the arguments are those of `Plan`.

    Raises:
        ParameterError: its jitter is longer than an interval.
    """
    devices = target.devices
    return Plan(
        clients, interval_s, timings(target), phase, pacing, seed, warmup_s, window_s, devices.ramp_up_s,
        devices.jitter_ms / 1000,
    )  # fmt: skip


def timings(target: Target) -> tuple[Timing, ...]:
    """How often each endpoint is polled; one that says nothing has a share of 1."""
    return tuple(
        Timing(
            name,
            share=None if one.every_s is not None else 1 if one.share is None else one.share,
            every_s=one.every_s,
            told=one.next_poll is not None,
        )
        for name, one in target.endpoints.items()
    )
