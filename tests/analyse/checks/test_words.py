"""Findings and their words: whatever a check can find has a sentence, and none is there for nothing."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from experiments.analyse.checks.evidence import Found
from experiments.analyse.checks.verdict import CHECKS
from experiments.analyse.checks.words import WORDS, say


def texts(check: object) -> Iterator[str]:
    """Every text in the code of a check, and in that of the private functions of its module."""
    module = inspect.getmodule(check)
    assert isinstance(module, ModuleType)
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef) and (node.name.startswith("_") or node.name == check.__name__):  # type: ignore[attr-defined]
            yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def found_by(check: object) -> Iterator[str]:
    """The kinds that stand literally in the code of a check, as first argument or as `kind`."""
    for node in ast.walk(ast.parse(inspect.getsource(check))):  # type: ignore[arg-type]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Found", "unknown"):
            kinds = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "kind")]
            for kind in kinds:
                leaves = _leaves(kind)
                yield from (one.value for one in leaves if isinstance(one, ast.Constant))


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """What a conditional expression may give."""
    if isinstance(node, ast.IfExp):
        yield from (*_leaves(node.body), *_leaves(node.orelse))
    else:
        yield node


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_whatever_a_check_finds_has_words(check: object) -> None:
    """Each kind that a check names has a sentence, and each sentence a check that names its kind."""
    words = WORDS[check.__name__]  # type: ignore[attr-defined]
    assert set(found_by(check)) <= words.keys()
    said = set(texts(check))
    assert {kind.removesuffix("_behind") for kind in words} <= said


def test_there_are_words_for_the_checks_that_there_are() -> None:
    """In their order, and for no others."""
    assert set(WORDS) == {check.__name__ for check in CHECKS}


def test_a_finding_becomes_a_check() -> None:
    """Name, status and figures are kept; values stand in the sentences, and advice depends on the engine."""
    found = Found("late", "suspect", "p50 1 ms", "up to", 2.0)
    stock, epoll = (say("lag", found, engine) for engine in ("httpx-stock", "epoll"))
    assert (stock.name, stock.kind, stock.status, stock.figure, stock.limit, stock.of_limit) == (
        "lag", "late", "suspect", "p50 1 ms", "up to", 2.0
    )  # fmt: skip
    assert stock.meaning == epoll.meaning
    assert stock.advice != epoll.advice
    assert stock.said == f"{stock.meaning} {stock.advice}"


def test_values_are_no_templates() -> None:
    """What a server or an operating system said is shown as it is."""
    found = Found("broken", "invalid", values={"errors": "Generator 0 said {lighten}"})
    assert say("generator_errors", found, "httpx").meaning == "Generator 0 said {lighten}."
