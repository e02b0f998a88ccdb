"""What a load tool is: how it is found, what it is called with for a load, and what it says at its end.

Data, and the few things that every entry needs. Nothing here starts anything.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from experiments.errors import GeneratorError
from experiments.schedule import Pacing, Phase

MAX = 100.0
"""The percent of the longest time among a tool's percentiles."""
_ASK_S = 20.0


@dataclass(frozen=True)
class Asked:
    """What a tool is told: a steady load on one URL, until it ends by itself."""

    url: str
    """With its path and query."""
    clients: int
    interval_s: float
    """Between two requests of a client; tools without a rate ask as fast as they are answered."""
    seconds: float
    """From its start to its end."""
    phase: Phase
    """How its clients stand to each other, one of those that it can do."""
    timeout_s: float
    """Of a request, or of what it has instead."""
    body_bytes: int
    """Of a right answer, for tools that look at it."""
    folder: Path
    """Takes its files."""

    @property
    def rate(self) -> float:
        """Requests per second of one client."""
        return 1 / self.interval_s

    @property
    def per_s(self) -> float:
        """Requests per second of all clients."""
        return self.clients / self.interval_s


@dataclass(frozen=True)
class Said:
    """What a tool says of itself at its end; what it does not say is None or absent."""

    answered: int
    """Requests that it calls well answered."""
    failed: int
    """Those that it names as anything else, whatever the word."""
    count: int | None = None
    """Requests altogether, as it prints them."""
    per_s: float | None = None
    """Its rate of requests."""
    times: Mapping[float, float] = field(default_factory=dict)
    """Percent -> seconds, as it prints them; `MAX` for the longest."""


Read = Callable[[str, Asked], Said]
"""Reads what a tool printed, or left in its folder.

Raises:
    GeneratorError: it does not say what is looked for.
"""


@dataclass(frozen=True)
class Tool:
    """One load tool."""

    name: str
    install: str
    """The command that installs it."""
    command: Callable[[Asked, str], list[str]]
    """What is run; takes what is asked, and where its program lies. May write files to the folder."""
    read: Read
    program: str = ""
    """Looked for on the search path; empty for a Python module."""
    module: str = ""
    """Name of the Python module."""
    package: str = ""
    """Name of the distribution that the module is in, if it is another."""
    version: tuple[str, ...] = ()
    """Arguments with which the program prints its version; without any, Debian is asked."""
    phases: tuple[Phase, ...] = ("together",)
    pacing: Pacing = "fixed"
    """Which of our settings its clients are like."""
    paced: bool = True
    """Whether it keeps a rate; one that does not asks as fast as it is answered."""
    has_said: Callable[[Asked], bool] = field(default=lambda asked: False)
    """Whether all that it will say is there: then it need not end by itself."""
    ours: bool = False
    """Whether it is an engine of this lab, which asks some things before its load."""
    spared: frozenset[str] = frozenset()
    """Answers that it is not tried with, since some of their kind end it by an error of its own."""
    environment: Callable[[Asked], Mapping[str, str]] = field(default=lambda asked: {})
    """Environment variables of its own."""

    @property
    def place(self) -> str:
        """Where its program lies: for a module the interpreter; empty where it is not there."""
        if self.module:
            return sys.executable if find_spec(self.module) else ""
        return shutil.which(self.program) or "" if self.program else ""

    @property
    def missing(self) -> str | None:
        """Why it is not there, if so, and what to do about it."""
        return None if self.place else f"{self.program or self.module or self.name} is not installed ({self.install})"

    def called(self, asked: Asked) -> list[str]:
        """Its command line."""
        return self.command(asked, self.place)

    def installed_version(self) -> str:
        """As it says it itself, or Debian does; empty where nobody does, or it is not there."""
        if not self.place:
            return ""
        if self.module:
            return metadata.version(self.package or self.module)
        return _version([self.place, *self.version]) if self.version else _version([*_DEBIAN, self.install.split()[-1]])


_DEBIAN = ("dpkg-query", "--showformat", "${Version}", "--show")


def _version(command: list[str]) -> str:
    """The first version in what a command prints."""
    try:
        printed = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\d+\.\d+(\.\d+)*", printed.stdout + printed.stderr)
    return found[0] if found else ""


def figure(pattern: str, printed: str, tool: str) -> float:
    """The number that a pattern finds in what a tool printed.

    Raises:
        GeneratorError: it is not there.
    """
    found = maybe(pattern, printed)
    if found is None:
        raise unreadable(tool, printed)
    return found


def maybe(pattern: str, printed: str) -> float | None:
    """The same, or None."""
    found = re.search(pattern, printed, re.MULTILINE)
    return float(found[1].replace(",", "")) if found else None


def unreadable(tool: str, printed: str) -> GeneratorError:
    """Says what a tool printed instead of its figures."""
    end = printed.strip()[-500:]
    return GeneratorError(f"{tool} did not say how many polls were answered; the end of its output: {end}")
