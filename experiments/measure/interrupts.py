"""What an interrupt does to a run: it cancels the run's task, wherever the signal falls.

Python raises KeyboardInterrupt in whatever the main thread does at that moment. On an event loop that may be any task, or
the loop itself, in a notebook's kernel even somebody else's task; half of a clean-up would then be left undone. A
cancellation arrives where the run awaits something, and the run decides what it means: while it starts, the end; while it
measures, the end of the window; while it finishes, nothing, since that is bounded and brings the record.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@contextmanager
def as_cancellation() -> Iterator[None]:
    """Has SIGINT cancel the current task instead of raising.

    Raises:
        KeyboardInterrupt: the task did not go on after it; only here, at the end of the block.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # Signals come elsewhere, or whoever started this process wants them to be ignored.
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    heard: list[int] = []

    def hear(number: int, frame: object) -> None:
        heard.append(number)
        loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    except asyncio.CancelledError:
        if heard:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)


async def undisturbed(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Waits for work to its end, however often the waiting task is cancelled meanwhile; the work must be bounded."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.current_task()
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(working)
        if waiting is not None:
            waiting.uncancel()
    return working.result()
