"""What a server can be told. It travels as environment variables, since worker processes inherit nothing else.

Read by Django 1.11 on Python 3.7 too, as `payloads` and `pages` are: nothing newer may stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_STATUS = "LAB_STATUS_BYTES"
_BULK = "LAB_BULK_BYTES"


@dataclass(frozen=True)
class Settings:
    """What the two endpoints answer.

    Raises:
        ValueError: a size is negative.
    """

    status_bytes: int = 100
    """Bytes that `/hello?page=1` answers."""
    bulk_bytes: int = 204_800
    """Bytes that `/hello?page=200` answers."""

    def __post_init__(self) -> None:
        for name, size in (("status_bytes", self.status_bytes), ("bulk_bytes", self.bulk_bytes)):
            if size < 0:
                raise ValueError(f"{name}={size}: a body has 0 bytes or more")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Reads the settings; a variable that is not there leaves its default.

        Raises:
            ValueError: a variable does not hold a whole number, 0 or more.
        """
        return cls(
            status_bytes=_whole(environ, _STATUS, cls.status_bytes),
            bulk_bytes=_whole(environ, _BULK, cls.bulk_bytes),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes the same settings."""
        return {_STATUS: str(self.status_bytes), _BULK: str(self.bulk_bytes)}


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name}={text!r}: a whole number of bytes is needed, 0 or more")
    return int(text)
