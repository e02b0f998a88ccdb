"""Any bytes in any pieces become an outcome, and always the same one.

The fast suite tries a few thousand inputs. The long variant tries as many as are asked for, a million in some ten minutes:

    LAB_HOSTILE_INPUTS=1000000 python -m pytest -s tests/hostile/test_response_bytes.py
"""

import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import h11
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import MOST_BODILESS_BYTES, heads
from experiments.record.schema import Outcome
from tests.hostile.peer import GOOD, Ending, Fate, ask, ask_again, by_h11, connected, cut, inside_a_loop
from tests.hostile.wire import BEGUN, ENOUGH, FAMILIES, MOST_CHOICES, Choices, right

INPUTS = int(os.environ.get("LAB_HOSTILE_INPUTS", "3000"))
_BATCH = 10_000
"""Hypothesis remembers all inputs of a batch; a million at once would fill the memory."""
_ENDINGS: tuple[Ending, ...] = ("close", "close", "reset", "silence")
_SIZES = (1, 2, 3, 5, 8, 21, 55, 200)
ENDS = {"ConnectionClosed": Outcome.CLOSED, "ConnectionReset": Outcome.RESET, "ProtocolViolation": Outcome.PROTOCOL_ERROR}


class Case(NamedTuple):
    """One input: what comes, how it is cut, what comes after it."""

    wire: bytes
    sizes: list[int]
    ending: Ending


def case(make: Callable[[Choices], bytes], data: bytes) -> Case:
    """The input that these bytes choose."""
    choices = Choices(data)
    ending, sizes = choices.one(_ENDINGS), [choices.one(_SIZES), *choices.some(_SIZES, 2)]
    return Case(make(choices), sizes, ending)


