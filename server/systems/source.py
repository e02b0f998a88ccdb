"""How long an application is: a System in, lines of Python out. Nothing is imported or started to find out.

Counted are the lines of `server.apps` that hold code: no blank ones, no comments, no docstrings. What all applications
share, such as the two bodies, counts for none of them; what only some share, such as Django's settings, counts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from server.systems.model import System

_ROOT = Path(__file__).parents[2]
_APPLICATION = re.compile(r"(server\.apps\.[\w.]+)(:\w+(\(\))?)?")
"""Of the words of a command, the one that names the application."""
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(system: System) -> int | None:
    """Lines of the application; None for a program that only has a configuration."""
    named = [match[1] for word in system.template if (match := _APPLICATION.fullmatch(word))]
    if system.program or not named:
        return None
    return sum(len(_code(_path(module).read_text(encoding="utf-8"))) for module in _with_own(named[0]))


def _path(module: str) -> Path:
    return _ROOT / f"{module.replace('.', '/')}.py"


def _with_own(module: str) -> set[str]:
    """The module, and those of `server.apps` that it imports."""
    found, new = set(), {module}
    while new:
        found |= new
        new = {name for one in new for name in _imported(_path(one).read_text(encoding="utf-8"))} - found
    return found


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("server.apps.") and _path(name).is_file())


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
