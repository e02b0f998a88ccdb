"""What devices send, and what they make of the answers: from a file's text to bytes and back."""

import gc
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.schedule import Timing
from experiments.target import loading
from experiments.target.answers.answer import Answer
from experiments.target.planning import timings
from experiments.target.poller import Poller
from experiments.target.requests.request import with_host
from experiments.target.swarm import Swarm, environment, prepare

NOW = 1_700_000_000.25
ENVIRON = {"TELEMETRY_TOKEN": "geheim99", "OTHER": "unseen"}


def swarm(text: str, folder: Path = Path("/nowhere"), *, clients: int = 3, seed: int = 1, **more: Any) -> Swarm:
    """The devices of a target file's text."""
    loaded = loading.read(text, folder / "t.yaml", environ=ENVIRON)
    return prepare(loaded, clients=clients, seed=seed, host="127.0.0.1:8000", environ=ENVIRON, clock=lambda: NOW, **more)


def one(endpoint: str, *, rest: str = "", client: int = 1, folder: Path = Path("/nowhere"), **more: Any) -> Poller:
    """The only endpoint of one device; its file begins with a request unless it has one."""
    request = "" if "request:" in endpoint else "request: GET /status, "
    return swarm(f"{rest}\nendpoints: {{status: {{{request}{endpoint}}}}}\n", folder, **more).device(client)[0]


def body_of(poller: Poller, round_: int) -> Any:
    """The JSON that it sends in a round."""
    return json.loads(poller.parts(round_).body)


STATUS = """
devices: {id: "dev-{index:05d}"}
headers: {Authorization: "Bearer {env.TELEMETRY_TOKEN}"}
endpoints:
  status:
    request: POST /api/v1/status
    json: {device: "{id}", temp: "{uniform(15, 30)}", round: "{round}"}
    every_s: 3
    expect: {status: 200, bytes: 20..400, json: {next_poll_ms: 3000}}
  config:
    request: GET /api/v1/config/{id}
    headers: {Accept-Encoding: gzip}
    every_s: 10
    etag: remember
    expect: {status: [200, 304], decoded_bytes: 150000..250000}
"""


def test_a_request_goes_out_as_http_1_1() -> None:
    """Line, host, headers, length and body; what the device and the round say is filled in."""
    status, config = swarm(STATUS).device(1)
    head, _, body = status.wire(7).partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /api/v1/status HTTP/1.1",
        "Host: 127.0.0.1:8000",
        "Accept: */*",
        "User-Agent: falcon-asgi-performance-lab",
        "Content-Type: application/json",
        "Authorization: Bearer geheim99",
        f"Content-Length: {len(body)}",
    ]
    sent = json.loads(body)
    assert (sent["device"], sent["round"], type(sent["temp"])) == ("dev-00001", 7, float)
    assert config.wire(1).startswith(b"GET /api/v1/config/dev-00001 HTTP/1.1\r\n")
    assert b"Content-Length" not in config.wire(1)


def test_wire_and_parts_are_the_same_request() -> None:
    """A client that writes requests itself sends the same."""
    for poller in swarm(STATUS).device(2):
        method, target, headers, body = poller.parts(5)
        wire = poller.wire(5)
        assert wire.startswith(f"{method} {target} HTTP/1.1\r\n".encode())
        assert all(f"\r\n{name}: {value}\r\n".encode() in wire for name, value in headers)
        assert wire.endswith(b"\r\n\r\n" + body)


def test_random_values_are_a_function_of_seed_client_endpoint_round_and_place() -> None:
    """The same again in any order and process; another of the five gives another."""
    forms = 'json: ["{uniform(0, 1)}", "{uniform(0, 1)}", "{randint(1, 1000000)}", "{hex(20)}", "{uuid}"]'
    poller = one(f"request: POST /a, {forms}")
    first, later = body_of(poller, 1), body_of(poller, 2)
    assert body_of(one(f"request: POST /a, {forms}"), 1) == first == body_of(poller, 1)
    assert first[0] != first[1]
    others = [later]
    others += [body_of(one(f"request: POST /a, {forms}", **other), 1) for other in ({"client": 2}, {"seed": 2})]
    both = swarm(f"endpoints: {{a: {{request: POST /a, {forms}}}, status: {{request: POST /a, {forms}}}}}").device(1)
    assert body_of(both[1], 1) == first, "another endpoint in the file must not change this one's values"
    others.append(body_of(both[0], 1))
    assert all(mine != other for theirs in others for mine, other in zip(first, theirs, strict=True))


