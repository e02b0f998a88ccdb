"""Targets made from what a team has: each is read again, and asks what the source asked, without its secrets."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.errors import ParameterError
from experiments.target import loading
from experiments.target.file import lines
from experiments.target.file.model import Target
from experiments.target.origins import draft
from experiments.target.origins.origin import target_from
from experiments.target.poller import Poller
from experiments.target.swarm import prepare

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
"""Texts of any letter but halves of a pair, which no file can hold."""


class Everything(Mapping[str, str]):
    """An environment in which every variable is set, to its own name."""

    def __getitem__(self, name: str) -> str:
        return f"<{name}>"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def pollers(text: str, tmp_path: Path) -> tuple[Target, dict[str, Poller]]:
    """The target that a text is, and what device 3 sends, by endpoint."""
    loaded = loading.read(text, tmp_path / "made.yaml", environ=Everything())
    device = prepare(loaded, clients=5, seed=1, host="h", environ=Everything()).device(3)
    return loaded.target, {poller.kind.name: poller for poller in device}


CURL = r"""curl 'https://api.example.com:8443/v1/devices/dev-00017/status?token=s3cr3t&page=2' \
  -H 'Authorization: Bearer s3cr3t' -H 'User-Agent: Mozilla' -H 'X-Fleet: {north}' --compressed \
  --data-raw $'{"device":"dev-00017","msg":"it\'s {x}","password":"s3cr3t","t":1.5}' -H 'content-type: application/json'
