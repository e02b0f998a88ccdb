"""Target files: what is read, and that each mistake is one sentence with file, line and the name that was meant."""

from pathlib import Path

import polars as pl
import pytest

from experiments.errors import ParameterError
from experiments.target import loading
from experiments.target.file.lines import read
from server.database.access import HEADER

BASE = """url: http://127.0.0.1:8000
endpoints:
  status:
    request: GET /status
"""
EXAMPLE = """app: server.apps.telemetry_asgi:create_app
ready: /health
tls: {ca: certs/ca.pem, verify: true}
devices: {id: "dev-{index:05d}", table: devices.csv}
headers: {Authorization: "Bearer {env.TELEMETRY_TOKEN}"}
endpoints:
  status:
    request: POST /api/v1/status
    json: {device: "{id}", temp: "{uniform(15, 30)}", round: "{round}"}
    every_s: 3
    expect: {status: 200, bytes: 20..400, json: {next_poll_ms: 3000}}
    slo: {p99_ms: 50, failure_pct: 0.1}
  config:
    request: GET /api/v1/config/{id}
    headers: {Accept-Encoding: gzip}
    every_s: 10
    etag: remember
    expect: {status: [200, 304], decoded_bytes: 150000..250000}
    slo: {p99_ms: 250}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what targets name."""
    (tmp_path / "devices.csv").write_text("serial,token\na,t-a\nb,t-b\n")
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "ca.pem").write_text("")
    (tmp_path / "body.bin").write_bytes(b"\x00\x01")
    return tmp_path


def refusal(folder: Path, text: str) -> str:
    """What is said of a target file, without the folder."""
    with pytest.raises(ParameterError) as told:
        loading.read(text, folder / "t.yaml", environ={"TELEMETRY_TOKEN": "secret"})
    return str(told.value).replace(f"{folder}/", "")


def test_the_example_of_the_documentation_is_read(folder: Path) -> None:
    """Every key of it has the value that was written, in its own type."""
    loaded = loading.read(EXAMPLE, folder / "mine.yaml", environ={"TELEMETRY_TOKEN": "secret"})
    target = loaded.target
    status, config = target.endpoints.values()
    assert (loaded.name, target.app, target.serving) == ("mine", "server.apps.telemetry_asgi:create_app", "uvicorn")
    assert target.ready is not None
    assert (target.ready.path, target.ready.status) == ("/health", (200,))
    assert (status.method, status.path, status.every_s, status.share) == ("POST", "/api/v1/status", 3, None)
    assert status.json_ == {"device": "{id}", "temp": "{uniform(15, 30)}", "round": "{round}"}
    assert (status.expect.status, status.expect.bytes, status.expect.json_) == ((200,), "20..400", {"next_poll_ms": 3000})
    assert (status.slo.p99_ms, status.slo.failure_pct) == (50, 0.1)
    assert (config.etag, config.expect.status, config.expect.decoded_bytes) == ("remember", (200, 304), "150000..250000")
    assert loaded.table.row(1) == {"serial": "b", "token": "t-b"}


