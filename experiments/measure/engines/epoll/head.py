"""Heads of plain answers, compiled: after such a head come so many bytes of body, and nothing else can.

Strict: whatever is unusual in the least is not plain, and the general path reads it. What is plain here is so to httptools.
"""

from __future__ import annotations

import numpy as np

from experiments.measure.engines.epoll.arrays import MOST_HEAD_BYTES, STATUSES, Record, Records
from experiments.measure.engines.epoll.compiling import inlined

_VERSION = np.frombuffer(b"HTTP/1.1 ", "u1")
_LENGTH = np.frombuffer(b"content-length", "u1")
_CONNECTION = np.frombuffer(b"connection", "u1")
_KEEP = np.frombuffer(b"keep-alive", "u1")
_TRANSFER = np.frombuffer(b"transfer-encoding", "u1")
_UPGRADE = np.frombuffer(b"upgrade", "u1")
_TRAILER = np.frombuffer(b"trailer", "u1")
_PROXY = np.frombuffer(b"proxy-connection", "u1")

_TOKEN = np.zeros(256, "u1")
"""Whether a byte may stand in a name (RFC 9110, 5.6.2)."""
_TOKEN[np.frombuffer(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "u1")] = 1
_VALUE = np.zeros(256, "u1")
"""Whether a byte may stand in a value, or in a reason."""
_VALUE[9] = 1
_VALUE[32:127] = 1
_VALUE[128:] = 1
_CR, _LF, _SPACE, _TAB, _COLON, _ZERO = 13, 10, 32, 9, 58, 48


@inlined
def said(b: Records, begin: int, end: int, word: Records) -> bool:
    """Whether these bytes are a word of small letters, in any case."""
    if end - begin != len(word):
        return False
    for i in range(len(word)):
        letter = b[begin + i]
        if letter != word[i] and not (65 <= letter <= 90 and letter + 32 == word[i]):
            return False
    return True


@inlined
def number(b: Records, begin: int, end: int) -> int:
    """One to ten digits as a number; -1 if they are not."""
    if not 1 <= end - begin <= 10:
        return -1
    value = 0
    for i in range(begin, end):
        digit = int(b[i]) - _ZERO
        if not 0 <= digit <= 9:
            return -1
        value = 10 * value + digit
    return value


@inlined
def line_end(b: Records, i: int, size: int) -> int:
    """Where the CRLF of a line begins; -1 if it has another byte that cannot stand in it, or has not come yet."""
    while i + 1 < size:
        if not _VALUE[b[i]]:
            return i if b[i] == _CR and b[i + 1] == _LF else -1
        i += 1
    return -1


@inlined
def status_of(b: Records, size: int) -> int:
    """The status of a status line; -1 if it is not plain."""
    if size < 15:
        return -1
    for i in range(9):
        if b[i] != _VERSION[i]:
            return -1
    status = number(b, 9, 12)
    if b[12] != _SPACE or status < 200 or status >= STATUSES or status in (204, 304):
        return -1
    return status


@inlined
def reframes(b: Records, begin: int, end: int) -> bool:
    """Whether a header of this name frames an answer by more than its length, or may end its connection."""
    width = end - begin
    if width == 7:
        return said(b, begin, end, _UPGRADE) or said(b, begin, end, _TRAILER)
    if width == 16:
        return said(b, begin, end, _PROXY)
    return width == 17 and said(b, begin, end, _TRANSFER)


@inlined
def plain_head(s: Record, b: Records, size: int) -> int:
    """Bytes of body that a head announces, if these bytes begin with a whole plain head; else -1.

    Sets `status`, and `head` to its length.
    """
    size = min(size, MOST_HEAD_BYTES)
    status = status_of(b, size)
    i = line_end(b, 13, size) if status > 0 else -1
    length = -1
    while i >= 0:
        i += 2
        if i + 1 < size and b[i] == _CR and b[i + 1] == _LF:
            s["status"] = status
            s["head"] = i + 2
            return length
        name = i
        while i < size and _TOKEN[b[i]]:
            i += 1
        if i == name or i >= size or b[i] != _COLON:
            return -1
        colon = i
        i += 1
        while i < size and (b[i] == _SPACE or b[i] == _TAB):
            i += 1
        value = i
        i = line_end(b, i, size)
        width = colon - name
        if width == 14 and said(b, name, colon, _LENGTH):
            if length >= 0 or i < 0:
                return -1
            length = number(b, value, i)
            if length < 0:
                return -1
        elif width == 10 and said(b, name, colon, _CONNECTION):
            if i < 0 or not said(b, value, i, _KEEP):
                return -1
        elif reframes(b, name, colon):
            return -1
    return -1