GOLDEN = [0.060419923047114854, 3, "a", "048f9193930b", "07c79fe2-ec8e-4cf9-a11d-8f525f1adaf5"]


def test_random_values_are_what_they_were() -> None:
    """Golden values: a change here would make a plan that was recorded another one."""
    forms = '["{uniform(0, 1)}", "{randint(1, 6)}", "{choice(a, b, c)}", "{hex(12)}", "{uuid}"]'
    assert body_of(one(f"request: POST /a, json: {forms}"), 1) == GOLDEN


def test_random_values_fill_their_range() -> None:
    """Ends included for whole numbers, every choice taken, digits and ids of the right form."""
    forms = '["{uniform(15, 30)}", "{randint(1, 6)}", "{choice(a, 2, \'b, c\')}", "{hex(5)}", "{uuid}"]'
    poller = one(f"request: POST /a, json: {forms}")
    rows = [body_of(poller, round_) for round_ in range(1, 3001)]
    temps, dice, choices, digits, ids = zip(*rows, strict=True)
    assert all(15 <= temp < 30 for temp in temps)
    assert 22 < sum(temps) / 3000 < 23
    assert Counter(dice).keys() == {1, 2, 3, 4, 5, 6}
    assert min(Counter(dice).values()) > 400
    assert set(choices) == {"a", 2, "b, c"}
    assert all(re.fullmatch("[0-9a-f]{5}", text) for text in digits)
    assert len(set(ids)) == 3000
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text) for text in ids)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{round}", 7),
        ("{index}", 1),
        ("{index:05d}", "00001"),
        ("{id}", "1"),
        ("r{round}", "r7"),
        ("{round}/{index}", "7/1"),
        ("{now}", "2023-11-14T22:13:20.250Z"),
        ("{now:unix}", 1_700_000_000),
        ("{now:unix_ms}", 1_700_000_000_250),
        ("{now:%H:%M}", "22:13"),
        ("{env.TELEMETRY_TOKEN}", "geheim99"),
        ("{choice(5)}", 5),
        ("{choice('5')}", "5"),
        ("{choice(5)}x", "5x"),
        ("{uniform(2, 2)}", 2.0),
        ("{uniform(2, 2):.1f}", 2.0),
        ("{uniform(2, 2):6.1f}", "   2.0"),
        ("{{id}} 100%", "{id} 100%"),
        ('"{id}"', '"1"'),
    ],
)
def test_a_template_keeps_its_type_in_json(template: str, value: object) -> None:
    """A text that is one template has that template's type; one with more in it is a text."""
    quoted = json.dumps(template)
    sent = body_of(one(f"request: POST /a, json: [{quoted}]"), 7)[0]
    assert (sent, type(sent)) == (value, type(value))


def test_values_are_written_as_their_place_needs_it(tmp_path: Path) -> None:
    """Percent-encoded in path and query, escaped in JSON, as they are in text and headers."""
    (tmp_path / "d.csv").write_text('name\n"a/b ""c""&ü%"\n')
    endpoint = 'request: "POST /x/{name}?q={name}", query: {r: "{name}", s: [1, 2]}, json: ["{name}", "<{name}>"]'
    poller = one(endpoint, rest="devices: {table: d.csv}", client=0, clients=1, folder=tmp_path)
    encoded = "a%2Fb%20%22c%22%26%C3%BC%25"
    assert poller.parts(1).target == f"/x/{encoded}?q={encoded}&r={encoded}&s=1&s=2"
    assert body_of(poller, 1) == ['a/b "c"&ü%', '<a/b "c"&ü%>']
    text = one('request: POST /x, text: "{name}%"', rest="devices: {table: d.csv}", client=0, clients=1, folder=tmp_path)
    assert text.parts(1).body == 'a/b "c"&ü%%'.encode()
    assert ("Content-Type", "text/plain; charset=utf-8") in text.parts(1).headers


