"""Names and values that a user gave -> a checked model, or one sentence for each thing that is wrong.

What every notebook's parameters have in common; which parameters there are, their models say.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from experiments.errors import ParameterError
from experiments.typed import Typed, typed
from server import catalogue

Model = TypeVar("Model", bound=BaseModel)

CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
"""Who asks, and the password, in any URL within a text."""


class Parameters(BaseModel):
    """What all models of parameters have in common: a text stays a text, and True is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: object, info: ValidationInfo) -> object:
        kind = cls.model_fields[str(info.field_name)].annotation
        if _is_text(kind):
            return as_text(value)
        if kind in (int, float) and isinstance(value, bool):  # Python takes True for 1.
            raise ValueError("a whole number is needed" if kind is int else "a number is needed")
        return value

    @classmethod
    def texts(cls) -> set[str]:
        """The parameters that are texts."""
        return {name for name, field in cls.model_fields.items() if _is_text(field.annotation)}


def _is_text(kind: object) -> bool:
    return kind is str or get_origin(kind) is Literal


def as_text(value: object) -> object:
    """A text; also one of digits, of which papermill or YAML have made a whole number.

    Raises:
        ValueError: what was written cannot be told from the value any more.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, bool | float):
        raise ValueError(
            "a text is needed, and this is what papermill's -p and YAML make of a word like null, yes or 1e3: "
            "write it with -r instead of -p, or in quotes in YAML"
        )
    return value


def text(name: str, value: object) -> str:
    """A text that is a parameter of no model.

    Raises:
        ParameterError: it is none, and cannot be taken for one.
    """
    try:
        taken = as_text(value)
    except ValueError as error:
        raise ParameterError(f"{name}={value!r}: {error}.") from None
    if not isinstance(taken, str):
        raise ParameterError(f"{name}={value!r}: a text is needed.")
    return taken


def given(namespace: Mapping[str, Any], known: Collection[str], texts: Collection[str]) -> dict[str, Any]:
    """The parameters that a notebook's `globals()` hold, with what papermill made of a text taken back where that is known.

    Args:
        texts: which of the known parameters are texts.

    Raises:
        ParameterError: papermill injected a name that is no parameter.
    """
    injected = injected_names(namespace)
    check_names(injected, known)
    as_typed = typed() if injected else {}
    return {
        name: _taken_back(namespace[name], as_typed.get(name), of_text=name in texts) for name in known if name in namespace
    }


def _taken_back(value: object, was: Typed | None, *, of_text: bool) -> object:
    """What was meant, unless the value has been changed since papermill injected it."""
    return value if was is None or repr(was.read) != repr(value) else meant(was, of_text=of_text)


def meant(was: Typed, *, of_text: bool) -> object:
    """What was typed for a parameter: of a text the text, of any other what papermill makes of it."""
    is_number = isinstance(was.read, int | float) and not isinstance(was.read, bool)
    return was.meant if was.of_yaml or (of_text and is_number) else was.read


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
    like = {one.casefold(): one for one in known}
    matches = [like[one] for one in difflib.get_close_matches(name.casefold(), like, n=1)]
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
