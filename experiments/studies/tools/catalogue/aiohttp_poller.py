"""A polling client as a good aiohttp user writes it: a task a device, one session, connections kept, on uvloop.

    python aiohttp_poller.py URL PHASE CLIENTS INTERVAL_S RUN_S TIMEOUT_S BYTES

A program of its own that knows nothing of the lab: it is one of the tools that the lab is compared with. It keeps a row a
poll, as the lab does, and says at its end how many were answered.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

import aiohttp
import uvloop

Row = tuple[int, float, float, float, bool]
"""Device, due, sent, done, whether the right answer came; seconds of the loop's clock."""


async def main(url: str, phase: str, clients: int, interval_s: float, run_s: float, timeout_s: float, size: int) -> None:
    rows: list[Row] = []
    begin = asyncio.get_running_loop().time()
    # By default a session opens 100 connections at most, and closes them after 15 s without use.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=75)
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as devices:
        for number in range(clients):
            first = begin + (random.random() * interval_s if phase == "random" else 0.0)
            devices.create_task(device(session, url, number, first, interval_s, begin + run_s, size, rows))
    answered = sum(ok for *_, ok in rows)
    sys.stdout.write(json.dumps({"answered": answered, "failed": len(rows) - answered}) + "\n")


async def device(
    session: aiohttp.ClientSession,
    url: str,
    number: int,
    due: float,
    interval_s: float,
    end: float,
    size: int,
    rows: list[Row],
) -> None:
    """Polls by the clock until the end; polls that came due meanwhile follow at once."""
    loop = asyncio.get_running_loop()
    while due < end:
        if (wait_s := due - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        sent = loop.time()
        try:
            async with session.get(url) as answer:
                ok = len(await answer.read()) == size and answer.ok
        except (aiohttp.ClientError, TimeoutError):
            ok = False
        rows.append((number, due, sent, loop.time(), ok))
        due += interval_s


if __name__ == "__main__":
    address, phase, clients, interval_s, run_s, timeout_s, size = sys.argv[1:]
    uvloop.run(main(address, phase, int(clients), float(interval_s), float(run_s), float(timeout_s), int(size)))