def test_a_table_names_the_devices(tmp_path: Path) -> None:
    """A row each: its columns are templates, its column `id` the id."""
    (tmp_path / "d.csv").write_text("id,token\nnorth,t1\nsouth,t2\n")
    text = 'devices: {table: d.csv}\nheaders: {X-Key: "{token}"}\nendpoints: {a: {request: "GET /{id}"}}'
    devices = swarm(text, tmp_path, clients=2)
    assert [devices.id(client) for client in range(2)] == ["north", "south"]
    assert b"GET /south HTTP/1.1" in devices.device(1)[0].wire(1)
    assert b"X-Key: t2\r\n" in devices.device(1)[0].wire(1)
    with pytest.raises(ParameterError, match="2 rows for 3 devices"):
        swarm(text, tmp_path, clients=3)


def test_headers_of_an_endpoint_go_before_those_for_all() -> None:
    """Names are alike in any case, and ours give way."""
    poller = one("headers: {accept: text/plain, X-A: mine}", rest="headers: {x-a: all, User-Agent: me}")
    assert sorted(poller.parts(1).headers) == [("User-Agent", "me"), ("X-A", "mine"), ("accept", "text/plain")]


def test_a_host_of_the_targets_own_takes_the_place_of_ours() -> None:
    """Several hosts may stand behind one address; the header stands once, in any case of its name."""
    poller = one("headers: {host: '{id}.example'}", rest="devices: {id: n}")
    assert poller.wire(1).lower().count(b"\r\nhost:") == 1
    assert b"\r\nhost: n.example\r\n" in poller.wire(1)
    assert with_host(poller.parts(1).headers, "h") == poller.parts(1).headers
    assert with_host([("Accept", "*/*")], "h") == [("Host", "h"), ("Accept", "*/*")]


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    """Braces in it are no template, and bytes that are no text stay what they are."""
    (tmp_path / "b.bin").write_bytes(b"{id}\x00\xff")
    poller = one("request: PUT /a, file: b.bin", folder=tmp_path)
    assert poller.wire(1).endswith(b"Content-Length: 6\r\n\r\n{id}\x00\xff")


@pytest.mark.parametrize(("method", "says_length"), [("GET", False), ("DELETE", False), ("POST", True), ("PUT", True)])
def test_a_request_without_a_body_says_so_where_it_must(method: str, says_length: bool) -> None:
    """Content-Length: 0 for POST, PUT and PATCH, nothing for the others."""
    assert (b"Content-Length: 0\r\n" in one(f"request: {method} /a").wire(1)) == says_length


def test_a_connection_a_request_is_asked_for() -> None:
    """Connection: close stands in the bytes, and only then."""
    assert b"Connection: close\r\n" in one("", keep_alive=False).wire(1)
    assert b"Connection" not in one("").wire(1)


@pytest.mark.parametrize("value", ["a\nb", "a\r\nEvil: 1", "a\x00"])
def test_a_value_that_would_break_a_header_is_refused(tmp_path: Path, value: str) -> None:
    """Before anything starts, with the device; so no value of a table can add a header."""
    (tmp_path / "d.csv").write_text(f'v\n"{value}"\n')
    with pytest.raises(ParameterError, match=r"endpoint 'status', device 0: the value of header X"):
        one('headers: {X: "{v}"}', rest="devices: {table: d.csv}", client=0, clients=1, folder=tmp_path)


def test_a_request_that_never_changes_is_made_once() -> None:
    """The same object every time, for all devices, so that the article's two endpoints cost nothing more."""
    devices = swarm("endpoints: {a: {request: 'GET /hello?page=1'}}")
    poller = devices.device(0)[0]
    assert poller.wire(1) is poller.wire(2) is devices.device(1)[0].wire(1)
    assert poller.wire(1).startswith(b"GET /hello?page=1 HTTP/1.1\r\n")


