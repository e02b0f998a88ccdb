"""Content-Encoding is undone, or refused with what helps."""

import gzip
import zlib

import brotli
import pytest

from experiments.target.answers import decoding
from experiments.target.answers.decoding import DecodingError, decode, unknown_in

TEXT = b"device " * 1000


def zipped(body: bytes) -> bytes:
    """gzip without the time of day, so that a test has the same name in every process."""
    return gzip.compress(body, mtime=0)


def raw_deflate(body: bytes) -> bytes:
    """Deflate without the zlib header, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", TEXT),
        ("gzip", zipped(TEXT)),
        (" GZIP ", zipped(TEXT)),
        ("x-gzip", zipped(TEXT)),
        ("gzip", zipped(TEXT[:100]) + zipped(TEXT[100:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("deflate, gzip", zipped(zlib.compress(TEXT))),
    ],
)
def test_a_body_is_what_was_meant(encoding: str, body: bytes) -> None:
    """One encoding, several in a row, and what servers really send."""
    assert decode(body, encoding) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b""),
        ("gzip", zipped(TEXT)[:-1]),
        ("gzip", zipped(TEXT) + b"x"),
        ("gzip", TEXT),
        ("deflate", TEXT),
        ("br", brotli.compress(TEXT)[:-5]),
        ("unknown", TEXT),
    ],
)
def test_a_damaged_body_is_told(encoding: str, body: bytes) -> None:
    """Cut off, mixed up, or something else."""
    with pytest.raises(DecodingError):
        decode(body, encoding)


def test_a_body_that_grows_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb ends at a limit, not with the memory."""
    monkeypatch.setattr(decoding, "_MOST_BYTES", 6000)
    with pytest.raises(DecodingError, match="too long"):
        decode(zipped(TEXT), "gzip")


@pytest.mark.parametrize(
    ("accepted", "unknown"),
    [
        ("gzip", None),
        ("gzip;q=0.5, deflate, identity", None),
        ("gzip, lzma", "lzma"),
        ("gzip, lzma;q=0", None),
        ("", None),
    ],
)
def test_what_a_request_accepts_must_be_known(accepted: str, unknown: str | None) -> None:
    """An encoding with a weight of 0 is not accepted."""
    assert unknown_in(accepted) == unknown


def test_an_encoding_without_its_library_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """br and zstd are known where a library for them is installed; what to install is said."""
    assert unknown_in("br") is None
    monkeypatch.setattr(decoding, "package", lambda _: None)
    assert unknown_in("gzip, br") == "br"
    assert decoding.advice("br") == "install brotli, or ask for gzip"
    with pytest.raises(DecodingError, match="nothing here decodes 'br'"):
        decode(b"", "br")
