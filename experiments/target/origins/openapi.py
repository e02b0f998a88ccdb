"""An OpenAPI 3 document -> a target: every operation but DELETE, with values that fit the schemas.

`openapi-pydantic` says whether the document keeps to the standard; one that does not is read as far as it goes, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from openapi_pydantic import parse_obj
from pydantic import ValidationError

from experiments.errors import ParameterError
from experiments.target.masking import is_secret
from experiments.target.origins import guess
from experiments.target.origins.draft import Draft, Sketch, escaped
from experiments.target.origins.samples import Samples

_ASKED = ("get", "head", "post", "put", "patch")
_MOST_ENDPOINTS = 30


def sketch(document: dict[str, Any]) -> Sketch:
    """Reads a document.

    Raises:
        ParameterError: it is not OpenAPI 3, or has no operation.
    """
    if not str(document.get("openapi", "")).startswith("3."):
        version = document.get("openapi") or document.get("swagger")
        raise ParameterError(f"OpenAPI 3 is needed, this document is version {version}: convert it first.")
    operations = list(_operations(document))
    asked = [one for one in operations if one[0] in _ASKED]
    if not asked:
        raise ParameterError("this OpenAPI document has no operation that could be asked for.")
    url, base, said = _server(document)
    made = Sketch("an OpenAPI document", url, [], url_guess=said)
    samples = Samples(document)
    made.endpoints = [_Operation(document, samples, base, *one).draft() for one in asked[:_MOST_ENDPOINTS]]
    made.headers = _security(document)
    made.notes = list(_notes(document, operations, len(asked)))
    return made


def _notes(document: dict[str, Any], operations: list[Any], asked: int) -> Iterator[str]:
    try:
        parse_obj(document)
    except ValidationError as error:
        first = error.errors()[0]
        # The first step is the version that the library took it for.
        yield f"The document does not keep to the standard: {'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    if deletes := [path for method, path, _ in operations if method == "delete"]:
        yield f"Left out, since they destroy: DELETE {', '.join(deletes[:8])}"
    if asked > _MOST_ENDPOINTS:
        yield f"{asked - _MOST_ENDPOINTS} further operations are left out."
    yield "A document does not say how often anything is asked: leave out what devices do not do, and set the shares."


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in _mapping(document.get("paths")).items():
        for method, operation in _mapping(item).items():
            if method in (*_ASKED, "delete") and isinstance(operation, dict):
                shared = item.get("parameters") or []
                yield method, path, {**operation, "parameters": [*shared, *(operation.get("parameters") or [])]}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _server(document: dict[str, Any]) -> tuple[str | None, str, str]:
    """The server, the path that goes before all others, and what to say of it."""
    servers = document.get("servers") or [{}]
    url = str(_mapping(servers[0]).get("url", ""))
    for name, variable in _mapping(_mapping(servers[0]).get("variables")).items():
        url = url.replace(f"{{{name}}}", str(_mapping(variable).get("default", "")))
    parts = urlsplit(url)
    said = "a guess: the first server of the document; measure one of your own" if parts.hostname else ""
    server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.hostname and parts.scheme else None
    return server, escaped(parts.path.rstrip("/")), said


def _security(document: dict[str, Any]) -> dict[str, str]:
    """Headers by which the API knows who asks."""
    wanted = [name for one in document.get("security") or [] for name in _mapping(one)]
    schemes = _mapping(_mapping(document.get("components")).get("securitySchemes"))
    headers: dict[str, str] = {}
    for name, scheme in schemes.items():
        if wanted and name not in wanted:
            continue
        kind, form = _mapping(scheme).get("type"), str(_mapping(scheme).get("scheme", "")).lower()
        if kind in ("oauth2", "openIdConnect") or (kind == "http" and form == "bearer"):
            headers["Authorization"] = "Bearer {env.API_TOKEN}"
        elif kind == "http" and form == "basic":
            headers["Authorization"] = "Basic {env.API_BASIC}"
        elif kind == "apiKey" and scheme.get("in") in ("header", "cookie"):
            key = str(scheme.get("name", "X-API-Key"))
            in_header = scheme["in"] == "header"
            headers[key if in_header else "Cookie"] = f"{'' if in_header else f'{key}='}{{env.{guess.variable(key)}}}"
    return headers


class _Operation:
    """One operation, on its way to be an endpoint."""

    def __init__(
        self, document: dict[str, Any], samples: Samples, base: str, method: str, path: str, operation: dict[str, Any]
    ) -> None:
        self._samples = samples
        self._operation = operation
        self._parameters = {}
        for one in operation["parameters"]:
            parameter = samples.resolved(one)
            self._parameters[parameter.get("in"), parameter.get("name")] = parameter
        self._draft = Draft(method.upper(), "", often={"share": 1})
        self._draft.guesses["share"] = "a guess"
        self._draft.path = base + self._path(path)

    def draft(self) -> Draft:
        """The endpoint."""
        draft = self._draft
        identifier = str(self._operation.get("operationId", ""))
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", identifier):
            draft.name = identifier
        draft.path += self._query()
        for (place, name), parameter in self._parameters.items():
            key = str(name)
            if place == "header" and parameter.get("required") and key.lower() not in ("authorization", "content-type"):
                draft.headers[key] = guess.header(key, "") if is_secret(key) else self._value(parameter)
        self._set_body()
        self._set_expected()
        return draft

    def _path(self, path: str) -> str:
        """The path with values in place of its parameters; the last is taken for the device's id."""
        names = re.findall(r"\{([^{}]+)\}", path)
        guesses = []
        for name in names:
            parameter = self._parameters.get(("path", name), {})
            value = "{id}" if name == names[-1] else self._value(parameter)
            path = path.replace(f"{{{name}}}", f"\0{value}\0", 1)
            guesses.append(f"{name} is {value}")
        if guesses:
            self._draft.guesses["request"] = "a guess: " + ", ".join(guesses)
        parts = path.split("\0")
        return "".join(part if place % 2 else escaped(part) for place, part in enumerate(parts))

    def _query(self) -> str:
        """The parameters that must be there."""
        pairs = []
        for (place, name), parameter in self._parameters.items():
            if place == "query" and parameter.get("required"):
                value = f"{{env.{guess.variable(str(name))}}}" if is_secret(str(name)) else self._value(parameter)
                pairs.append(f"{quote(str(name), safe='')}={value}")
        return "?" + "&".join(pairs) if pairs else ""

    def _value(self, parameter: dict[str, Any]) -> str:
        value = parameter.get("example")
        if value is None:
            return str(self._samples.value(parameter.get("schema") or {}, str(parameter.get("name", ""))))
        return escaped(str(value))

    def _set_body(self) -> None:
        content = _mapping(self._samples.resolved(self._operation.get("requestBody") or {}).get("content"))
        kind = next((one for one in content if "json" in one), next(iter(content), None))
        if kind is None:
            return
        media = _mapping(content[kind])
        value = self._samples.example(media)
        made = value is None
        if made:
            value = self._samples.value(media.get("schema") or {}, "")
        if "json" in kind:
            self._draft.body = {"json": value if made else guess.tree(value, None)}
            if kind != "application/json":
                self._draft.headers["Content-Type"] = kind
        else:
            self._draft.headers["Content-Type"] = kind
            self._draft.body = {"text": str(value) if made else escaped(str(value))}
        key = next(iter(self._draft.body))
        self._draft.guesses[key] = "a guess: values that fit the schema" if made else "the document's example"

    def _set_expected(self) -> None:
        responses = _mapping(self._operation.get("responses"))
        good = sorted(int(status) for status in map(str, responses) if re.fullmatch("2[0-9][0-9]", status))
        self._draft.expect["status"] = good[0] if len(good) == 1 else good or 200
        if not good:
            self._draft.guesses["expect.status"] = "a guess: the document names none"
            return
        response = self._samples.resolved(responses.get(str(good[0])) or {})
        content = _mapping(response.get("content"))
        schema = next((_mapping(media).get("schema") for kind, media in content.items() if "json" in kind), None)
        if schema and (known := self._samples.required(schema)):
            self._draft.expect["json"] = known