def answer(body: Any = b"", status: int = 200, **headers: str) -> Answer:
    """An answer; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, content, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])


ZIPPED = gzip.compress(b"x" * 1000)
CASES: list[tuple[str, Answer, str | None]] = [
    ("expect: {}", answer(status=204), None),
    ("expect: {}", answer(status=299), None),
    ("expect: {}", answer(status=301), "status"),
    ("expect: {status: 404}", answer(status=404), None),
    ("expect: {status: 404}", answer(), "status"),
    ("expect: {status: [200, 503]}", answer(status=503), None),
    ("expect: {bytes: 3}", answer(b"abc"), None),
    ("expect: {bytes: 3}", answer(b"abcd"), "bytes"),
    ("expect: {bytes: 2..3}", answer(b"ab"), None),
    ("expect: {bytes: 2..3}", answer(b"a"), "bytes"),
    ("expect: {bytes: ..3}", answer(b""), None),
    ("expect: {bytes: 2..}", answer(b"a" * 9999), None),
    ("expect: {bytes: 5, status: [200, 204]}", answer(status=204), None),
    ("expect: {bytes: 100..200, decoded_bytes: 1000}", answer(ZIPPED, Content_Encoding="gzip"), "bytes"),
    ("expect: {decoded_bytes: 900..1100}", answer(ZIPPED, Content_Encoding="gzip"), None),
    ("expect: {decoded_bytes: 900..1100}", answer(ZIPPED), "decoded_bytes"),
    ("expect: {decoded_bytes: 1001}", answer(ZIPPED, Content_Encoding="gzip"), "decoded_bytes"),
    ("expect: {decoded_bytes: 1000}", answer(ZIPPED[:-3], Content_Encoding="gzip"), "decoding"),
    ("expect: {decoded_bytes: 1000}", answer(b"x" * 1000, Content_Encoding="gzip"), "decoding"),
    ("expect: {decoded_bytes: 1000}", answer(b"x" * 1000, Content_Encoding="strange"), "decoding"),
    ("expect: {json: {}}", answer(b"<html>"), "json"),
    ("expect: {json: {}}", answer(b"NaN"), "json"),
    ("expect: {json: {}}", answer(b"\xff"), "json"),
    ("expect: {json: {}}", answer([1]), None),
    ("expect: {json: {a: 3}}", answer({"a": 3}), None),
    ("expect: {json: {a: 3}}", answer({"a": 3.0}), None),
    ("expect: {json: {a: 3}}", answer({"a": "3"}), "json.a"),
    ("expect: {json: {a: 1}}", answer({"a": True}), "json.a"),
    ("expect: {json: {a: true}}", answer({"a": 1}), "json.a"),
    ("expect: {json: {a: null}}", answer({"a": None}), None),
    ("expect: {json: {a: null}}", answer({}), "json.a"),
    ("expect: {json: {'a.b[1].c': x}}", answer({"a": {"b": [0, {"c": "x"}]}}), None),
    ("expect: {json: {'a.b[2].c': x}}", answer({"a": {"b": [0, {"c": "x"}]}}), "json.a.b[2].c"),
    ("expect: {json: {'[-1]': 2}}", answer([1, 2]), None),
    ("expect: {json: {'a[0]': b}}", answer({"a": "bc"}), "json.a[0]"),
    ("expect: {json: {'[\"a.b\"]': 1}}", answer({"a.b": 1}), None),
    ("expect: {json: {a: 1..5}}", answer({"a": 5}), None),
    ("expect: {json: {a: 1..5}}", answer({"a": 5.1}), "json.a"),
    ("expect: {json: {a: 1..5}}", answer({"a": "3"}), "json.a"),
    ("expect: {json: {a: 1..5}}", answer({"a": True}), "json.a"),
    ("expect: {json: {a: [x, y]}}", answer({"a": "y"}), None),
    ("expect: {json: {a: [x, y]}}", answer({"a": "z"}), "json.a"),
    ("expect: {json: {a: {type: integer}}}", answer({"a": 2.0}), None),
    ("expect: {json: {a: {type: integer}}}", answer({"a": 2.5}), "json.a"),
    ("expect: {json: {a: {type: integer}}}", answer({"a": True}), "json.a"),
    ("expect: {json: {a: {type: integer}}}", answer(b'{"a": 1e999}'), "json.a"),
    ("expect: {json: {a: {type: object}}}", answer({"a": []}), "json.a"),
    ("expect: {json: {a: {present: true}}}", answer({"a": None}), None),
    ("expect: {json: {a: {present: true}}}", answer({}), "json.a"),
    ("expect: {json: {a: {present: false}}}", answer({"a": 1}), "json.a"),
    ("expect: {json: {a: {equals: {b: [1]}}}}", answer({"a": {"b": [1]}}), None),
    ("expect: {json: {a: {equals: {b: [1]}}}}", answer({"a": {"b": [True]}}), "json.a"),
    ("expect: {json: {a: {regex: '^v[0-9]+$'}}}", answer({"a": "v12"}), None),
    ("expect: {json: {a: {regex: '^v[0-9]+$'}}}", answer({"a": 12}), "json.a"),
    ("expect: {json: {a: {type: number, range: 0..}}}", answer({"a": -1}), "json.a"),
    ("expect: {json: {a: 1, b: 2}}", answer({"a": 1, "b": 3}), "json.b"),
    ("expect: {json: {a: '{id}', n: '{round}'}}", answer({"a": "1", "n": 7}), None),
    ("expect: {json: {a: '{id}', n: '{round}'}}", answer({"a": "2", "n": 7}), "json.a"),
    ("expect: {json: {a: '{id}', n: '{round}'}}", answer({"a": "1", "n": 6}), "json.n"),
    ("expect: {regex: 'o+k'}", answer(b"so ok"), None),
    ("expect: {regex: 'o+k'}", answer(b"so"), "regex"),
    ("expect: {regex: 'x{1000}'}", answer(ZIPPED, content_encoding="gzip"), None),
    ("expect: {headers: {X-A: b}}", answer(x_a="b"), None),
    ("expect: {headers: {X-A: b}}", answer(x_a="c"), "headers.X-A"),
    ("expect: {headers: {X-A: true}}", answer(x_a="c"), None),
    ("expect: {headers: {X-A: true}}", answer(), "headers.X-A"),
    ("expect: {status: 500, bytes: 9}, ignore: true", answer(b"abc"), None),
    ("etag: remember", answer(status=304), "etag"),
    ("expect: {status: [200, 304]}", answer(status=304), None),
]


@pytest.mark.parametrize(("endpoint", "came", "failure"), CASES)
def test_an_expectation_that_does_not_hold_is_named(endpoint: str, came: Answer, failure: str | None) -> None:
    """A right answer is right, twice as well; a wrong one is told by the first expectation that fails, in a sentence."""
    poller = one(endpoint)
    assert poller.check(came, 7) == failure
    assert poller.check(came, 7) == failure
    if failure:
        sentence = poller.explain(failure, came, 7)
        assert re.fullmatch(rf"{re.escape(failure)}: expected .+; came .+\.", sentence, re.DOTALL)


def test_a_body_that_was_right_does_not_make_another_right() -> None:
    """What is remembered as right is the body with its encoding, short or long."""
    poller = one("expect: {json: {a: 1}}")
    assert poller.check(answer({"a": 1}), 1) is None
    assert poller.check(answer({"a": 2}), 2) == "json.a"
    assert poller.check(Answer(200, b'{"a": 1}', [(b"content-encoding", b"gzip")]), 3) == "decoding"
    long = one("expect: {regex: 'a$'}")
    assert long.check(answer(b"b" * 9999 + b"a"), 1) is None
    assert long.check(answer(b"b" * 10_000), 2) == "regex"


def test_a_body_that_was_right_for_a_device_is_right_for_it_alone() -> None:
    """What a device was told before is not parsed again; in its encoding, and not where the round says what is right."""
    devices = swarm("endpoints: {a: {request: GET /a, expect: {json: {id: '{id}'}}}}")
    mine, other = (devices.device(client)[0] for client in (1, 2))
    told = {"id": "1"}
    assert [mine.check(answer(told), round_) for round_ in (1, 2)] == [None, None]
    assert [other.check(answer(told), round_) for round_ in (1, 2)] == ["json.id", "json.id"]
    assert mine.check(answer({"id": "2"}), 3) == "json.id"
    assert mine.check(answer(told, status=500), 4) == "status"
    assert mine.check(answer(told, content_encoding="gzip"), 5) == "decoding"
    again = one("expect: {json: {n: '{round}'}}")
    assert [again.check(answer({"n": 1}), round_) for round_ in (1, 2)] == [None, "json.n"]


@pytest.mark.parametrize("expect", ["decoded_bytes: 8", "json: {a: 1}", "json: {a: '{index}'}"])
def test_the_decoded_length_of_a_body_that_came_before_is_known(expect: str) -> None:
    """Each of several answers says it, also where nobody decoded it again."""
    poller = one(f"expect: {{{expect}}}")
    for round_ in (1, 2, 3):
        came = Answer(200, gzip.compress(b'{"a": 1}', mtime=0), [(b"Content-Encoding", b"gzip")])
        assert (poller.check(came, round_), came.decoded_bytes) == (None, 8)


def test_an_answer_is_freed_at_once() -> None:
    """Nothing in it refers to itself, so no collector of garbage has to look for it among the load."""
    poller, came = one("expect: {headers: {X-A: b}}"), answer({"a": 1}, x_a="b")
    assert poller.check(came, 1) is None
    assert gc.get_referrers(came) == []


def test_a_file_says_which_bytes_are_right(tmp_path: Path) -> None:
    """After decoding; compared when the engine asks for it."""
    (tmp_path / "right").write_bytes(b"x" * 1000)
    poller = one("expect: {body: right}", folder=tmp_path)
    assert poller.check(answer(ZIPPED, Content_Encoding="gzip"), 1) is None
    assert poller.check(answer(b"x" * 999 + b"y"), 2, compare=False) is None
    assert poller.check(answer(b"x" * 999 + b"y"), 2) == "body"


def test_the_first_answer_says_which_bytes_are_right() -> None:
    """For each device its own; a wrong answer is never the first; parts that may differ are left out."""
    poller = one("expect: {body: first, bytes: 5..}")
    bodies = (b"abc", b"abcde", b"abcde", b"abcdX")
    assert [poller.check(answer(body), 1) for body in bodies] == ["bytes", None, None, "body"]
    assert one("expect: {body: first}").check(answer(b"abcdX"), 1) is None
    clock = one("expect: {body: first}, ignore: ['\"t\":[0-9]+']")
    bodies = (b'{"t":1,"a":2}', b'{"t":99,"a":2}', b'{"t":1,"a":3}')
    assert [clock.check(answer(body), 1) for body in bodies] == [None, None, "body"]


def test_an_etag_is_sent_back_and_304_is_right_then() -> None:
    """The condition goes out with the next poll of this device alone; a wrong answer's ETag is not taken."""
    poller = one('request: POST /a, json: ["{round}"], etag: remember, expect: {bytes: 1..3}')
    assert poller.check(Answer(200, b"", [(b"ETag", b'"bad"')]), 1) == "bytes"
    assert b"If-None-Match" not in poller.wire(2)
    assert poller.check(Answer(200, b"abc", [(b"ETag", b'W/"v1"')]), 2) is None
    assert b'\r\nIf-None-Match: W/"v1"\r\n\r\n[3]' in poller.wire(3)
    assert ("If-None-Match", 'W/"v1"') in poller.parts(3).headers
    assert poller.check(Answer(304), 3) is None
    assert b'W/"v1"' in poller.wire(4)
    assert poller.check(Answer(200, b"abc", []), 4) is None
    assert b"If-None-Match" not in poller.wire(5)
    fixed = one("request: GET /a, etag: remember")
    assert fixed.check(Answer(200, b"", [(b"etag", b'"x"')]), 1) is None
    assert fixed.wire(2).endswith(b'If-None-Match: "x"\r\n\r\n')