"""


def test_a_curl_command_is_one_endpoint(tmp_path: Path) -> None:
    """Method, path, headers and body as curl would send them; the id and the secrets are templates."""
    text = target_from(CURL)
    target, device = pollers(text, tmp_path)
    method, path, headers, body = device["status"].parts(1)
    assert target.url == "https://api.example.com:8443"
    assert (method, path) == ("POST", "/v1/devices/dev-00003/status?token=%3CTOKEN%3E&page=2")
    assert {name: value for name, value in headers if name not in ("Accept", "User-Agent")} == {
        "Authorization": "Bearer <API_TOKEN>", "X-Fleet": "{north}", "Accept-Encoding": "gzip, deflate",
        "Content-Type": "application/json",
    }  # fmt: skip
    assert json.loads(body) == {"device": "dev-00003", "msg": "it's {x}", "password": "<PASSWORD>", "t": 1.5}
    assert "s3cr3t" not in text
    assert "set TOKEN, API_TOKEN, PASSWORD in the environment" in text


@pytest.mark.parametrize(
    ("command", "request_line", "body"),
    [
        ("curl http://h/a", "GET /a", b""),
        ("curl h/a", "GET /a", b""),
        ("curl -I http://h", "HEAD /", b""),
        ("curl -XPUT http://h/a -d x=1 -d 'y=2'", "PUT /a", b"x=1&y=2"),
        ("curl -G http://h/a -d x=1 --data-urlencode 'q=a b'", "GET /a?x=1&q=a%20b", b""),
        ("curl http://h/a --data-urlencode 'q=a b&c'", "POST /a", b"q=a%20b%26c"),
        ("curl --json '{\"a\":[1,true]}' http://h/a", "POST /a", b'{"a":[1,true]}'),
        ("curl -sSL http://h/a -o /dev/null -m 5", "GET /a", b""),
        ("curl --url http://h/a -A me -e there", "GET /a", b""),
    ],
)
def test_curl_options_mean_what_curl_takes_them_for(tmp_path: Path, command: str, request_line: str, body: bytes) -> None:
    """Those that change the request change it, those that do not are left out."""
    _, device = pollers(target_from(command), tmp_path)
    method, path, _, sent = next(iter(device.values())).parts(1)
    assert (f"{method} {path}", sent) == (request_line, body)


def test_curl_s_other_ways_to_name_a_user_and_a_certificate(tmp_path: Path) -> None:
    """-u and a user in the URL are a header from the environment; certificates are paths; unknown options are named."""
    (tmp_path / "ca.pem").write_text("")
    text = target_from("curl -u me:s3cr3t -b 'sid=s3cr3t' --cacert ca.pem --http2 https://me:s3cr3t@h/a")
    target, device = pollers(text, tmp_path)
    headers = dict(device["a"].parts(1).headers)
    assert (headers["Authorization"], headers["Cookie"]) == ("Basic <API_BASIC>", "<API_COOKIE>")
    assert (target.url, target.tls.ca) == ("https://h", "ca.pem")
    assert "s3cr3t" not in text
    assert "Not understood and left out: --http2" in text


@pytest.mark.parametrize("command", ["curl", "curl 'http://h", "curl -X", "curl -X FETCH http://h/", "curl http:///a"])
def test_a_curl_command_that_cannot_be_read_is_refused(command: str) -> None:
    """An open quote, no address or an unknown method raise a ParameterError that says what was being read."""
    with pytest.raises(ParameterError, match=r"curl command"):
        target_from(command + " ")


def entry(url: str, at: float, method: str = "GET", *, posted: str = "", answered: str = "", **more: Any) -> dict[str, Any]:
    """One entry of a HAR file."""
    content = {"size": more.get("size", len(answered)), "mimeType": "application/json", "text": answered}
    headers = [{"name": name, "value": value} for name, value in more.get("headers", {}).items()]
    asked = {"method": method, "url": url, "headers": headers}
    tags = [{"name": "ETag", "value": '"x"'}] if more.get("etag") else []
    if posted:
        asked["postData"] = {"mimeType": "application/json", "text": posted}
    answer = {"status": more.get("status", 200), "headers": tags, "content": content}
    return {"startedDateTime": f"2026-01-01T00:00:{at:06.3f}Z", "request": asked, "response": answer}


def test_a_har_file_is_what_its_main_host_was_asked(tmp_path: Path) -> None:
    """Endpoints with how often, what was right and what was sent; assets, other hosts and browser headers are left out."""
    headers = {"Authorization": "Bearer s3cr3t", "Cookie": "sid=s3cr3t", "sec-ch-ua": "x", ":path": "/", "X-Site": "n"}
    posted, answered = '{"n": 1, "api_key": "s3cr3t"}', '{"next_poll_ms": 3000, "ok": true}'
    entries = [
        entry("https://a.b/api/status", 3 * i, "POST", posted=posted, answered=answered, headers=headers) for i in range(5)
    ]
    entries += [entry(f"https://a.b/api/config/d-123{i}", 1 + i, size=200_000, etag=True) for i in range(2)]
    entries += [entry("https://a.b/x.js", 1), entry("https://other.c/", 1), entry("https://a.b/gone", 2, status=404)]
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": entries}}))
    text = target_from(path)
    target, device = pollers(text, tmp_path)
    status, config, gone = (target.endpoints[name] for name in ("status", "config", "gone"))
    assert target.url == "https://a.b"
    assert list(target.endpoints) == ["status", "config", "gone"]
    assert (status.every_s, config.share, config.etag, gone.expect.status) == (3.0, 2, "remember", (404,))
    assert (status.expect.json_, status.expect.decoded_bytes) == (
        {"next_poll_ms": {"type": "integer"}, "ok": {"type": "boolean"}}, "17..68",
    )  # fmt: skip
    sent = device["status"].parts(1)
    assert dict(sent.headers).keys() == {"Accept", "User-Agent", "Content-Type", "Authorization", "Cookie", "X-Site"}
    assert json.loads(sent.body) == {"n": 1, "api_key": "<API_KEY>"}
    assert device["config"].parts(1).target == "/api/config/d-3"
    assert "s3cr3t" not in text
    assert "https://other.c" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"size": 55, "compression": 6945, "text": "a" * 7000}, "3500..14000"),
        ({"size": 3, "encoding": "base64", "text": "AAEC"}, "1..6"),
        ({"size": 900}, "450..1800"),
        ({"size": -1, "text": ""}, None),
    ],
    ids=["mitmproxy, gzip", "bytes", "no text", "unknown"],
)
def test_the_decoded_length_of_a_har_file_is_counted_where_the_text_is(
    tmp_path: Path, content: dict[str, Any], expected: str | None
) -> None:
    """A recorder that gives the length on the wire as `size` does not make every right answer a wrong one."""
    one = entry("http://a.b/x", 1)
    one["response"]["content"] = content
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [one]}}))
    target, _ = pollers(target_from(path), tmp_path)
    assert target.endpoints["x"].expect.decoded_bytes == expected


SERVERS_LOGS = {
    "aiohttp": '127.0.0.{n} [28/Nov/2026:17:00:0{n} +0000] "GET /a?q=1 HTTP/1.1" 200 253 "-" "dev/1"',
    "gunicorn": '127.0.0.{n} - - [28/Nov/2026:17:00:0{n} +0000] "GET /a?q=1 HTTP/1.1" 200 100 "-" "dev/1"',
    "hypercorn": "[2026-11-28 17:00:00 +0000] [41] [INFO] 127.0.0.{n}:4451{n} - - [28/Nov/2026:17:00:0{n} +0000] "
    '"GET /a 1.1" 200 100 "-" "dev/1"',
    "daphne": '127.0.0.{n}:4029{n} - - [28/Nov/2026:17:00:0{n}] "GET /a?q=1" 200 100',
}
"""A line of each server's access log, as it is by default."""


