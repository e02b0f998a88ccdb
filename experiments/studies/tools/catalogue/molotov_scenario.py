"""What molotov is given: one request, which fails if its answer does. It reads no environment but what its entry sets."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
from molotov import scenario

URL = os.environ["LAB_URL"]
TIMEOUT = aiohttp.ClientTimeout(total=float(os.environ["LAB_TIMEOUT_S"]))


@scenario(weight=1)
async def poll(session: Any) -> None:
    async with session.get(URL, timeout=TIMEOUT) as answer:
        await answer.read()
        assert answer.status < 300, answer.status