@pytest.mark.parametrize(
    ("endpoint", "came", "seconds"),
    [
        ("next_poll: next_poll_ms", answer({"next_poll_ms": 1500}), 1.5),
        ("next_poll: next_poll_ms", answer({"next_poll_ms": "1500"}), None),
        ("next_poll: next_poll_ms", answer({"next_poll_ms": -1}), None),
        ("next_poll: next_poll_ms", answer({"next_poll_ms": True}), None),
        ("next_poll: next_poll_ms", answer(b"none"), None),
        ("next_poll: a.wait_s", answer({"a": {"wait_s": 0.5}}), 0.5),
        ("next_poll: {json: wait, unit: s}", answer({"wait": 2}), 2.0),
        ("next_poll: Retry-After", answer(status=429, Retry_After="7"), 7.0),
        ("next_poll: Retry-After", answer(status=429, retry_after="Tue, 14 Nov 2023 22:13:30 GMT"), 9.75),
        ("next_poll: Retry-After", answer(status=429, retry_after="soon"), None),
        ("next_poll: Retry-After", answer(), None),
        ("next_poll: {json: next_ms, header: Retry-After}", answer({"next_ms": 250}), 0.25),
        ("expect: {}", answer({"next_poll_ms": 1500}, Retry_After="7"), None),
    ],
)
def test_an_answer_may_say_when_to_poll_next(endpoint: str, came: Answer, seconds: float | None) -> None:
    """From a field of JSON or Retry-After, where the target wants it; what makes no sense says nothing."""
    assert one(endpoint).next_poll_s(came) == seconds


