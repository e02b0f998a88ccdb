"""The article's two endpoints as a run asks for them: `hello.yaml`, with another ratio, other sizes, or devices that say who
they are."""

from __future__ import annotations

from typing import Any

import yaml

from experiments.target import loading
from experiments.target.loaded import Loaded

NAME = "hello"


def loaded(
    *, shares: tuple[int, int] = (10, 1), body_bytes: tuple[int, int] = (100, 204_800), device_header: str = ""
) -> Loaded:
    """The target `hello`.

    Args:
        shares: polls of (status, bulk); 0 for never.
        body_bytes: length of a right answer of (status, bulk).
        device_header: the header in which a request says which device asks; empty: all send the same bytes.

    Raises:
        ParameterError: the file in params/targets is no longer what it was.
    """
    found = loading.load(NAME)
    told: dict[str, Any] = yaml.safe_load(found.text)
    before = yaml.safe_load(found.text)
    for name, share, size in zip(("status", "bulk"), shares, body_bytes, strict=True):
        told["endpoints"][name]["share"] = share
        told["endpoints"][name]["expect"]["bytes"] = size
    if device_header:
        told["headers"] = {device_header: "{index}"}
    return found if told == before else loading.read(yaml.safe_dump(told, sort_keys=False), found.path)
