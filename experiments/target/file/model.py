"""The target file as checked values: what stands in it, and what each key means.

Values here are as they were written: templates are texts, ranges are texts or numbers. `loading` reads the file and says
where a mistake stands; `requests` and `checks` make something of it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from experiments.target.file import values

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

Text = Annotated[str, BeforeValidator(values.as_text)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
ByteRange = Annotated[int | str | None, BeforeValidator(values.byte_range)]
Whole = Annotated[int, BeforeValidator(values.whole)]
Statuses = Annotated[tuple[int, ...], BeforeValidator(values.statuses)]
Headers = Annotated[dict[str, Text], AfterValidator(values.sendable)]
Regex = Annotated[str, AfterValidator(values.regex)]


class Part(BaseModel):
    """A part of the file: exact types, no key that is not known, nothing that changes later."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Ready(Part):
    """How it is known that the server may be polled."""

    path: Annotated[str, AfterValidator(values.from_the_root)] = Field(description="what is asked for with GET")
    status: Statuses = Field((200,), description="statuses that mean ready")


class Tls(Part):
    """How an https server is spoken to."""

    ca: str | None = Field(None, description="file of the certificates that are trusted, PEM; else the system's")
    verify: bool = Field(True, description="whether the server's certificate is checked")
    cert: str | None = Field(None, description="file of the device's own certificate, PEM; may be a template")
    key: str | None = Field(None, description="file of its private key, PEM; may be a template")
    server_cert: str | None = Field(None, description="file of the certificate that `app` shows, PEM; it then speaks https")
    server_key: str | None = Field(None, description="file of its private key, PEM")

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.key and not self.cert:
            raise ValueError("key without cert: name the certificate that it belongs to")
        if bool(self.server_cert) != bool(self.server_key):
            raise ValueError("server_cert and server_key belong together: name both files")
        return self


class Devices(Part):
    """Who polls."""

    count: Whole | None = Field(None, ge=1, le=1_000_000, description="how many; else the run's `clients`")
    id: Text | None = Field(None, min_length=1, description="pattern of a device's id; else the column `id`, else {index}")
    table: str | None = Field(None, description="CSV or Parquet file with a row for each device")
    ramp_up_s: float = Field(0.0, ge=0, le=86_400, description="seconds over which devices join, evenly")
    jitter_ms: float = Field(0.0, ge=0, le=60_000, description="ms by which a poll is late at most, at random")


class Slo(Part):
    """The service level of an endpoint."""

    p99_ms: float | None = Field(None, gt=0, description="response p99 in ms, at most")
    failure_pct: float | None = Field(None, ge=0, le=100, description="failed polls in percent, at most")


class Expect(Part):
    """What a right answer is; all that is named must hold. Without a status, any from 200 to 299 is right."""

    status: Statuses | None = Field(None, description="a status, or a list of them")
    bytes: ByteRange = Field(None, description="length of the body on the wire, or a range like 20..400")
    decoded_bytes: ByteRange = Field(None, description="its length after Content-Encoding is undone, or a range")
    json_: dict[str, Any] | None = Field(None, alias="json", description="fields of JSON by path, like a.b[0]")
    regex: Regex | None = Field(None, description="regular expression that is found in the decoded body")
    body: Literal["first"] | str | None = Field(
        None, description="`first`: the same bytes as the device's first answer; else a file with the decoded bytes"
    )
    headers: Annotated[dict[str, Text | Literal[True]], AfterValidator(values.header_names)] = Field(
        {}, description="headers by name: the value, or true if it only must be there"
    )


class NextPoll(Part):
    """Where an answer says when to poll next."""

    json_: str | None = Field(None, alias="json", description="path of a JSON field")
    header: Literal["Retry-After"] | None = Field(None, description="the header Retry-After")
    unit: Literal["ms", "s"] | None = Field(None, description="of the JSON field; else by its name's end, _ms or _s")

    @model_validator(mode="after")
    def _known_unit(self) -> Self:
        if not (self.json_ or self.header):
            raise ValueError("name a JSON field (json: next_poll_ms) or header: Retry-After")
        if self.json_ and not self.unit and not self.json_.endswith(("_ms", "_s")):
            raise ValueError(f"is {self.json_!r} in ms or in seconds? add unit: ms or unit: s")
        return self

    @property
    def seconds(self) -> float:
        """Seconds in a unit of the JSON field."""
        unit = self.unit or ("ms" if (self.json_ or "").endswith("_ms") else "s")
        return 0.001 if unit == "ms" else 1.0