@pytest.mark.parametrize(
    ("endpoint", "body", "headers"),
    [
        ("expect: {}", False, False),
        ("expect: {status: 200, bytes: 100}", False, False),
        ("ignore: true, expect: {regex: a}", False, False),
        ("etag: remember", False, True),
        ("next_poll: Retry-After", False, True),
        ("expect: {headers: {A: true}}", False, True),
        ("expect: {regex: a}", True, True),
        ("expect: {body: first}", True, True),
        ("expect: {json: {a: '{id}'}}", True, True),
        ("next_poll: a_ms", True, True),
    ],
)
def test_an_engine_is_told_what_it_must_keep(endpoint: str, body: bool, headers: bool) -> None:
    """Bodies and headers are kept only where somebody looks at them."""
    poller = one(endpoint)
    assert (poller.needs_body, poller.needs_headers) == (body, headers)


def test_a_length_is_enough_where_no_body_is_looked_at() -> None:
    """An engine may leave the body out and say how long it was."""
    poller = one("expect: {bytes: 100}")
    assert [poller.check(Answer(200, wire_bytes=size), 1) for size in (100, 99)] == [None, "bytes"]
    assert "a body that was not kept" in poller.explain("bytes", Answer(200, wire_bytes=99), 1)


def leaks(poller: Poller) -> Iterator[str]:
    """Everything that people may be shown of a device, an answer that repeats its secrets included."""
    yield repr(poller.shown(3))
    echo = {"echo": "geheim99", "token": "other-secret", "sees": ["t-north"], "pad": "x" * 110 + "geheim99"}
    told = answer(echo, status=500)
    yield poller.explain("status", told, 3)
    yield poller.explain("regex", told, 3)
    yield poller.explain("json.echo", told, 3)
    yield poller.explain("headers.Set-Cookie", answer(set_cookie="sid=geheim99; Path=/"), 3)


