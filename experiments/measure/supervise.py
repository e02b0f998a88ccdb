"""Watching over a run: generators are waited for, progress is reported, and what goes wrong closes the window.

Generators, server and sampler as they were started; nothing here starts or ends them, and nothing raises.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from experiments.measure.generators.subprocess import Generator
from experiments.measure.run_state import RunState
from experiments.measure.sampler import Sampler
from experiments.progress import Progress, RunPhase
from experiments.record.state import Cut, CutKind

_WATCH_S = 0.25


async def prepare(run: RunState, generators: list[Generator]) -> None:
    """Has all generators get ready, and says how long one compiles that has to.

    Raises:
        GeneratorError: one of them did not come up.
    """
    preparing = asyncio.gather(*(generator.prepare() for generator in generators))
    said = 0.0
    try:
        while not preparing.done():
            await asyncio.wait([preparing], timeout=_WATCH_S)
            compiling = max((generator.compiling_s or 0.0 for generator in generators), default=0.0)
            if compiling > said:
                said = compiling
                total_s = run.scenario.warmup_s + run.scenario.window_s
                run.on_progress(Progress("starting", 0.0, total_s, compiling_s=said))
    finally:
        preparing.cancel()
    await preparing


async def watch(run: RunState, generators: list[Generator], sampler: Sampler) -> None:
    """Waits for the generators; an interrupt closes the window early, and all that was measured is kept."""
    try:
        await _watch(run, generators, sampler)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        run.stop(generators, Cut(CutKind.INTERRUPTED))
    lost = next((generator.error for generator in generators if generator.error), None)
    if lost and time.monotonic() < run.start_at + run.scenario.window_s:
        run.stop(generators, Cut(CutKind.GENERATOR_LOST, lost))  # There is no other, or they all would not have ended.


async def _watch(run: RunState, generators: list[Generator], sampler: Sampler) -> None:
    next_report = time.monotonic()
    while not await all_ended(generators, min(run.deadline, time.monotonic() + _WATCH_S)):
        now = time.monotonic()
        if now >= run.deadline:
            return
        if now >= next_report:
            next_report = now + 1.0
            report(run, "warming up" if now < run.start_at else "measuring", generators, sampler)
        for watched in run.servers:
            watched.notice_death(now - run.start_at)
        problem = next((generator.report.problem for generator in generators if generator.report), None)
        if problem:
            run.stop(generators, Cut(CutKind.ROWS_LOST, problem))


async def all_ended(generators: list[Generator], until: float) -> bool:
    """Whether all generators have ended at that instant, or before it; returns as soon as they have."""
    waiters = [asyncio.ensure_future(generator.ended.wait()) for generator in generators]
    try:
        _, pending = await asyncio.wait(waiters, timeout=max(0.0, until - time.monotonic()))
    finally:
        for waiter in waiters:
            waiter.cancel()
    return not pending


def report(run: RunState, phase: RunPhase, generators: list[Generator], sampler: Sampler) -> None:
    """Says how the run is getting on: the latest reports of all generators as one."""
    reports = [generator.report for generator in generators if generator.report]
    run.on_progress(
        Progress(
            phase=phase,
            elapsed_s=max(0.0, time.monotonic() - run.start_at + run.scenario.warmup_s),
            total_s=run.scenario.warmup_s + run.scenario.window_s,
            planned=round(run.plan.polls_per_s * run.scenario.window_s),
            sent=sum(report.sent for report in reports),
            ok=sum(report.ok for report in reports),
            failed=sum(report.failed for report in reports),
            statuses=sum((Counter(report.statuses) for report in reports), Counter()),
            reasons=sum((Counter(report.reasons) for report in reports), Counter()),
            in_flight=sum(report.in_flight for report in reports),
            polls_per_s=sum(report.polls_per_s for report in reports),
            response_p50_ms=_worst([report.response_p50_ms for report in reports]),
            response_p99_ms=_worst([report.response_p99_ms for report in reports]),
            server_cores=sampler.cores("server"),
            generator_cores=sampler.cores("generator"),
            endpoints=run.scenario.plan.endpoints,
        )
    )


def _worst(values: list[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
