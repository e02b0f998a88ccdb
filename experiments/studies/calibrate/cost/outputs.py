"""What tools that are not ours print at their end: text in, polls answered and failed out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.errors import GeneratorError


@dataclass(frozen=True)
class Said:
    """What a tool says of itself at its end."""

    answered: int
    failed: int


Reader = Callable[[str], Said]
"""Reads the output of a tool.

Raises:
    GeneratorError: it does not say what is looked for.
"""


def read_aiohttp(output: str) -> Said:
    """The last line of `aiohttp_poller.py` is JSON."""
    said = _json("aiohttp", output, r"^\{.*\}$")
    return Said(int(said["answered"]), int(said["failed"]))


def read_locust(output: str) -> Said:
    """`--json`: a list with an entry per request name."""
    entries = _json("locust", output, r"^\[$.*?^\]$")
    requests, failures = (sum(int(entry[key]) for entry in entries) for key in ("num_requests", "num_failures"))
    return Said(requests - failures, failures)


def _json(tool: str, output: str, pattern: str) -> Any:
    found = re.findall(pattern, output, re.MULTILINE | re.DOTALL)
    try:
        return json.loads(found[-1])
    except (IndexError, ValueError):
        raise _unreadable(tool, output) from None


def read_hey(output: str) -> Said:
    """Its status codes, and its errors, which come without one."""
    statuses = re.findall(r"^\s+\[(\d+)\]\s+(\d+) responses$", output, re.MULTILINE)
    errors = re.findall(r"^\s+\[(\d+)\]\s+(?!\d+ responses$)", output.partition("Error distribution:")[2], re.MULTILINE)
    if not statuses and not errors:
        raise _unreadable("hey", output)
    answered = sum(int(number) for status, number in statuses if status == "200")
    return Said(answered, sum(int(number) for _, number in statuses) - answered + sum(map(int, errors)))


def read_h2load(output: str) -> Said:
    """`requests: ... succeeded, ... failed`; what errored or timed out is among the failed."""
    found = re.search(r"^requests: .* (\d+) succeeded, (\d+) failed", output, re.MULTILINE)
    if found is None:
        raise _unreadable("h2load", output)
    return Said(int(found[1]), int(found[2]))


def read_wrk2(output: str) -> Said:
    """Its requests, and the lines that it adds where something failed."""
    requests = re.search(r"(\d+) requests in", output)
    if requests is None:
        raise _unreadable("wrk2", output)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    others = int(wrong[1]) if wrong else 0
    return Said(int(requests[1]) - others, others + (sum(map(int, errors.groups())) if errors else 0))


def _unreadable(tool: str, output: str) -> GeneratorError:
    return GeneratorError(f"{tool} did not say how many polls were answered; the end of its output: {output[-500:].strip()}")
