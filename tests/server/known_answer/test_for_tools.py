"""What only load tools need of the server with known answers: heads, places, and the ledger; nothing is started."""

import csv
import math
from pathlib import Path

import pytest

from server.known_answer.encoder import script
from server.known_answer.for_tools import FOR_TOOLS
from server.known_answer.ledger import Ledger
from server.known_answer.places import Places
from server.known_answer.programs import Answer


@pytest.mark.parametrize(
    ("answer", "old", "begins", "holds", "ends", "cut"),
    [
        (Answer(), False, b"HTTP/1.1 200 OK", b"Content-Length: 100", b"XYZa", ""),
        (Answer(last="said"), False, b"HTTP/1.1 200 OK", b"Connection: close", b"XYZa", "close"),
        (Answer(last="unsaid"), False, b"HTTP/1.1 200 OK", b"Content-Length: 100", b"XYZa", "close"),
        (Answer(status=204), False, b"HTTP/1.1 204 No Content", b"No Content", b"\r\n\r\n", ""),
        (Answer(status=503), False, b"HTTP/1.1 503", b"Content-Length: 100", b"XYZa", ""),
        (Answer(), True, b"HTTP/1.1 200 OK", b"Connection: keep-alive", b"XYZa", ""),
        (Answer(chunked=True), False, b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", b"0\r\n\r\n", ""),
        (Answer(chunked=True), True, b"HTTP/1.1 200 OK", b"text/plain", b"XYZa", "close"),
    ],
)
def test_an_answer_says_what_becomes_of_its_connection(
    answer: Answer, old: bool, begins: bytes, holds: bytes, ends: bytes, cut: str
) -> None:
    """Announced or not, and to a client of HTTP/1.0 that it may keep it; which is sent no chunks."""
    played = script(answer, 100, old=old)
    sent = b"".join(piece for _, piece in played.pieces)
    assert (sent.startswith(begins), holds in sent, sent.endswith(ends), played.cut) == (True, True, True, cut)
    assert (b"Connection: close" in sent) == (answer.last == "said")
    assert (b"Transfer-Encoding" in sent) == (answer.chunked and not old)
    assert (b"Content-Length" in sent) == (not answer.chunked and answer.status != 204)


def test_nobody_who_waits_is_served_before_a_place_is_free() -> None:
    """First come, first served; one that leaves before its turn leaves no gap."""
    places: Places[str] = Places(2)
    assert [places.take(name) for name in "abcde"] == [True, True, False, False, False]
    assert places.take("a")
    assert places.leave("c") is None
    assert (places.leave("a"), places.leave("b"), places.leave("d")) == ("d", "e", None)
    assert places.take("f")


def test_a_ledger_holds_what_came_and_when_it_was_answered(tmp_path: Path) -> None:
    """Nothing before the load; a request that waits has neither status nor times, one for ever no due time."""
    ledger = Ledger()
    assert ledger.note(1, 9.0) is None
    ledger.begin(10.0)
    first, second, third = (ledger.note(number, 10.0 + number) for number in (1, 2, 3))
    assert first is not None
    assert third is not None
    ledger.plan(first, 503, 11.5, whole=True)
    ledger.wrote(first, 11.4, last=False)
    ledger.wrote(first, 11.6, last=True)
    ledger.plan(third, 200, math.inf, whole=False)
    ledger.write(tmp_path / "ledger.csv")
    rows = list(csv.DictReader((tmp_path / "ledger.csv").read_text().splitlines()))
    assert [row["connection"] for row in rows] == ["1", "2", "3"]
    assert [float(rows[0][name]) for name in ("came_s", "due_s", "first_s", "done_s")] == pytest.approx([1, 1.5, 1.4, 1.6])
    assert [*rows[1].values()] == ["2", "2.0", "0", "False", "", "", ""]
    assert (second is not None, rows[2]["due_s"], rows[2]["status"]) == (True, "", "200")


def test_a_tool_without_a_rate_stays_bounded() -> None:
    """Every answer of every program for tools takes 5 ms at least, and every stall has an end."""
    for program in FOR_TOOLS.values():
        assert program.usual.delay_s >= 0.005, program.name
        assert not program.every or program.other.delay_s >= 0.005, program.name
        assert all(math.isfinite(episode.lasting_s) for episode in program.episodes)
