"""How an https server is spoken to: whose certificates are trusted, and what a device shows of its own.

Files in, `ssl.SSLContext` out; made once for all connections that show the same certificate, since reading the system's
trusted certificates takes some 70 ms and 1 MB. Knows nothing of connections.
"""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import ParameterError

Certificate = tuple[Path, Path | None]
"""Files of a device's own certificate, with those between it and its CA, and of its private key; None: in the same file."""


@dataclass(frozen=True)
class Tls:
    """What is said of a server's TLS. Plain data, so that it travels to a generator as JSON."""

    ca: str = ""
    """File of the certificates that are trusted, PEM; empty for the system's."""
    verify: bool = True
    """Whether the server's certificate and its name are checked."""


class Contexts:
    """The contexts of one process: one for all devices, or one for each certificate that devices show."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._made: dict[Certificate | None, ssl.SSLContext] = {}

    def of(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """The context of devices that show that certificate, or none.

        Raises:
            ParameterError: a file is not there or holds something else, or a key belongs to another certificate.
        """
        context = self._made.get(certificate)
        if context is None:
            self._made[certificate] = context = _context(self._tls, certificate)
        return context


@functools.cache
def usual() -> ssl.SSLContext:
    """The context of who says nothing: the system's trusted certificates, and everything is checked."""
    return Contexts(Tls()).of()


def _context(tls: Tls, certificate: Certificate | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
    except OSError as error:
        raise ParameterError(
            f"tls: ca={tls.ca!r} cannot be used ({_said(error)}): give a file of certificates, PEM."
        ) from error
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # Said, so that no server that prefers HTTP/2 has to guess.
    context.set_alpn_protocols(["http/1.1"])
    if certificate is not None:
        _show(context, *certificate)
    return context


def _show(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    try:
        # An encrypted key would be asked for on the terminal, where nobody is.
        context.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as error:
        files = f"cert={str(cert)!r}" + (f" with key={str(key)!r}" if key else "")
        raise ParameterError(
            f"tls: {files} cannot be used ({_said(error)}): give a certificate and its private key, PEM, without a password."
        ) from error


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _said(error: Exception) -> str:
    """Why, in few words; OpenSSL's own have a place in its source code at their end."""
    if isinstance(error, ssl.SSLError):
        return error.reason.lower().replace("_", " ") if error.reason else "nothing of that kind in it"
    return getattr(error, "strerror", None) or str(error)
