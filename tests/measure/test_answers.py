"""Runs of whatever a server may rightly answer: each kind expressed in a target, and counted as the server counted it."""

import asyncio
import gzip
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import experiments as lab
from experiments.errors import ServerContractError
from experiments.record.reading import Record
from tests.support.certificates import Authority
from tests.support.scripted_server import answer

pytestmark = pytest.mark.slow

ASKED: dict[str, Any] = {"clients": 3, "interval_ms": 100, "minutes": 0.02, "warmup_s": 0.3, "timeout_s": 5}
PLAIN = json.dumps({"fine": True, "filling": "x" * 2000}).encode()
ZIPPED = gzip.compress(PLAIN, mtime=0)
EVERYTHING = """
endpoints:
  growing: {request: "GET /growing/{round}", share: 1, expect: {status: 200, bytes: 1..500, regex: "^x+$"}}
  nothing: {request: PUT /nothing, share: 1, text: on, expect: {status: 204}}
  known: {request: "GET /known/{id}", share: 1, etag: remember, expect: {status: [200, 304], bytes: 4}}
  zipped:
    request: GET /zipped
    headers: {Accept-Encoding: gzip}
    share: 1
    expect: {bytes: "..200", decoded_bytes: 2000..2100, json: {fine: true}}
  pieces: {request: GET /pieces, share: 1, expect: {bytes: 10, body: first}}
  one: {request: GET /host, headers: {Host: one.example}, share: 1, expect: {regex: "^one[.]example$"}}
  two: {request: GET /host, headers: {Host: two.example}, share: 1, expect: {regex: "^two[.]example$"}}
  us: {request: GET /host, share: 1, expect: {regex: "^[^a-z]+$"}}
"""
IN_PIECES = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-More\r\n\r\n"
    b"4;note=1\r\nfour\r\n6\r\nsix666\r\n0\r\nX-Sum: 10\r\nX-More: of it\r\n\r\n"
)


