"""What is known of a run while it is going."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

RunPhase = Literal["starting", "warming up", "measuring", "finishing", "analysing"]


@dataclass(frozen=True)
class Progress:
    """One report, about every second."""

    phase: RunPhase
    elapsed_s: float
    """Since the warm-up began; 0 while starting."""
    total_s: float
    """Warm-up and window together."""
    planned: int = 0
    """Polls planned in the whole window."""
    sent: int = 0
    """Polls sent in the window so far."""
    ok: int = 0
    failed: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Of the failed, complete answers with another status than 200, by code."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Polls of the window without a right answer so far, by reason; those not sent among them."""
    in_flight: int = 0
    polls_per_s: float = 0.0
    """Polls ended in the last second."""
    response_p50_ms: float | None = None
    """Of the first endpoint's latest answers; None where there were none."""
    response_p99_ms: float | None = None
    server_cores: float = 0.0
    """Processor cores that the server used since the last report."""
    generator_cores: float = 0.0
    run_dir: str = ""
    """Where the record is written; said while starting."""
    compiling_s: float | None = None
    """For how long a generator has compiled its engine, if it has to; said while starting."""
    endpoints: tuple[str, ...] = ("status", "bulk")
    """What is polled, in the target's order."""
    cut_short: str = ""
    """Said while analysing: why the window closed before its time; `elapsed_s` then is how far it came."""


OnProgress = Callable[[Progress], None]


def forgiving(on_progress: OnProgress) -> OnProgress:
    """The same for a run, which goes on whatever they raise who only look at it; the first error becomes a warning."""
    shown = False

    def tell(progress: Progress) -> None:
        nonlocal shown
        try:
            on_progress(progress)
        except Exception as error:  # noqa: BLE001 - it is a user's own function
            if shown:
                return
            shown = True
            said = f"on_progress raised {error!r}; the run goes on, and further errors of it are not shown"
            with suppress(Warning):  # Where warnings are errors, this one must not become one of the run.
                warnings.warn(said, RuntimeWarning, stacklevel=2)

    return tell