def tried(examine: Callable[[bytes], object], inputs: int, first_seed: int = 0) -> None:
    """Has hypothesis make so many inputs, in batches."""
    for number, done in enumerate(range(0, inputs, _BATCH), start=first_seed):
        options = settings(
            max_examples=min(_BATCH, inputs - done), database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        seed(number)(options(given(st.binary(min_size=8, max_size=MOST_CHOICES))(examine)))()


def examined(case: Case) -> Fate:
    """What becomes of an input, after everything that must be true of it was seen to be."""
    fate, protocol, error = ask([case.wire], case.ending)
    again, _, _ = ask(cut(case.wire, case.sizes), case.ending)
    assert again == fate, f"it depends on the pieces: {case}"
    assert (fate.kind != "waiting") or case.ending == "silence", f"a hang: {case}"
    if isinstance(error, Exception):
        assert outcome_of(error) is ENDS[fate.kind]
    assert fate.body_bytes <= len(case.wire)
    assert protocol.answer.body == []
    assert sum(len(name) + len(value) for name, value in protocol.answer.headers) <= MOST_BODILESS_BYTES
    if fate.kind == "answer":
        _examine_answer(case, fate)
        if protocol.usable:
            assert ask_again(protocol) == Fate("answer", 200, 4, zlib.crc32(b"good")), f"it spoilt the next answer: {case}"
    protocol.close()
    return fate


def _examine_answer(case: Case, fate: Fate) -> None:
    """Where another parser sees an answer too, it must see the same one."""
    try:
        other = by_h11(case.wire, closed=case.ending == "close")
    except (h11.LocalProtocolError, NotImplementedError):
        return
    if other is not None:
        status, body = other
        assert (fate.status, fate.body_bytes, fate.checksum) == (status, len(body), zlib.crc32(body)), case


@pytest.mark.timeout(180 + INPUTS // 300)
@pytest.mark.parametrize("family", FAMILIES)
@inside_a_loop
def test_any_bytes_in_any_pieces_have_one_outcome(family: str) -> None:
    """No exception, no hang, no growth; the same in other pieces, and as h11 reads it; LAB_HOSTILE_INPUTS sets how many."""
    fates: Counter[str] = Counter()

    def examine(data: bytes) -> None:
        fates[examined(case(FAMILIES[family], data)).kind] += 1

    tried(examine, INPUTS // len(FAMILIES))
    sys.stdout.write(f"\n{family}: {fates.total():,} inputs, {dict(fates.most_common())}\n")
    assert fates["answer"] > 0


@inside_a_loop
def test_a_right_answer_is_read_as_it_was_meant() -> None:
    """Status, length and checksum of the body are those that the framing says, and h11 agrees."""

    def examine(data: bytes) -> None:
        meant = right(Choices(data))
        fate, _, _ = ask([meant.wire], "close")
        assert fate == Fate("answer", meant.status, len(meant.body), zlib.crc32(meant.body)), meant
        assert by_h11(meant.wire, closed=True) == (meant.status, meant.body), meant

    tried(examine, 500)


@inside_a_loop
def test_a_head_may_come_alone() -> None:
    """As most servers send it: first the head, then the body, also where the head says that the connection ends."""

    def examine(data: bytes) -> None:
        wire = right(Choices(data)).wire
        end = wire.find(b"\r\n\r\n") + 4
        for _ in range(2):  # The second time it is known.
            assert ask([wire[:end], wire[end:]] if wire[end:] else [wire], "close")[0] == ask([wire], "close")[0]

    tried(examine, 500)


@inside_a_loop
def test_an_answer_that_is_cut_off_is_never_taken_for_whole() -> None:
    """Each beginning of an answer that is framed by its own bytes ends as closed."""

    def examine(data: bytes) -> None:
        meant = right(Choices(data))
        if meant.framing != "close":
            for length in range(0, len(meant.wire), 1 + len(meant.wire) // 20):
                assert ask([meant.wire[:length]], "close")[0].kind == "ConnectionClosed", (meant, length)

    tried(examine, 100)


@pytest.mark.parametrize("surplus", [b"HTT", b"HTTP/1.1 200 OK\r\nX: ", ENOUGH, b"\x00", b"\r\n\r\nx", *BEGUN[1:]])
@inside_a_loop
def test_what_nobody_asked_for_never_meets_the_next_answer(surplus: bytes) -> None:
    """However little comes with an answer beyond its end, the connection is given up."""
    fate, protocol, _ = ask([GOOD + surplus], "silence")
    assert (fate.kind, fate.body_bytes, protocol.usable) == ("answer", 4, False)


@inside_a_loop
def test_heads_that_never_repeat_are_read_rightly() -> None:
    """Each of a thousand answers on one connection has a head of its own; what is remembered of them stays small."""
    protocol = connected()
    for number in range(1000):
        waiter = protocol.ask(b"", checksum=True)
        body = b"%d" % number
        protocol.data_received(b"HTTP/1.1 200 OK\r\nX-Id: %d\r\nContent-Length: %d\r\n\r\n%s" % (number, len(body), body))
        assert waiter.done()
        answer = protocol.answer
        assert (answer.status, answer.body_bytes, answer.checksum) == (200, len(body), zlib.crc32(body))
        assert (b"X-Id", body) in answer.headers
    assert protocol.usable
    assert len(heads.KNOWN) <= heads.MOST_KNOWN


@pytest.mark.parametrize("status", [104, 150, 199])
@inside_a_loop
def test_an_interim_answer_has_no_body(status: int) -> None:
    """Bytes that a 1xx announces as its body are never counted as those of the real answer."""
    wire = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nhello" % status + GOOD
    assert ask([wire], "close")[0] == Fate("ProtocolViolation", status, 0, 0)


@pytest.mark.parametrize("coding", [b"gzip", b"chunked, gzip", b"xchunked"])
@inside_a_loop
def test_a_coding_other_than_chunked_ends_with_the_connection(coding: bytes) -> None:
    """Where chunked is not the last coding, only the end of the connection ends the body (RFC 9112, 6.3)."""
    wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + b"\r\n\r\nabc"
    assert ask([wire], "close")[0] == Fate("answer", 200, 3, zlib.crc32(b"abc"))


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("size", [1, 1000, 65_535, 65_536, 1_000_000])
@inside_a_loop
def test_the_limit_of_a_head_is_the_same_in_any_pieces(size: int, beyond: int) -> None:
    """A head of 64 KiB is read, one byte more is refused, whether it comes at once or byte by byte."""
    fixed = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: \r\n\r\n"
    value = b"v" * (MOST_BODILESS_BYTES - len(fixed) + beyond)
    wire = fixed[:-4] + value + b"\r\n\r\ngood"
    fate, _, _ = ask(cut(wire, [size]), "silence")
    assert fate.kind == ("ProtocolViolation" if beyond else "answer")


@pytest.mark.parametrize("error", [None, ConnectionResetError(104, "reset"), TimeoutError(110, "timed out"), OSError()])
@inside_a_loop
def test_the_end_of_an_idle_connection_is_no_error(error: Exception | None) -> None:
    """A connection may end in any way while nothing is asked."""
    protocol = connected()
    protocol.connection_lost(error)
    assert (protocol.usable, protocol.closed_by_server) == (False, True)