class Server:
    """Answers by path, and notes each answer: path, what was said who is asked, status, bytes of the body."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, int, int]] = []
        self.subjects: set[tuple[str, str]] = set()
        """Names in the certificates that devices showed, beside the path that they asked for."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                await reader.readexactly(int(headers.get("content-length", "0")))
                path = lines[0].split()[1]
                self._note_subject(path, writer)
                status, size, wire = self.answered(path, headers)
                self.answers.append((path, headers["host"], status, size))
                writer.write(wire)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def answered(self, path: str, headers: dict[str, str]) -> tuple[int, int, bytes]:
        """Status, bytes of the body, and the whole answer."""
        _, kind, *rest = path.split("/")
        if kind == "nothing":
            return 204, 0, b"HTTP/1.1 204 No Content\r\n\r\n"
        if kind == "known" and headers.get("if-none-match") == f'W/"{rest[0]}"':
            return 304, 0, f'HTTP/1.1 304 Not Modified\r\nETag: W/"{rest[0]}"\r\nContent-Length: 4\r\n\r\n'.encode()
        if kind == "known":
            return 200, 4, answer(b"four", headers=f'ETag: W/"{rest[0]}"\r\n'.encode())
        if kind == "zipped":
            return 200, len(ZIPPED), answer(ZIPPED, headers=b"Content-Encoding: gzip\r\n")
        if kind == "pieces":
            return 200, 10, IN_PIECES
        body = headers["host"].encode() if kind == "host" else b"x" * (int(rest[0]) * 7 % 500 + 1)
        return 200, len(body), answer(body)

    def _note_subject(self, path: str, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("peercert")
        if shown:
            self.subjects |= {(path, name) for _, name in shown["subjectAltName"]}


@contextmanager
def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[tuple[Server, int]]:
    """A server in a thread of its own, and its port."""
    server, loop = Server(), asyncio.new_event_loop()
    listener = loop.run_until_complete(asyncio.start_server(server.serve, host, 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server, listener.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        listener.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()


def measured(folder: Path, text: str, **changes: Any) -> tuple[Record, pl.DataFrame]:
    """The record of a short run of a target, and its polls that were sent."""
    (folder / "mine.yaml").write_text(text)
    record = lab.run(lab.Scenario(target=str(folder / "mine.yaml"), results_dir=str(folder / "results"), **ASKED | changes))
    return record, record.requests().with_columns(pl.col("endpoint", "outcome").cast(pl.String)).drop_nulls("sent_s")


@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock"])
def test_every_kind_of_answer_is_counted_as_the_server_counted_it(tmp_path: Path, engine: str) -> None:
    """Changing lengths, no body, 304, gzip, chunks with trailers and two hosts behind an address: all right, none twice."""
    with serving() as (server, port):
        record, rows = measured(tmp_path, f"url: http://127.0.0.1:{port}{EVERYTHING}", engine=engine)
    assert rows.filter(pl.col("outcome") != "ok").height == 0
    before = len(record.facts["precheck"])
    assert before == 8
    assert rows.height == len(server.answers) - before

    def kind(path: str, host: str) -> str:
        name = path.split("/")[1]
        return {"one.example": "one", "two.example": "two"}.get(host, "us") if name == "host" else name

    counted = Counter((kind(path, host), status, size) for path, host, status, size in server.answers[before:])
    assert Counter(rows.select("endpoint", "status", "bytes").rows()) == counted
    assert {size for name, _, size in counted if name == "growing"} >= {8, 15}
    found = record.summary()["endpoints"]
    # A round belongs to the window whose clock it began by: that of its first poll.
    rounds = rows.filter((pl.col("endpoint") == "growing") & (pl.col("due_s") >= 0)).select("client", "round")
    known = rows.join(rounds, on=["client", "round"]).filter(pl.col("endpoint") == "known")["status"].value_counts()
    assert found["known"]["statuses"] == {str(status): count for status, count in known.iter_rows()}
    assert found["known"]["not_modified"] == found["known"]["statuses"]["304"] > 0
    assert found["nothing"]["statuses"].keys() == {"204"}
    assert set(rows.filter(pl.col("endpoint") == "zipped")["decoded_bytes"]) == {len(PLAIN)}


def test_another_host_behind_the_address_is_told(tmp_path: Path) -> None:
    """A server that answers for another host than the one that was asked for is refused before the load."""
    text = "\nendpoints: {one: {request: GET /host, headers: {Host: one.example}, expect: {regex: '^two[.]example$'}}}\n"
    with serving() as (_, port), pytest.raises(ServerContractError, match="one: regex: expected"):
        measured(tmp_path, f"url: http://127.0.0.1:{port}{text}")


@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock"])
def test_a_server_is_measured_over_ipv6(tmp_path: Path, engine: str) -> None:
    """By an address in brackets, which is also what the server is told that it was asked as."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with serving("::1") as (server, port):
        _, rows = measured(tmp_path, f"url: http://[::1]:{port}\nendpoints: {{only: {{request: GET /host}}}}", engine=engine)
    assert rows.filter(pl.col("outcome") != "ok").height == 0
    assert {host for _, host, _, _ in server.answers} == {f"[::1]:{port}"}
    assert len(server.answers) == rows.height + 1


@pytest.mark.parametrize("engine", ["httpx"])
def test_each_device_shows_the_certificate_of_its_row(tmp_path: Path, engine: str) -> None:
    """A server that asks for one sees each device's own, and no other; a device without one is not let in."""
    authority = Authority(tmp_path)
    lines = ["serial,cert,key"]
    for number in range(3):
        cert, key = authority.issued(f"device-{number}.example")
        lines.append(f"{number},{cert},{key}")
    (tmp_path / "devices.csv").write_text("\n".join(lines) + "\n")
    asked = "endpoints: {only: {request: 'GET /growing/{serial}', expect: {status: 200}}}\ndevices: {table: devices.csv}\n"
    with serving(tls=authority.server("127.0.0.1", clients=authority)) as (server, port):
        url = f"url: https://127.0.0.1:{port}\n"
        shown = f"tls: {{ca: {authority.file}, cert: '{{cert}}', key: '{{key}}'}}\n"
        _, rows = measured(tmp_path, url + shown + asked, engine=engine)
        with pytest.raises(ServerContractError, match="only"):
            measured(tmp_path, f"{url}tls: {{ca: {authority.file}}}\n{asked}", engine=engine)
    assert rows.filter(pl.col("outcome") != "ok").height == 0
    assert server.subjects == {(f"/growing/{number}", f"device-{number}.example") for number in range(3)}
    assert (rows["tls_s"] > 0).sum() == 3
