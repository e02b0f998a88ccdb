"""Where a PostgreSQL is: a URL in, its parts out. Nothing is looked up or connected to here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ADVICE = "give it like postgresql://user:password@127.0.0.1:5432/name, or postgresql://user@/name?host=/run/postgresql"
"""What an address must look like."""

_PORT = 5432
_SOCKETS = "/var/run/postgresql"
"""Where Debian's PostgreSQL has its Unix socket."""
_SECRET = re.compile(r"(\w://[^\s:/?#@\"']*):[^\s\"']*@")


@dataclass(frozen=True)
class Address:
    """The parts of a URL. An empty user or password is left to libpq, which knows PGPASSWORD and ~/.pgpass."""

    host: str
    """A name, a number, or the folder of a Unix socket, which begins with a slash."""
    port: int
    user: str
    password: str
    name: str
    """Of the database."""

    def libpq(self) -> dict[str, str | int]:
        """Its parts by the names that libpq has for them."""
        parts: dict[str, str | int] = {"host": self.host, "port": self.port, "dbname": self.name}
        return parts | {"user": self.user, "password": self.password} if self.password else parts | (
            {"user": self.user} if self.user else {}
        )

    @property
    def shown(self) -> str:
        """The URL without the password, for people and records."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        if self.host.startswith("/"):
            return f"postgresql://{user}/{quote(self.name)}?host={quote(self.host)}&port={self.port}"
        return f"postgresql://{user}{host}:{self.port}/{quote(self.name)}"


def parse(url: str) -> Address:
    """Takes a URL apart.

    Raises:
        ValueError: it is not the address of a PostgreSQL; the sentence does not repeat it, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        port = int(query.pop("port", _PORT if parts.port is None else parts.port))
    except ValueError:
        raise ValueError(ADVICE) from None
    socket = query.pop("host", _SOCKETS)
    host = parts.hostname or socket
    name = unquote(parts.path.removeprefix("/"))
    plain = re.fullmatch(r"postgres(ql)?", parts.scheme) and not parts.fragment and not query and url.isprintable()
    if not plain or not name or "/" in name or " " in url or not 0 < port < 2**16 or not socket.startswith("/"):
        raise ValueError(ADVICE)
    return Address(host, port, unquote(parts.username or ""), unquote(parts.password or ""), name)


def masked(text: str) -> str:
    """The same text without the password of any URL in it."""
    return _SECRET.sub(r"\1:***@", text)
