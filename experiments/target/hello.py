"""The article's two endpoints as a run asks for them: `hello.yaml` or `database.yaml`, with another ratio or other sizes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from experiments.target import loading
from experiments.target.loaded import Loaded

NAME = "hello"
DATABASE = "database"
"""The same of rows, where each poll says which device it is of."""


@lru_cache(maxsize=64)
def loaded(name: str = NAME, *, shares: tuple[int, int] = (10, 1), body_bytes: tuple[int, int] = (100, 204_800)) -> Loaded:
    """One of these targets; PERF: kept, since a sweep checks thousands of cells, and reading YAML takes 10 ms.

    Args:
        shares: polls of (status, bulk); 0 for never.
        body_bytes: length of a right answer of (status, bulk).

    Raises:
        ParameterError: the file in params/targets is no longer what it was.
    """
    found = loading.load(name)
    told: dict[str, Any] = yaml.safe_load(found.text)
    before = yaml.safe_load(found.text)
    for endpoint, share, size in zip(("status", "bulk"), shares, body_bytes, strict=True):
        told["endpoints"][endpoint]["share"] = share
        told["endpoints"][endpoint]["expect"]["bytes"] = size
    return found if told == before else loading.read(yaml.safe_dump(told, sort_keys=False), found.path)