def test_secrets_are_masked_in_everything_that_is_shown(tmp_path: Path) -> None:
    """Variables, secret columns, Authorization and Cookie, fields named like secrets; at an edge as well."""
    (tmp_path / "d.csv").write_text("id,token\nnorth,t-north\n")
    endpoint = (
        'request: "POST /a/{token}?key=abc", json: {password: hunter2, a: "{env.TELEMETRY_TOKEN}", id: "{id}"}, '
        'headers: {Cookie: "sid={token}"}, expect: {regex: no, json: {echo: 1}, headers: {Set-Cookie: x}}'
    )
    rest = 'devices: {table: d.csv}\nheaders: {Authorization: "Bearer {env.TELEMETRY_TOKEN}"}'
    poller = one(endpoint, rest=rest, client=0, clients=1, folder=tmp_path)
    shown = poller.shown(3)
    assert shown.target == "/a/***?key=***"
    assert ("Authorization", "Bearer ***") in shown.headers
    assert ("Cookie", "***") in shown.headers
    assert json.loads(shown.body) == {"password": "***", "a": "***", "id": "north"}
    for text in leaks(poller):
        assert not re.search(r"geheim|hunter2|t-north|other-secret|sid=|abc", text)
    assert b"geheim99" in poller.wire(1), "what is sent is not masked"


