"""How long an application is: a System in, lines of Python out. Nothing is imported or started to find out.

Counted are the lines that hold code: no blank ones, no comments, no docstrings. Modules of this package that all
applications share, such as the two bodies, count for none of them; what only some share, such as Django's settings, counts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from server.systems.model import System

_HERE = Path(__file__).parent
_APPLICATION = re.compile(r"server\.(\w+)(:\w+(\(\))?)?")
"""Of the words of a command, the one that names the application."""
_SHARED = ("pages", "payloads", "settings", "system")
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(system: System) -> int | None:
    """Lines of the application; None for a program that only has a configuration."""
    named = [match[1] for word in system.template if (match := _APPLICATION.fullmatch(word))]
    if system.program or not named:
        return None
    return sum(len(_code(_path(module).read_text(encoding="utf-8"))) for module in _with_own(named[0]))


def _path(module: str) -> Path:
    return _HERE / f"{module}.py"


def _with_own(module: str) -> set[str]:
    """The module, and those of this package that it imports without sharing them with all others."""
    found, new = set(), {module}
    while new:
        found |= new
        new = {name for one in new for name in _imported(_path(one).read_text(encoding="utf-8"))} - found
    return found


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for parts in (name.split(".") for name in names):
            if len(parts) > 1 and parts[0] == "server" and parts[1] not in _SHARED and _path(parts[1]).is_file():
                yield parts[1]


def _code(source: str) -> set[int]:
    """Numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - _docstrings(source)


def _docstrings(source: str) -> set[int]:
    """Lines of texts that stand by themselves: docstrings, also those under a field."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