@pytest.mark.parametrize("server", SERVERS_LOGS)
def test_the_access_logs_of_python_s_servers_are_read(tmp_path: Path, server: str) -> None:
    """Addresses are devices whatever their ports, and what a server does not say or says otherwise is told."""
    path = tmp_path / "access.log"
    path.write_text("\n".join(SERVERS_LOGS[server].format(n=n) for n in (1, 2, 2, 3)))
    text = target_from(path)
    target, _ = pollers(text, tmp_path)
    [one] = target.endpoints.values()
    assert (one.request, one.expect.bytes) == (
        "GET /a" if server == "hypercorn" else "GET /a?q=1",
        None if server == "aiohttp" else "50..200",
    )
    assert "from 3 addresses" in text
    assert ("counts the head" in text, "leaves queries out" in text) == (server == "aiohttp", server == "hypercorn")


def log_line(target: str, status: int = 200, size: object = 100, *, client: int = 1, second: int = 0, rest: str = "") -> str:
    """One line of an access log."""
    time = f"01/Jan/2026:00:{second // 60:02d}:{second % 60:02d} +0000"
    return f'10.0.0.{client} - - [{time}] "{target} HTTP/1.1" {status} {size} "-" "curl/8"{rest}'


def test_an_access_log_gives_endpoints_shares_sizes_and_the_rate(tmp_path: Path) -> None:
    """The article's own log gives the article's target: two queries are two endpoints, ten to one."""
    lines = [
        log_line(f"GET /hello?page={1 if i % 11 else 200}", size=100 if i % 11 else 204_800, client=i % 50, second=i // 10)
        for i in range(1100)
    ]
    lines += [log_line("GET /hello?page=1", 500, 9), "junk", log_line("GET /once"), ""]
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines))
    text = target_from(path)
    target, device = pollers(text, tmp_path)
    assert [(name, one.request, one.share) for name, one in target.endpoints.items()] == [
        ("hello", "GET /hello?page=1", 10),
        ("get_hello", "GET /hello?page=200", 1),
    ]
    assert [one.expect.bytes for one in target.endpoints.values()] == ["50..200", "102400..409600"]
    assert device["get_hello"].parts(1).target == "/hello?page=200"
    assert "1,102 requests in 109 s from 50 addresses: 10.1 a second." in text
    assert "clients=50 and interval_ms=5440" in text
    assert "also seen: 1 x 500" in text
    assert "Left out as rare: GET /once." in text
    assert "not in the combined format, 1 of them" in text


