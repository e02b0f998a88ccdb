"""The bodies: any length, to the byte, and the same everywhere."""

import zlib
from itertools import pairwise

import pytest

from server.payloads import body


@pytest.mark.parametrize("size_bytes", [0, 1, 62, 63, 64, 100, 65_536, 204_800, 1_000_003])
def test_a_body_has_exactly_the_length_that_was_asked_for(size_bytes: int) -> None:
    """Every length can be had, whole lines or not."""
    assert len(body(size_bytes)) == size_bytes


def test_the_default_bodies_are_the_same_on_every_machine() -> None:
    """Records of different machines and years can be compared byte for byte."""
    assert (zlib.crc32(body(100)), zlib.crc32(body(204_800))) == (2_071_951_268, 1_976_617_058)


def test_a_body_is_readable_ascii() -> None:
    """Whoever looks at an answer sees letters and digits in lines."""
    lines = body(63 * 3).decode("ascii").splitlines()
    assert [line.isalnum() for line in lines] == [True] * 3


@pytest.mark.parametrize("buffer_bytes", [1024, 4096, 65_536])
def test_no_two_buffers_in_a_row_are_alike(buffer_bytes: int) -> None:
    """A body whose buffers were swapped or doubled on the way is not the body."""
    whole = body(204_800)
    buffers = [whole[at : at + buffer_bytes] for at in range(0, len(whole), buffer_bytes)]
    assert all(one != other for one, other in pairwise(buffers))


def test_a_negative_length_is_refused() -> None:
    """There is no body of less than nothing."""
    with pytest.raises(ValueError, match="not -1"):
        body(-1)
