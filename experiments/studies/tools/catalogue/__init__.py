"""Every load tool that the lab knows: one entry of some ten lines each, for all studies.

    tool.py      what a tool is told, what it says, and what an entry consists of
    compiled.py  ab, siege, httperf, hey, wrk, h2load, tsung; wrk2 and zrk where a binary is named
    node.py      autocannon, loadtest, artillery
    python.py    Locust's two users, molotov, aiohttp
    lab.py       this lab's engines, asked as any other tool is

What tools load themselves lies beside: aiohttp_poller.py, locustfile.py, molotov_scenario.py, lab_run.py.
"""

from __future__ import annotations

import shutil

from experiments.errors import ParameterError
from experiments.studies.tools.catalogue import compiled, lab, node, python
from experiments.studies.tools.catalogue.tool import Tool

UNPACKAGED = ("wrk2", "zrk")
"""Tools that no distribution has: their programs have to be named."""


def all_tools(binaries: dict[str, str] | None = None) -> dict[str, Tool]:
    """Every tool, there or not, by name.

    Args:
        binaries: where the programs of `UNPACKAGED` lie.

    Raises:
        ParameterError: one of these names no program, or no tool.
    """
    named = binaries or {}
    for name, path in named.items():
        if name not in UNPACKAGED:
            raise ParameterError(f"binaries={name}={path}: a program can be named for {', '.join(UNPACKAGED)}.")
        if not shutil.which(path):
            raise ParameterError(f"binaries={name}={path}: there is no such program; give its path, or leave it out.")
    tools = (*compiled.entries(named), *node.ENTRIES, *python.ENTRIES, *lab.ENTRIES)
    return {tool.name: tool for tool in tools}
