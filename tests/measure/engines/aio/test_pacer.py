"""Devices are woken in order, never early, and all at once when a run is cut short."""

import asyncio
import time
from collections.abc import Callable

import pytest

from experiments.measure.engines.aio import pacer as pacing
from experiments.measure.engines.aio.pacer import Pacer, Timer

FAR = 3600.0
timers = pytest.mark.parametrize("timer", [pacing.make_timer, pacing._LoopTimer], ids=["best", "loop"])


@timers
def test_nobody_is_woken_early_and_all_in_order(timer: Callable[..., Timer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Instants asked for in any order come in the order of time, whichever timer the platform has."""
    monkeypatch.setattr(pacing, "make_timer", timer)

    async def wait() -> list[tuple[float, float]]:
        pacer, start, woken = Pacer(), time.monotonic(), []

        async def device(at: float) -> None:
            await pacer.until(start + at)
            woken.append((at, time.monotonic() - start))

        await asyncio.gather(*(device(at) for at in (0.03, 0.0105, 0.02, 0.0)))
        pacer.close()
        return woken

    woken = asyncio.run(wait())
    assert [at for at, _ in woken] == [0.0, 0.0105, 0.02, 0.03]
    assert all(really >= at for at, really in woken)


def test_release_wakes_everybody_now() -> None:
    """Devices that wait for an hour return at once."""

    async def wait() -> None:
        pacer = Pacer()
        waiting = [asyncio.ensure_future(pacer.until(time.monotonic() + FAR)) for _ in range(3)]
        await asyncio.sleep(0)
        pacer.release()
        await asyncio.wait_for(asyncio.gather(*waiting), 1)
        pacer.close()

    asyncio.run(wait())


def test_a_cancelled_waiter_does_not_hold_the_others_up() -> None:
    """A timeout may cancel a device that waits; the next in line is still woken."""

    async def wait() -> None:
        pacer = Pacer()
        first = asyncio.ensure_future(pacer.until(time.monotonic() + 0.01))
        second = asyncio.ensure_future(pacer.until(time.monotonic() + 0.02))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 1)
        pacer.close()

    asyncio.run(wait())
