"""The bodies that every server answers, byte for byte.

A size in bytes in, the body out. They are a function of their length alone, so that whoever knows the sizes can check
every answer without asking the server what it meant to send.
"""

from string import ascii_lowercase, ascii_uppercase, digits

_LINE = f"{digits}{ascii_uppercase}{ascii_lowercase}\n".encode()
"""63 bytes, which divides no buffer size: buffers that are lost, doubled or swapped break the pattern."""


def body(size_bytes: int) -> bytes:
    """Makes the body of a given length: readable ASCII, the same on every machine.

    Args:
        size_bytes: length in bytes, 0 or more.

    Raises:
        ValueError: the length is negative.
    """
    if size_bytes < 0:
        raise ValueError(f"a body has 0 bytes or more, not {size_bytes}")
    lines = -(-size_bytes // len(_LINE))
    return (_LINE * lines)[:size_bytes]