SHIPPED = ["database", "datasette", "hello", "httpbin", "telemetry"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_targets_that_ship_are_right(name: str) -> None:
    """Each is found by its name and needs nothing that is not there."""
    assert loading.load(name, environ={}).name == name


def test_every_shipped_target_is_tried() -> None:
    """No file in params/targets escapes the test above."""
    assert {path.stem for path in loading.FOLDER.glob("*")} == {*SHIPPED}


def test_rows_are_asked_for_as_hello_is_by_devices_that_say_who_they_are() -> None:
    """The two files differ in one header, in which the server looks for the device."""
    rows, hello = (loading.load(name).target for name in ("database", "hello"))
    assert rows.headers == {HEADER: "{index}"}
    assert rows.model_copy(update={"headers": {}, "description": ""}) == hello.model_copy(update={"description": ""})


def test_hello_is_the_article(folder: Path) -> None:
    """A of 100 bytes ten times as often as B of 204,800, on the server that the run names."""
    target = loading.load("hello").target
    assert (target.app, target.url, target.command) == (None, None, None)
    assert [(one.request, one.share, one.expect.bytes) for one in target.endpoints.values()] == [
        ("GET /hello?page=1", 10, 100),
        ("GET /hello?page=200", 1, 204_800),
    ]


MISTAKES = [
    (BASE.replace("request", "requst"), "t.yaml, line 4: unknown key 'requst'; did you mean 'request'?"),
    (BASE + "    expect: {statuss: 200}\n", "t.yaml, line 5: unknown key 'statuss'; did you mean 'status'?"),
    (BASE + "endpoint: {}\n", "t.yaml, line 5: unknown key 'endpoint'; did you mean 'endpoints'?"),
    (BASE + "devices: {tabel: x}\n", "t.yaml, line 5: unknown key 'tabel'; did you mean 'table'?"),
    (BASE + "    share: 1\n    every_s: 2\n", "t.yaml, line 3: endpoints.status: share and every_s"),
    ("url: http://a\nendpoints: {}\n", "t.yaml, line 2: endpoints: there is no endpoint"),
    ("url: http://a\n", "t.yaml, line 1: the target needs 'endpoints'"),
    ("", "t.yaml, line 1: a target is lines of `key: value`"),
    ("- a\n", "t.yaml, line 1: a target is lines of `key: value`"),
    ("a: [\n", "t.yaml, line 2: this is not YAML"),
    (BASE + "url: http://b\n", "t.yaml, line 5: 'url' stands in line 1 already."),
    (BASE.replace("GET", "GTE"), "t.yaml, line 4: endpoints.status.request is 'GTE /status': 'GTE' is no method"),
    (BASE.replace("GET", "get"), "did you mean 'GET'?"),
    (BASE.replace("GET /status", "/status"), "write it like GET /path."),
    (BASE.replace("GET /status", "GET status"), "write it like GET /path."),
    (BASE.replace("/status", "/a#b"), "what follows # never reaches a server"),
    (BASE.replace("status:", "1x:"), "t.yaml, line 2: endpoints: '1x' is no name of an endpoint"),
    (BASE + "    expect: {bytes: 20...400}\n", "t.yaml, line 5: endpoints.status.expect.bytes is '20...400': a number or"),
    (BASE + "    expect: {bytes: 400..20}\n", "the range ends before it begins: write 20..400."),
    (BASE + "    expect: {bytes: 1.5..20}\n", "whole numbers of bytes are needed, 0 or more."),
    (BASE + "    expect: {bytes: true}\n", "a number or a range like"),
    (BASE + "    expect: {status: 2000}\n", "a status from 200 to 599 or a list of them is needed."),
    (BASE + "    expect: {status: []}\n", "a status from 200 to 599 or a list of them is needed."),
    (BASE + "    expect: {regex: '('}\n", "this is no regular expression"),
    (BASE + "    expect: {body: nix.bin}\n", "t.yaml, line 5: there is no file nix.bin"),
    (BASE + "    expect: {json: {a: present}}\n", "write {present: true} or {equals: present}."),
    (BASE + "    expect: {json: {a: {type: strin}}}\n", "unknown type 'strin'; did you mean 'string'?"),
    (BASE + "    expect: {json: {a: {typ: string}}}\n", "unknown key 'typ'; did you mean 'type'?"),
    (BASE + "    expect: {json: {a: 5..1}}\n", "the range ends before it begins: write 1..5."),
    (BASE + "    expect: {json: {'a..b': 1}}\n", "t.yaml, line 5: 'a..b' is no path of a field"),
    (BASE + "    expect: []\n", "endpoints.status.expect: lines of `key: value` are needed"),
    (BASE + "    every_s: '3'\n", "endpoints.status.every_s is '3': a number is needed"),
    (BASE + "    every_s: 010\n", "endpoints.status.every_s is '010': a number is needed"),
    (BASE + "    every_s: 0\n", "it must be above 0"),
    (BASE + "    share: 1.5\n", "a whole number is needed"),
    (BASE + "    share: true\n", "a whole number is needed"),
    (BASE + "    text: x\n    json: 1\n", "json and text: a request has one body; leave one out."),
    (BASE + "    file: nix.bin\n", "t.yaml, line 5: there is no file nix.bin."),
    (BASE + "    headers: {Connection: x}\n", "Connection is set by the lab itself; leave it out."),
    (BASE + "    headers: {'a b': x}\n", "'a b' is no name of a header."),
    (BASE + "    headers: {If-None-Match: x}\n    etag: remember\n", "etag: remember sends If-None-Match itself"),
    (BASE + "    etag: remembr\n", "endpoints.status.etag is 'remembr': allowed are 'remember'"),
    (BASE + "    ignore: yes\n", "true, false, or a list of regular expressions is needed."),
    (BASE + "    ignore: ['a']\n", "ignore names parts of a body that may differ, but expect has no body"),
    (BASE + "    next_poll: wait\n", "add unit: ms or unit: s."),
    (BASE + "    next_poll: {}\n", "name a JSON field"),
    (BASE + "    slo: {p99_ms: 0}\n", "endpoints.status.slo.p99_ms is 0: it must be above 0"),
    (BASE + "    headers: {Accept-Encoding: lzma}\n    expect: {regex: a}\n", "Accept-Encoding 'lzma' is not decoded"),
    (BASE + "    query: {a: '{serail}'}\n", "t.yaml, line 5: {serail} cannot be filled: there is no device table"),
    (BASE + "devices: {table: devices.csv}\nheaders: {X: '{serail}'}\n", "t.yaml, line 6: {serail} cannot be filled"),
    (BASE + "devices: {table: devices.csv}\nheaders: {X: '{serail}'}\n", "did you mean 'serial'?"),
    (BASE + "    json:\n      a:\n        - '{unifrom(1, 2)}'\n", "t.yaml, line 7: {unifrom(1, 2)} cannot be filled"),
    (BASE + "    headers: {A: '{env.TELEMETRY_TOKN}'}\n", "no variable TELEMETRY_TOKN in the environment; did you mean"),
    (BASE + "devices: {id: '{round}'}\n", "t.yaml, line 5: {round} cannot stand here: it is known only when a poll is"),
    (BASE + "    text: 'a { b'\n", "t.yaml, line 5: '{' stands alone"),
    (BASE + "devices: {table: devices.csv, count: 3}\n", "t.yaml, line 5: devices.csv has 2 rows for 3 devices"),
    (BASE + "devices: {table: nix.csv}\n", "t.yaml, line 5: there is no device table nix.csv."),
    (BASE.replace("http:", "https:") + "tls: {ca: nix.pem}\n", "t.yaml, line 5: there is no CA file nix.pem."),
    (BASE.replace("http:", "https:") + "tls: {verify: no}\n", "tls.verify is 'no': true or false is needed"),
    (BASE.replace("http:", "https:") + "tls: {key: a}\n", "key without cert"),
    (BASE.replace("http:", "https:") + "tls: {server_cert: a}\n", "server_cert and server_key belong together"),
    (BASE.replace("http:", "https:") + "tls: {server_cert: a, server_key: b}\n", "server_cert without app"),
    (BASE + "tls: {verify: false}\n", "tls with an http url: write url: https://"),
    (BASE + "app: a:b\n", "app and url: a target has one server; leave one out."),
    (BASE + "workers: 2\n", "workers without app"),
    (BASE + "env: [A]\n", "env without app or command"),
    (BASE + "metrics_requests: a\n", "metrics_requests without metrics_url"),
    (BASE.replace("url: http://127.0.0.1:8000", "app: a:b\nserver: uvicorn\ninterface: wsgi"), "use gunicorn for a WSGI"),
    (BASE.replace("url: http://127.0.0.1:8000", "app: a:b\nworking_dir: nix"), "t.yaml, line 2: there is no folder nix."),
    (BASE.replace("url: http://127.0.0.1:8000", "app: a.b"), "app is 'a.b': give module:factory or module:app"),
    (BASE.replace("8000", "8000/x"), "give scheme, host and port only"),
    (BASE.replace("http:", "ftp:"), "give scheme, host and port, like https://"),
    (BASE.replace(":8000", ":80000"), "give scheme, host and port, like https://"),
    (BASE + "ready: health\n", "a path begins with /."),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(folder: Path, text: str, sentence: str) -> None:
    """Where it stands, what is wrong, and what to write instead; in one line."""
    told = refusal(folder, text)
    assert sentence in told
    assert told.startswith("t.yaml, line ")
    assert "\n" not in told


def test_several_mistakes_are_told_at_once(folder: Path) -> None:
    """A line for each, in the order of the checks."""
    told = refusal(folder, BASE + "    headers: {A: '{foo}', B: '{bar}'}\n    file: nix\n").split("\n")
    assert [line.partition(":")[0] for line in told] == ["t.yaml, line 6", "t.yaml, line 5", "t.yaml, line 5"]


def test_a_mistake_shows_no_secret(folder: Path) -> None:
    """What stands under a secret name, and who asks in a URL, is not repeated."""
    told = refusal(folder, BASE.replace("http://127", "http://me:hunter2@127"))
    assert "hunter2" not in told
    told = refusal(folder, BASE + "    headers: {Authorization: true}\n")
    assert "line 5" in told


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("helo", "did you mean 'hello'?"),
        ("./nix.yaml", "there is no such file"),
        ("nix", "those in params/targets are database, datasette, hello, httpbin, telemetry"),
    ],
)
def test_a_target_that_is_not_there_is_refused(name: str, sentence: str) -> None:
    """A wrong name is answered with the nearest or with all that there are, a wrong path with the path."""
    with pytest.raises(ParameterError, match="there is no such"):
        loading.load(name)
    with pytest.raises(ParameterError) as told:
        loading.load(name)
    assert sentence in str(told.value)


