"""What stands beside a target of the user's own, in words of `beside`, and what can be said of it as of a system.

`./mine-on-granian.yaml`, `http://127.0.0.1:8001`, `git:HEAD~1`, `falcon==4.1` -> how a run of it alone is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import beside
from experiments.beside import System
from server import catalogue

_LONGEST = 40


def system(name: str) -> catalogue.System:
    """What tables show of it: its words; whatever it is started with, its target's file says."""
    return catalogue.System(
        name=name,
        title=name,
        template=("as its target's file says",),
        needs=(),
        loop="its own",
        http_parser="its own",
        keep_alive_s=0.0,
        counts=False,
    )


def read(words: str) -> System:
    """What the words say.

    Raises:
        ParameterError: one of them says nothing of a server.
    """
    return beside.read(words, ())


def alone(words: str, *, target: str) -> dict[str, Any]:
    """The parameters of a run of it alone.

    Args:
        target: the one that all are held against, of which the words may say how it differs.
    """
    said = read(words)
    if said.url:
        return {"target": target, "server_url": said.url}
    differs = [word for word in said.said.split() if word != said.target]
    return {"target": said.target or target, "variant": " ".join(differs)}


def slugs(names: Sequence[str]) -> dict[str, str]:
    """Names that folders may have, each another one."""
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        made = slug(name)
        found[name] = made if made not in found.values() else f"{made}-{place}"
    return found


def slug(name: str) -> str:
    """A name that a folder may have; of a path the file's alone."""
    words = (Path(word).stem if os.sep in word and "://" not in word else word for word in name.split())
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(words)).strip("-")[:_LONGEST] or "own"