class Endpoint(Part):
    """One kind of request, how often it is made, and what is right in answer to it."""

    request: Annotated[str, AfterValidator(values.request)] = Field(
        description="method and path, like GET /status; may be a template"
    )
    headers: Headers = Field({}, description="headers by name, beside those for all; values may be templates")
    query: dict[str, Text | list[Text]] = Field({}, description="query parameters by name; values may be templates")
    json_: Any = Field(None, alias="json", description="body, as JSON; texts in it may be templates")
    text: Text | None = Field(None, description="body, as text; may be a template")
    file: str | None = Field(None, description="body, as the bytes of a file")
    share: Whole | None = Field(
        None, ge=0, le=999_999, description="how often beside the other endpoints with a share; 0: never"
    )
    every_s: Seconds | None = Field(None, description="seconds between two polls, on a clock of its own")
    etag: Literal["remember"] | None = Field(None, description="remember: sends If-None-Match; 304 is right then")
    expect: Expect = Field(default_factory=lambda: Expect.model_validate({}), description="what a right answer is")
    slo: Slo = Field(default_factory=lambda: Slo.model_validate({}), description="the service level")
    ignore: Annotated[bool | list[Regex], BeforeValidator(values.parts_or_all)] = Field(
        False, description="true: any answer is right; else parts of a body, as regular expressions, that may differ"
    )
    next_poll: Annotated[NextPoll | None, BeforeValidator(values.next_poll)] = Field(
        None, description="where an answer says when to poll next: a JSON field, or Retry-After"
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        told = self.model_fields_set
        bodies = [name for name, field in (("json", "json_"), ("text", "text"), ("file", "file")) if field in told]
        if len(bodies) > 1:
            raise ValueError(f"{' and '.join(bodies)}: a request has one body; leave one out")
        if self.share is not None and self.every_s is not None:
            raise ValueError("share and every_s: an endpoint has one of them; leave one out")
        if self.etag and any(name.lower() == "if-none-match" for name in self.headers):
            raise ValueError("etag: remember sends If-None-Match itself; leave the header out")
        if isinstance(self.ignore, list) and self.expect.body is None:
            raise ValueError("ignore names parts of a body that may differ, but expect has no body to compare with")
        return self

    @property
    def method(self) -> str:
        """GET, POST ..."""
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path, with a query if it has one."""
        return self.request.partition(" ")[2]

    @property
    def has_json(self) -> bool:
        """Whether the body is JSON; `json: null` is one too."""
        return "json_" in self.model_fields_set


def _named(value: dict[str, Endpoint]) -> dict[str, Endpoint]:
    if not value:
        raise ValueError("there is no endpoint: name one, like status: {request: GET /status}")
    for name in value:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an endpoint: letters, digits, _ and - are, a letter first, at most 64")
    return value


class Target(Part):
    """What is asked of a server. At most one of app, url and command; with none, the server that the run names."""

    app: str | None = Field(None, pattern=r"^[\w.]+:\w+$", description="module:factory or module:app, started by the lab")
    url: Annotated[str, AfterValidator(values.url)] | None = Field(None, description="a running server, http or https")
    command: str | None = Field(None, min_length=1, description="starts a server; {port} is where it must listen")
    description: str = Field("", description="a sentence for who reads the report")
    server: Literal["uvicorn", "gunicorn"] | None = Field(None, description="what serves `app`; else by interface")
    interface: Literal["asgi", "wsgi"] = Field("asgi", description="how `app` is called")
    working_dir: str | None = Field(None, description="folder in which app or command starts; else that of this file")
    env: Annotated[dict[str, Text], BeforeValidator(values.environment)] = Field(
        {}, description="variables for app or command: values, or a list of names that are handed on; never recorded"
    )
    workers: Whole | None = Field(None, ge=1, le=256, description="worker processes of `app`; else the run's")
    ready: Annotated[Ready | None, BeforeValidator(values.ready)] = Field(
        None, description="path that tells that the server is ready; else the first endpoint answers rightly"
    )
    pid_file: str | None = Field(None, description="file with the process whose tree is the server's cost")
    metrics_url: str | None = Field(None, pattern="^https?://", description="Prometheus text of a server elsewhere")
    metrics_requests: str | None = Field(None, description="name of the counter of requests in metrics_url")
    tls: Tls = Field(
        default_factory=lambda: Tls.model_validate({}), description="how an https server is spoken to"
    )
    devices: Devices = Field(default_factory=lambda: Devices.model_validate({}), description="who polls")
    headers: Headers = Field({}, description="headers of every request; values may be templates")
    endpoints: Annotated[dict[str, Endpoint], AfterValidator(_named)] = Field(
        description="what is polled, in this order where several are due at once"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        told = [name for name in ("app", "url", "command") if getattr(self, name)]
        if len(told) > 1:
            raise ValueError(f"{' and '.join(told)}: a target has one server; leave one out")
        for name in ("server", "workers"):
            if getattr(self, name) and not self.app:
                raise ValueError(f"{name} without app: only what the lab starts itself has it")
        for name in ("working_dir", "env"):
            if getattr(self, name) and not (self.app or self.command):
                raise ValueError(f"{name} without app or command: only what is started here has it")
        if self.command and "{port}" not in self.command:
            raise ValueError("command without {port}: say where the port goes on which it must listen, like --port {port}")
        if self.server == "uvicorn" and self.interface == "wsgi":
            raise ValueError("server: uvicorn with interface: wsgi: use gunicorn for a WSGI app")
        if "tls" in self.model_fields_set and (self.url or "").startswith("http:"):
            raise ValueError("tls with an http url: write url: https://...")
        if self.tls.server_cert and not self.app:
            raise ValueError("tls.server_cert without app: only what the lab starts on uvicorn or gunicorn is told it")
        if all(one.share == 0 for one in self.endpoints.values()):
            raise ValueError("no endpoint is ever polled: give one a share above 0, or every_s")
        if self.metrics_requests and not self.metrics_url:
            raise ValueError("metrics_requests without metrics_url: say where the counter is read")
        return self

    @property
    def https(self) -> bool:
        """Whether its server is spoken to over TLS: by its url, a command with `tls`, or an app with a certificate."""
        if self.url:
            return self.url.startswith("https:")
        return bool(self.tls.server_cert if self.app else self.command and "tls" in self.model_fields_set)

    @property
    def serving(self) -> Literal["uvicorn", "gunicorn"]:
        """What serves `app`."""
        return self.server or ("uvicorn" if self.interface == "asgi" else "gunicorn")


PARTS: dict[tuple[str, ...], type[Part]] = {
    (): Target,
    ("ready",): Ready,
    ("tls",): Tls,
    ("devices",): Devices,
    ("endpoints", "*"): Endpoint,
    ("endpoints", "*", "expect"): Expect,
    ("endpoints", "*", "slo"): Slo,
    ("endpoints", "*", "next_poll"): NextPoll,
}
"""Which part of the file stands where; `*` is any name."""
