"""Values that fit a schema, as templates: what is free is random, so that no two polls are alike where they need not be."""

from __future__ import annotations

import re
from typing import Any

from experiments.target.masking import is_secret
from experiments.target.origins import guess
from experiments.target.origins.draft import escaped_tree

_DEEPEST = 6
_ID = re.compile(r"(.*[_-])?(id|device|serial|uuid)|.*(Id|Serial)")
_OF_FORMAT = {
    "date-time": "{now}",
    "date": "{now:%Y-%m-%d}",
    "time": "{now:%H:%M:%S}",
    "uuid": "{uuid}",
    "email": "device-{index}@example.com",
    "ipv4": "192.0.2.1",
    "uri": "https://example.com/",
}
_MOST_FIELDS = 6


class Samples:
    """Makes values for the schemas of one document.

    Args:
        document: in which references are looked up; those to other files are not followed.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def resolved(self, value: Any) -> dict[str, Any]:
        """What a value stands for, if it is a reference within the document."""
        for _ in range(_DEEPEST):
            if not isinstance(value, dict):
                return {}
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._document if reference.startswith("#/") else {}
            for step in reference[2:].split("/"):
                value = value.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(value, dict) else {}
        return {}

    def example(self, media: dict[str, Any]) -> Any:
        """The document's own example of a body, or None."""
        if media.get("example") is not None:
            return media["example"]
        examples = media.get("examples")
        if isinstance(examples, dict) and examples:
            return self.resolved(next(iter(examples.values()))).get("value")
        return self.resolved(media.get("schema") or {}).get("example")

    def value(self, schema: Any, name: str, depth: int = 0) -> Any:
        """A value that fits, as a template."""
        schema = self.resolved(schema)
        for key in ("allOf", "oneOf", "anyOf"):
            if schema.get(key):
                return self._of_several(key, schema, name, depth)
        if name and is_secret(name):
            return f"{{env.{guess.variable(name)}}}"
        for key in ("example", "default", "const"):
            if schema.get(key) is not None:
                return "{id}" if _ID.fullmatch(name) and isinstance(schema[key], str) else escaped_tree(schema[key])
        if isinstance(schema.get("examples"), list) and schema["examples"]:
            return escaped_tree(schema["examples"][0])
        if schema.get("enum"):
            return self._one_of(schema["enum"])
        return self._of_type(schema, name, depth)

    def required(self, schema: Any) -> dict[str, Any]:
        """What may be expected of an answer: the types of the fields that must be there."""
        schema = self.resolved(schema)
        wanted = {}
        for name in (schema.get("required") or [])[:_MOST_FIELDS]:
            kind = self.resolved((schema.get("properties") or {}).get(name)).get("type")
            if isinstance(kind, str) and re.fullmatch(r"[^.\[\]]+", str(name)):
                wanted[str(name)] = {"type": kind}
        return wanted

    def _of_several(self, key: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        if key != "allOf":
            first: Any = next((one for one in schema[key] if self.resolved(one).get("type") != "null"), {})
            return self.value(first, name, depth + 1) if depth < _DEEPEST else None
        together: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for one in [*schema["allOf"], {k: v for k, v in schema.items() if k != "allOf"}]:
            part = self.resolved(one)
            together["properties"] |= part.get("properties") or {}
            together["required"] += part.get("required") or []
        if together["properties"]:
            return self.value(together, name, depth + 1) if depth < _DEEPEST else {}
        return self.value(schema["allOf"][0], name, depth + 1) if depth < _DEEPEST else None

    def _one_of(self, values: list[Any]) -> Any:
        simple = [one for one in values if isinstance(one, str) and re.fullmatch(r"[A-Za-z0-9_.-]+", one)]
        if len(simple) < len(values) or len(values) < 2:
            return escaped_tree(values[0])
        return f"{{choice({', '.join(repr(one) for one in simple)})}}"

    def _of_type(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        if kind == "array":
            return [self.value(schema.get("items") or {}, name, depth + 1)] if depth < _DEEPEST else []
        if kind in ("integer", "number"):
            low, high = _limits(schema)
            return f"{{randint({int(low)}, {int(high)})}}" if kind == "integer" else f"{{uniform({low:.15g}, {high:.15g})}}"
        if kind == "boolean":
            return True
        return self._text(schema, name) if kind == "string" or kind is None else None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        if depth >= _DEEPEST or not isinstance(properties, dict):
            return {}
        wanted = schema.get("required") or list(properties)
        # What only a server writes is not sent.
        sent = [one for one in properties if one in wanted and not self.resolved(properties[one]).get("readOnly")]
        return {one: self.value(properties[one], one, depth + 1) for one in sent}

    def _text(self, schema: dict[str, Any], name: str) -> str:
        if _ID.fullmatch(name):
            return "{id}"
        if (form := schema.get("format")) in _OF_FORMAT:
            return _OF_FORMAT[str(form)]
        text = re.sub(r"[^A-Za-z0-9_-]", "", name) or "text"
        least, most = int(schema.get("minLength") or 0), int(schema.get("maxLength") or 1000)
        return text.ljust(min(least, 1000), "x")[: max(most, 1)]


def _limits(schema: dict[str, Any]) -> tuple[float, float]:
    """Both ends of a number, ends excluded by the schema kept away from."""
    low, high = schema.get("minimum"), schema.get("maximum")
    step = 1 if schema.get("type") == "integer" else 0.001
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        above = schema["exclusiveMinimum"]
        low = (low or 0) + step if above is True else low if above is False else above + step
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        below = schema["exclusiveMaximum"]
        high = (high or 0) - step if below is True else high if below is False else below - step
    low = low if isinstance(low, int | float) else (0 if high is None or high >= 0 else high - 100)
    high = high if isinstance(high, int | float) else low + 100
    return (low, high) if low <= high else (low, low)
