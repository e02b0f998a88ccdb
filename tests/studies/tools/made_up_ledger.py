"""Ledgers as the server writes them, made up."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from experiments.studies.tools.catalogue.tool import Asked
from experiments.studies.tools.truth import Truth, truth


def asked(folder: Path = Path()) -> Asked:
    """Nine clients, ten requests a second each, four seconds."""
    return Asked(
        url="http://127.0.0.1:1/hello?page=1",
        clients=9,
        interval_s=0.1,
        seconds=4.0,
        phase="together",
        timeout_s=2.0,
        body_bytes=100,
        folder=folder,
    )


def ledger(
    took_s: Iterable[float | None], *, statuses: Iterable[int] = (), whole: Iterable[bool] = (), over_s: float = 4.0
) -> pl.DataFrame:
    """Requests of nine connections at equal distances, each answered after so long; None for never."""
    times = list(took_s)
    came = [over_s * number / max(1, len(times)) for number in range(len(times))]
    done = [None if one is None else at + one for at, one in zip(came, times, strict=True)]
    return pl.DataFrame(
        {
            "connection": [number % 9 for number in range(len(times))],
            "came_s": came,
            "status": list(statuses) or [200] * len(times),
            "whole": list(whole) or [True] * len(times),
            "due_s": done,
            "first_s": [None if one is None else one - 0.001 for one in done],
            "done_s": done,
        },
        schema_overrides={"came_s": pl.Float64, "due_s": pl.Float64, "first_s": pl.Float64, "done_s": pl.Float64},
    )


def seen(took_s: Iterable[float | None], **others: Any) -> Truth:
    """The figures of such a ledger."""
    return truth(ledger(took_s, **others), timeout_s=2.0)
