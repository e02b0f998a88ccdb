"""Content-Encoding: the bytes of the wire in, the bytes that were meant out."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

_MOST_BYTES = 1 << 30
"""A longer body is a bomb, or no answer to a device."""


class DecodingError(ValueError):
    """A body is not what its Content-Encoding says; the message says why."""


def decode(body: bytes, encoding: str) -> bytes:
    """Undoes a Content-Encoding; several, separated by commas, are undone from the last to the first.

    Raises:
        DecodingError: the encoding is unknown here, or the bytes are damaged or cut off.
    """
    for one in reversed(encoding.split(",")):
        name = one.strip().lower()
        decoder = _DECODERS.get(name)
        if decoder is None or (name in _PACKAGES and package(name) is None):
            raise DecodingError(f"nothing here decodes {name!r}")
        try:
            body = decoder(body)
        except DecodingError:
            raise
        except Exception as error:  # noqa: BLE001 - brotli and zstandard have exceptions of their own
            raise DecodingError(f"it is damaged: {error}") from None
    return body


def unknown_in(accept_encoding: str) -> str | None:
    """The first encoding that a request would accept although nothing here decodes it."""
    for one in accept_encoding.split(","):
        name, _, weight = (part.strip().lower() for part in one.partition(";"))
        refused = weight.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        if name and not refused and (name not in _DECODERS or (name in _PACKAGES and package(name) is None)):
            return name
    return None


def advice(encoding: str) -> str:
    """What helps where an encoding is not decoded."""
    packages = _PACKAGES.get(encoding)
    return f"install {packages[-1]}, or ask for gzip" if packages else "ask for gzip"


@cache
def package(encoding: str) -> Any:
    """The library for an encoding, or None if it is not installed."""
    for name in _PACKAGES[encoding]:
        with suppress(ImportError):
            return importlib.import_module(name)
    return None


def _inflated(body: bytes, bits: int) -> bytes:
    """Every member of a gzip or zlib stream."""
    parts: list[bytes] = []
    left = _MOST_BYTES
    while body or not parts:
        stream = zlib.decompressobj(bits)
        parts.append(stream.decompress(body, left))
        left -= len(parts[-1])
        if not stream.eof:
            raise DecodingError("it is too long" if left <= 0 else "it is cut off")
        body = stream.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _deflate(body: bytes) -> bytes:
    """With the zlib header that the standard asks for, or without it, as some servers send it."""
    try:
        return _inflated(body, zlib.MAX_WBITS)
    except zlib.error:
        return _inflated(body, -zlib.MAX_WBITS)


def _brotli(body: bytes) -> bytes:
    return bytes(package("br").decompress(body))


def _zstd(body: bytes) -> bytes:
    library = package("zstd")
    if hasattr(library, "ZstdDecompressor") and library.__name__ == "zstandard":
        return bytes(library.ZstdDecompressor().decompressobj().decompress(body))
    return bytes(library.decompress(body))


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: _inflated(body, 16 + zlib.MAX_WBITS),
    "x-gzip": lambda body: _inflated(body, 16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "identity": lambda body: body,
    "br": _brotli,
    "zstd": _zstd,
}
_PACKAGES: dict[str, tuple[str, ...]] = {
    "br": ("brotlicffi", "brotli"),
    "zstd": ("compression.zstd", "backports.zstd", "zstandard"),
}