def test_ids_and_changing_queries_of_a_log_become_templates(tmp_path: Path) -> None:
    """Many ids are one endpoint, many queries a choice, secrets a variable; what follows the format is left alone."""
    lines = [
        log_line(f"POST /api/v2/devices/{i:04d}/report?x={i % 20}&token=s3cr3t", 201, "-", second=i, rest=" 0.012 host")
        for i in range(40)
    ]
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines))
    text = target_from(path)
    _, device = pollers(text, tmp_path)
    sent = [device["report"].parts(round_) for round_ in range(1, 20)]
    assert all(re.fullmatch(r"/api/v2/devices/0003/report\?x=\d+&token=%3CTOKEN%3E", one.target) for one in sent)
    assert len({one.target for one in sent}) > 3
    assert "s3cr3t" not in text
    assert "(40 of them)" in text


@pytest.mark.parametrize(("lines", "sentence"), [(["a", "b"], "2 of 2 lines are not"), ([""], "is empty")])
def test_what_is_no_log_is_refused(tmp_path: Path, lines: list[str], sentence: str) -> None:
    """The sentence counts the lines that could not be read, or says that the file has none."""
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines))
    with pytest.raises(ParameterError, match=sentence):
        target_from(path)


OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "x", "version": "1"},
    "servers": [{"url": "https://api.x.com/v1"}],
    "security": [{"bearer": []}],
    "paths": {
        "/sites/{site}/devices/{deviceId}": {
            "parameters": [
                {"name": "site", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 3, "maximum": 3}},
                {"name": "deviceId", "in": "path", "required": True, "schema": {"type": "string"}},
            ],
            "post": {
                "operationId": "sendStatus",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}},
                "responses": {
                    "201": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
                            }
                        },
                    }
                },
            },
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/find": {
            "get": {
                "parameters": [
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "string", "enum": ["a", "b"]}},
                    {"name": "more", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": ""}},
            }
        },
    },
    "components": {
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}, "other": {"type": "http", "scheme": "basic"}},
        "schemas": {
            "Base": {"type": "object", "required": ["device"], "properties": {"device": {"type": "string"}}},
            "Status": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {
                        "type": "object",
                        "required": ["temp", "at", "mode", "tags", "n", "on", "made"],
                        "properties": {
                            "temp": {"type": "number", "minimum": -5, "maximum": 50},
                            "at": {"type": "string", "format": "date-time"},
                            "mode": {"type": "string", "enum": ["auto", "manual"]},
                            "tags": {"type": "array", "items": {"type": "string", "example": "{x}"}},
                            "n": {"type": "integer", "minimum": 5, "exclusiveMaximum": True, "maximum": 7},
                            "on": {"type": "boolean"},
                            "made": {"type": "string", "readOnly": True},
                            "optional": {"type": "string"},
                        },
                    },
                ]
            },
        },
    },
}


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_an_openapi_document_gives_its_operations_with_values_that_fit(tmp_path: Path, suffix: str) -> None:
    """Required parameters and fields only, within their limits; DELETE is named and left out."""
    path = tmp_path / f"api{suffix}"
    path.write_text(json.dumps(OPENAPI))
    text = target_from(path)
    target, device = pollers(text, tmp_path)
    assert target.url == "https://api.x.com"
    assert list(target.endpoints) == ["sendStatus", "find"]
    sent = device["sendStatus"].parts(1)
    assert (sent.method, sent.target) == ("POST", "/v1/sites/3/devices/3")
    assert dict(sent.headers)["Authorization"] == "Bearer <API_TOKEN>"
    body = json.loads(sent.body)
    assert body.keys() == {"device", "temp", "at", "mode", "tags", "n", "on"}
    assert (body["device"], body["tags"], body["on"]) == ("3", ["{x}"], True)
    assert -5 <= body["temp"] <= 50
    assert body["mode"] in ("auto", "manual")
    assert body["n"] in (5, 6)
    assert re.match(r"20\d\d-", body["at"])
    assert (target.endpoints["sendStatus"].expect.status, target.endpoints["sendStatus"].expect.json_) == (
        (201,), {"n": {"type": "integer"}},
    )  # fmt: skip
    assert device["find"].parts(1).target in ("/v1/find?q=a", "/v1/find?q=b")
    assert dict(device["find"].parts(1).headers)["X-Api-Key"] == "<X_API_KEY>"
    assert "DELETE /sites/{site}/devices/{deviceId}" in text