def test_a_path_counts_from_the_file(folder: Path) -> None:
    """Tables, bodies and certificates lie beside the target, wherever the lab was started."""
    path = folder / "t.yaml"
    path.write_text(BASE + "    file: body.bin\n    expect: {body: body.bin}\ndevices: {table: devices.csv}\n")
    loaded = loading.load(path)
    assert loaded.files == {"body.bin": b"\x00\x01"}
    assert len(loaded.table.rows) == 2


def test_more_devices_than_rows_are_refused(folder: Path) -> None:
    """Before anything starts, with the line of the table."""
    loaded = loading.read(BASE + "devices: {table: devices.csv}\n", folder / "t.yaml")
    loaded.check_clients(2)
    with pytest.raises(ParameterError, match=r"line 5: devices\.csv has 2 rows for 500 devices"):
        loaded.check_clients(500)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("a,b\n1\n", "line 2 has 1 values, the first line names 2 columns"),
        ("a,a\n1,2\n", "must name each column, and each differently"),
        ("a,round\n1,2\n", "column 'round'"),
        ("a,b\n", "has no row"),
        ("", "has no row"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(folder: Path, table: str, sentence: str) -> None:
    """The error names the CSV file, what is wrong in it, and the line of the target that asks for it."""
    (folder / "bad.csv").write_text(table)
    told = refusal(folder, BASE + "devices: {table: bad.csv}\n")
    assert sentence in told
    assert told.startswith("t.yaml, line 5: ")


def test_a_parquet_table_keeps_its_numbers(folder: Path) -> None:
    """Whole numbers and decimals stay what they are, everything else is text; a bracket in a path is a bracket."""
    folder = folder / "lab[3]"
    folder.mkdir()
    pl.DataFrame({"site": [7, 8], "gain": [0.5, 1.5], "name": ["x", "y"]}).write_parquet(folder / "d.parquet")
    loaded = loading.read(BASE + "devices: {table: d.parquet}\n", folder / "t.yaml")
    assert loaded.table.row(1) == {"site": 8, "gain": 1.5, "name": "y"}
    pl.DataFrame({"site": [7, None]}).write_parquet(folder / "d.parquet")
    assert "column 'site' has rows without a value" in refusal(folder, BASE + "devices: {table: d.parquet}\n")


def test_plain_words_mean_what_they_say() -> None:
    """Only decimal numbers are numbers, and only true, false and null are more than text."""
    text = "a: 010\nb: 1:30\nc: yes\nd: 2024-01-01\ne: 1e3\nf: '5'\ng: !!str 5\nh: 0x10\ni: 1_000\nj: -2.5\nk: true\nl: ~\n"
    text += "m: .5\n"
    values, lines = read(text, "f")
    assert values == {
        "a": "010", "b": "1:30", "c": "yes", "d": "2024-01-01", "e": 1000.0, "f": "5", "g": "5", "h": "0x10", "i": "1_000",
        "j": -2.5, "k": True, "l": None, "m": ".5",
    }  # fmt: skip
    assert lines.at(("h",)) == "f, line 8"


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: !!int 5", "a: &a [*a]", "a: 1\n---\nb: 2", "? [a]\n: 1", "a: \x00"])
def test_yaml_that_could_surprise_is_refused(text: str) -> None:
    """Keys that stand twice, tags, circles, further documents, keys that are no words."""
    with pytest.raises(ParameterError, match=r"^f"):
        read(text, "f")


def test_what_is_recorded_of_a_target_has_no_secret(folder: Path) -> None:
    """Literal tokens are hidden, templates stay, of variables only the names are left; everything else is as it was."""
    text = """app: a:b
env: {DB_URL: "postgresql://me:hunter2@h/db"}
headers: {Authorization: "Bearer hunter2", X-Key: "{env.TELEMETRY_TOKEN}", Accept: text/plain}
endpoints:
  status:
    request: POST /a?token=hunter2
    json: {password: hunter2, note: "x", pins: [1, 2]}
    every_s: 3
    expect: {json: {token: {type: string}}}
"""
    loaded = loading.read(text, folder / "t.yaml", environ={"TELEMETRY_TOKEN": "secret"})
    shown = loaded.shown()
    assert "hunter2" not in repr(shown)
    assert shown["env"] == ["DB_URL"]
    assert shown["headers"] == {"Authorization": "Bearer ***", "X-Key": "{env.TELEMETRY_TOKEN}", "Accept": "text/plain"}
    status = shown["endpoints"]["status"]
    assert (status["request"], status["every_s"]) == ("POST /a?token=***", 3)
    assert status["json"] == {"password": "***", "note": "x", "pins": [1, 2]}
    assert status["expect"] == {"json": {"token": {"type": "string"}}}
