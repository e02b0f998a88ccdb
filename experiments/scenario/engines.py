"""Who asks: the engines by name, and what is true of some of them alone."""

from __future__ import annotations

from typing import Literal, get_args

Engine = Literal["httpx", "epoll", "httpx-stock", "threads"]

OWN_ENGINES = ("httpx", "epoll")
"""Engines whose connections are the lab's own: they take their times at the socket, and count what they do there."""

ENGINES: tuple[str, ...] = get_args(Engine)
"""Names of all engines."""

CALIBRATED = tuple(name for name in ENGINES if name != "threads")
"""Engines that the calibration tries. `threads` is the author's client, there to be measured and not to be relied on."""