def test_what_is_shown_is_bounded() -> None:
    """However long a body or a header is."""
    poller = one("expect: {status: 200, headers: {X-A: b}}")
    assert len(poller.explain("status", answer(b"x" * 10**6, status=500), 1)) < 400
    assert len(poller.explain("headers.X-A", answer(x_a="y" * 10**5), 1)) < 400


def test_a_long_token_leaves_no_half_at_the_edge_of_what_is_shown() -> None:
    """A secret is hidden whole before a text is shortened, however long it is."""
    token = "e9" * 1000
    environ = {"TELEMETRY_TOKEN": token}
    loaded = loading.read(STATUS, Path("/nowhere/t.yaml"), environ=environ)
    poller = prepare(loaded, clients=1, seed=1, host="h", environ=environ).device(0)[0]
    for before in (0, 100, 190):
        assert "e9e9" not in poller.explain("status", answer(f"{'x' * before} {token}", status=500), 1)


def test_only_variables_that_are_named_are_looked_at() -> None:
    """No other variable of the environment is kept."""
    devices = swarm(STATUS)
    assert "unseen" not in repr(vars(devices))


def test_a_target_says_how_often_each_endpoint_is_polled() -> None:
    """A share, a clock of its own, or a share of 1 where it says neither."""
    text = "endpoints: {a: {request: GET /a, share: 3}, b: {request: GET /b, every_s: 10}, c: {request: GET /c}}"
    target = loading.read(text, Path("/nowhere/t.yaml")).target
    assert timings(target) == (Timing("a", 3), Timing("b", every_s=10), Timing("c", 1))


@pytest.mark.parametrize("env", ['{A: "1", B: "x{env.TELEMETRY_TOKEN}"}', "[TELEMETRY_TOKEN]"])
def test_an_app_gets_the_variables_that_the_target_names(env: str) -> None:
    """A mapping gives values or fills them in; a list hands on those of this process."""
    loaded = loading.read(f"app: a:b\nenv: {env}\nendpoints: {{a: {{request: GET /a}}}}", Path("/n/t.yaml"), environ=ENVIRON)
    expected = {"A": "1", "B": "xgeheim99"} if ":" in env else {"TELEMETRY_TOKEN": "geheim99"}
    assert environment(loaded, ENVIRON) == expected


def test_a_device_may_have_a_certificate_of_its_own(tmp_path: Path) -> None:
    """Its files are named by templates and must be there for every device that is asked for."""
    (tmp_path / "d.csv").write_text("id,file\nnorth,n.pem\nsouth,s.pem\n")
    (tmp_path / "n.pem").write_text("")
    text = "url: https://h\ntls: {cert: '{file}', key: '{id}.key'}\ndevices: {table: d.csv}\n"
    text += "endpoints: {a: {request: GET /}}"
    devices = swarm(text, tmp_path, clients=2)
    with pytest.raises(ParameterError, match=r"t\.yaml, line 2: device 0 has no file .*north\.key"):
        devices.certificate(0)
    (tmp_path / "north.key").write_text("")
    assert devices.certificate(0) == (tmp_path / "n.pem", tmp_path / "north.key")
    assert swarm("endpoints: {a: {request: GET /}}").certificate(0) is None
