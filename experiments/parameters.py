"""Names and values that a user gave -> a checked model, or one sentence for each thing that is wrong.

What every notebook's parameters have in common; which parameters there are, their models say.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from experiments.errors import ParameterError
from server import catalogue

Model = TypeVar("Model", bound=BaseModel)

CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
"""Who asks, and the password, in any URL within a text."""


def built(model: type[Model], parameters: Mapping[str, Any]) -> Model:
    """A model of parameters, each described by its field.

    Raises:
        ParameterError: one sentence for each thing that is wrong.
    """
    check_names(parameters, model.model_fields)
    try:
        return model(**parameters)
    except ValidationError as error:
        raise ParameterError(" ".join(_sentence(model, item) for item in error.errors())) from None


def check_names(names: Iterable[str], known: Collection[str]) -> None:
    """Refuses a name that is no parameter.

    Raises:
        ParameterError: names the parameter that was probably meant.
    """
    for name in names:
        if name not in known:
            raise ParameterError(f"unknown parameter {name!r}{nearest(name, known)}; the parameters are {listed(known)}.")


def injected_names(namespace: Mapping[str, Any]) -> set[str]:
    """The names that papermill assigned in a notebook whose `globals()` these are.

    Its cell begins with `# Parameters`; other cells are the user's own, and are left alone.
    """
    names: set[str] = set()
    for source in namespace.get("In", ()):
        if source.lstrip().startswith("# Parameters"):
            assigned = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
            names |= {node.id for node in assigned if isinstance(node.ctx, ast.Store)}
    return names


def listed(values: Iterable[object]) -> str:
    """`a, b` of values."""
    return ", ".join(map(str, values))


def nearest(name: str, known: Iterable[str]) -> str:
    """A question after the name that was probably meant; empty if none is like it."""
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


_ADVICE: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than_equal": lambda ctx: f"it must be at least {ctx['ge']:g}",
    "greater_than": lambda ctx: f"it must be above {ctx['gt']:g}",
    "less_than_equal": lambda ctx: f"it must be at most {ctx['le']:,}",
    "int_parsing": lambda ctx: "a whole number is needed",
    "int_from_float": lambda ctx: "a whole number is needed",
    "int_type": lambda ctx: "a whole number is needed",
    "float_parsing": lambda ctx: "a number is needed",
    "float_type": lambda ctx: "a number is needed",
    "finite_number": lambda ctx: "a finite number is needed",
    "bool_parsing": lambda ctx: "True or False is needed",
    "bool_type": lambda ctx: "True or False is needed",
    "literal_error": lambda ctx: f"allowed are {ctx['expected']}",
    "value_error": lambda ctx: str(ctx["error"]),
}
"""What is allowed, by pydantic's name of the complaint."""


def _sentence(model: type[BaseModel], item: Any) -> str:
    """One sentence out of one pydantic complaint: what was given, what is allowed, what the parameter means."""
    context = item.get("ctx", {})
    advice = _ADVICE.get(item["type"])
    allowed = advice(context) if advice else str(item["msg"])
    if not item["loc"]:
        return f"{allowed}."
    name = str(item["loc"][0])
    given = CREDENTIALS.sub("***@", catalogue.database_url.masked(repr(item["input"])))
    return f"{name}={given}: {allowed} ({model.model_fields[name].description})."
