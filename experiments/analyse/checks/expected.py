"""What a right answer is, as far as a row tells: its status and its length.

Record -> expressions over its rows. What only the whole answer tells (fields, bytes) was checked when it came.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import Any

import polars as pl

from experiments.analyse.targets import asked
from experiments.record.reading import Record
from experiments.target.file import ranges
from experiments.target.file.model import Expect


def right(record: Record) -> pl.Expr:
    """Whether a row's status and length are those of a right answer."""
    target = asked.target(record)
    if target is None:
        length = pl.col("endpoint").replace_strict(record.scenario.body_bytes, return_dtype=pl.UInt32)
        return (pl.col("bytes") == length) & (pl.col("status") == 200)
    each = [_of(name, target["endpoints"].get(name) or {}) for name in record.endpoints]
    return functools.reduce(operator.or_, each)


def compares(record: Record, name: str) -> bool:
    """Whether the bytes of an endpoint's answers are compared with those of another one."""
    target = asked.target(record)
    return target is None or bool((target["endpoints"].get(name, {}).get("expect") or {}).get("body"))


def _of(name: str, endpoint: Mapping[str, Any]) -> pl.Expr:
    """Whether a row is of this endpoint and as it expects."""
    is_it, status = pl.col("endpoint") == name, pl.col("status")
    if endpoint.get("ignore") is True:
        return is_it
    # Lists, as JSON has them, are taken for what they say; what was recorded was checked before the run.
    expect = Expect.model_validate(_thawed(endpoint.get("expect") or {}), strict=False)
    answered = status.is_between(200, 299) if expect.status is None else status.is_in(expect.status)
    # Neither has a body to expect anything of.
    empty = status == 304 if endpoint.get("etag") == "remember" else pl.lit(value=False)
    if expect.bytes is None:
        return is_it & (answered | empty)
    length = ranges.of_bytes(expect.bytes)
    return is_it & (empty | (answered & (pl.col("bytes").is_between(length.low, length.high) | status.is_in([204, 304]))))


def _thawed(expect: Mapping[str, Any]) -> dict[str, Any]:
    return {name: expect[name] for name in ("status", "bytes") if name in expect}