def test_a_document_that_breaks_the_standard_is_read_with_a_note(tmp_path: Path) -> None:
    """Real documents often do; what is wrong stands in the file."""
    path = tmp_path / "api.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {200: {"description": ""}}}}}}))
    text = target_from(path)
    target, _ = pollers(text, tmp_path)
    assert target.endpoints["a"].request == "GET /a"
    assert "The document does not keep to the standard: info" in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"swagger": "2.0", "paths": {}}', "OpenAPI 3 is needed, this document is version 2.0"),
        ('{"openapi": "3.0.0", "paths": {}}', "no operation"),
        ('{"log": {}}', "this is no HAR file"),
        ('{"log": {"entries": [{}]}}', "this is no HAR file"),
        ('{"log": {"entries": []}}', "no request to an http or https server"),
        ('{"a": 1}', "neither a HAR file"),
        ("{", "neither JSON nor YAML"),
        ("[1]", "neither a HAR file"),
    ],
)
def test_a_document_that_is_something_else_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """Broken JSON, an empty HAR file and lists each have a sentence that says what was looked for."""
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ParameterError, match=re.escape(sentence)):
        target_from(path)


def test_a_source_that_is_not_there_is_refused() -> None:
    """It is neither a file nor a curl command."""
    with pytest.raises(ParameterError, match="there is no such file, and it is no curl command"):
        target_from("nix.har")


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(trees)
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_read_again_as_it_was(tree: Any) -> None:
    """Any JSON, in YAML of one line and back: no text becomes a number, and no letter a line break."""
    values, _ = lines.read(f"value: {draft.flow(tree)}  # a comment", "f")
    assert values == {"value": tree}
    assert repr(values["value"]) == repr(tree)


@given(trees.filter(lambda tree: tree is not None))
@settings(max_examples=200, deadline=None)
def test_a_body_is_sent_as_it_was_seen(tree: Any) -> None:
    """Any JSON, as a template and back: braces are no templates, and every value keeps its type."""
    text = f"endpoints: {{a: {{request: POST /a, json: {draft.flow(draft.escaped_tree(tree))}}}}}"
    loaded = loading.read(text, Path("/nowhere/t.yaml"), environ={})
    sent = prepare(loaded, clients=1, seed=1, host="h", environ={}).device(0)[0].parts(1).body
    assert json.loads(sent) == tree


def test_nothing_in_a_source_can_leave_its_line(tmp_path: Path) -> None:
    """Line breaks in names and values stay within quotes, or out of comments."""
    path = tmp_path / "a.har"
    url = "https://a.b/x%0Aurl:%20evil/9999\u2028/\u0085?a=b\u2028c"
    asked = entry(url, 0, headers={"X-A": "b\n# c: {d}"}, posted='{"a\\nb": "c\\nd\\u2028"}')
    path.write_text(json.dumps({"log": {"entries": [asked]}}))
    text = target_from(path)
    loaded = loading.read(text, tmp_path / "made.yaml", environ=Everything())
    (endpoint,) = loaded.target.endpoints.values()
    assert endpoint.json_ == {"a\nb": "c\nd\u2028"}
    assert loaded.target.url == "https://a.b"
