"""What was found, as text for a terminal and as a page for the docs."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from experiments.probe.probing import Probed

_TITLE = """# What servers do on the wire

Made by `make probe SERVER=all`: every system of the catalogue that can run here is started with one worker, as in a run, and
asked by hand. Limits that the lab raises (backlog, connections, keep-alive) are raised; which they are stands in
[Systems](systems.md). A fact that spoils a measurement, or leaves devices unanswered, has an asterisk and is told below.
`make probe SERVER=http://127.0.0.1:8000/path` asks one of your own.
"""


def text(probed: Probed) -> str:
    """One server, for a terminal: a line for each fact, then the traps."""
    lines = [f"{probed.name}" + (f" ({', '.join(probed.versions)})" if probed.versions else "")]
    if probed.failure:
        return "\n".join([*lines, f"  could not be probed: {probed.failure}"])
    width = max(map(len, probed.facts))
    lines += [f"  {name:<{width}}  {fact.says}" for name, fact in probed.facts.items()]
    lines += [f"  * {fact.trap}" for fact in probed.facts.values() if fact.trap]
    return "\n".join(lines)


def page(probed: Sequence[Probed]) -> str:
    """All of them: a table with a row per server, the traps in words, versions."""
    day = datetime.now(UTC).date().isoformat()
    made = f"Made on {day}, Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n"
    return "\n".join([_TITLE, made, *_table(probed), "", *_traps(probed), *_versions(probed)]) + "\n"


def _table(probed: Sequence[Probed]) -> Iterator[str]:
    columns = list(next((one.facts for one in probed if one.facts), {}))
    yield "| system | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for one in probed:
        cells = [one.facts[name].says + ("*" if one.facts[name].trap else "") for name in columns if name in one.facts]
        yield f"| `{one.name}` | " + " | ".join(cells or ["could not be probed"] + [""] * (len(columns) - 1)) + " |"


def _traps(probed: Sequence[Probed]) -> Iterator[str]:
    yield "## Traps\n"
    for one in probed:
        for trap in [one.failure, *(fact.trap for fact in one.facts.values())]:
            if trap:
                yield f"- `{one.name}`: {trap}"
    yield ""


def _versions(probed: Sequence[Probed]) -> Iterator[str]:
    yield "## Versions\n"
    yield from (f"- `{one.name}`: {', '.join(one.versions) or 'not known'}" for one in probed)
