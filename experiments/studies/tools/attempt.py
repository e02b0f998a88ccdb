"""One tool against one server with known answers: both started, the tool ended if it does not end, the ledger kept.

A folder per attempt holds all that came: `output.txt` as the tool printed it, `ledger.csv` as the server saw it, `came.json`
with how it ended. Nothing is read here, so that a better reader can be had later without measuring again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.errors import ServerStartError
from experiments.measure.processes.guarded import POLL_S, Guarded, within
from experiments.measure.servers.ports import free_port
from experiments.record import store
from experiments.studies.tools.catalogue.tool import Asked, Tool
from server import catalogue

OUTPUT, LEDGER, CAME = "output.txt", "ledger.csv", "came.json"
OVERTIME_S = 40.0
"""How much longer than its load a tool may take to start, to wait for what is owed, and to end: on two busy cores artillery
needs twenty until its first request."""
_UP_S = 15.0
_ASK_S = 2.0


@dataclass(frozen=True)
class Load:
    """What all tools are asked, where they can be told."""

    clients: int
    interval_s: float
    seconds: float
    timeout_s: float = 2.0
    body_bytes: int = 100

    def told(self, tool: Tool, url: str, *, empty: bool, folder: Path) -> Asked:
        """As one tool is told it.

        Args:
            empty: right answers have no body.
        """
        return Asked(
            url=url + catalogue.STATUS_PATH,
            clients=self.clients,
            interval_s=self.interval_s,
            seconds=self.seconds,
            phase=tool.phases[0],
            timeout_s=self.timeout_s,
            body_bytes=0 if empty else self.body_bytes,
            folder=folder,
        )


async def attempt(tool: Tool, answer: str, load: Load, folder: Path) -> None:
    """Has a tool ask the server of one answer.

    Args:
        answer: name of a program of `catalogue.FOR_TOOLS`.
        folder: is made, for all that comes.

    Raises:
        ServerStartError: the server did not come up.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server, url = start(answer, folder, load.body_bytes)
    try:
        empty = catalogue.FOR_TOOLS[answer].usual.status == _NO_CONTENT
        await ready(server, url, _pages(tool, empty=empty))
        asked = load.told(tool, url, empty=empty, folder=folder)
        came = await _ask(tool, asked)
    finally:
        await server.end()
    store.write_json(folder / CAME, came | {"asked": {**asdict(asked), "folder": "."}})


_NO_CONTENT = 204


async def _ask(tool: Tool, asked: Asked) -> dict[str, Any]:
    """Runs the tool to its end, or to ours; how late our own waits ended meanwhile tells how busy the machine was."""
    began = time.monotonic()
    environment = {**os.environ, **tool.environment(asked)}
    process = Guarded(tool.called(asked), env=environment, log_path=asked.folder / OUTPUT, cwd=asked.folder)
    late: list[float] = []
    try:
        while not (itself := _over(process) or tool.has_said(asked)):
            at = time.monotonic()
            if at > began + asked.seconds + OVERTIME_S:
                break
            await asyncio.sleep(POLL_S)
            late.append(time.monotonic() - at - POLL_S)
    finally:
        await process.end()
    code = process.exit[0] if process.exit and itself else None
    took_s = round(time.monotonic() - began, 2)
    kept = [round(one, 5) for one in sorted(late)[::-_EVERY][::-1]]
    return {"itself": itself, "exit": code, "failure": process.failure, "took_s": took_s, "late_s": kept}


_EVERY = 10
"""Of some hundred waits every tenth is kept, the longest among them: enough for a percentile."""


def _over(process: Guarded) -> bool:
    process.listen()
    return process.exit is not None or process.failure is not None or not process.watched


def start(answer: str, folder: Path, body_bytes: int) -> tuple[Guarded, str]:
    """Starts the server of one answer, which leaves `LEDGER` in the folder when it is ended; it and its URL.

    Raises:
        OSError: the folder cannot be written.
    """
    port = free_port()
    command = [sys.executable, "-m", "server.known_answer", "--port", str(port), "--program", answer]
    settings = catalogue.SYSTEMS["falcon"].environment(status_bytes=body_bytes, bulk_bytes=body_bytes)
    command += ["--ledger", str(folder / LEDGER)]
    server = Guarded(command, env={**os.environ, **settings}, log_path=folder / "server.log")
    return server, f"http://127.0.0.1:{port}"


ALL_PAGES = (catalogue.STATUS_PATH, catalogue.BULK_PATH, catalogue.HEALTH_PATH)
"""What must have been asked for before the load."""


async def ready(server: Guarded, url: str, pages: Sequence[str] = ALL_PAGES) -> None:
    """Waits until it answers, and asks for these pages: what comes after all of them is the load.

    Raises:
        ServerStartError: it did not come up.
    """
    if not await within(_UP_S, lambda: _answers(url + catalogue.HEALTH_PATH) or not server.watched):
        raise ServerStartError("the server with known answers did not come up.")
    for page in pages:
        await asyncio.to_thread(_answers, url + page)


def _pages(tool: Tool, *, empty: bool) -> tuple[str, ...]:
    """What is asked in place of a tool that asks nothing before its load.

    Ours ask for the pages that they poll, and then for `/health`; of a target of their own for its page alone.
    """
    if tool.ours:
        return (catalogue.STATUS_PATH, catalogue.BULK_PATH) if empty else (catalogue.BULK_PATH,)
    return ALL_PAGES


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError), opener.open(url, timeout=_ASK_S) as answer:
        return bool(answer.read())
    return False


def read_came(folder: Path) -> dict[str, Any] | None:
    """How an attempt ended; None where there was none, or it was broken off."""
    try:
        came = json.loads((folder / CAME).read_text())
    except (OSError, ValueError):
        return None
    return came if isinstance(came, dict) else None
