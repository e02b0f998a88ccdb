"""From what a transport raised to the reason that a row gives."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator

import httpx

from experiments.measure.engines.http1 import ConnectionClosed, ConnectionReset
from experiments.record.schema import Outcome

OUR_FAULT = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM}
"""What the operating system says when it is the generator that is out of something."""

_BY_KIND: tuple[tuple[type[Exception], Outcome], ...] = (
    (ConnectionClosed, Outcome.CLOSED),
    (ConnectionReset, Outcome.RESET),
    (httpx.ConnectTimeout, Outcome.CONNECT_TIMEOUT),
    (httpx.TimeoutException, Outcome.READ_TIMEOUT),
    (httpx.ConnectError, Outcome.CONNECT_FAILED),
    (httpx.NetworkError, Outcome.RESET),
    (httpx.RemoteProtocolError, Outcome.PROTOCOL_ERROR),
    # What httpx's own client says of an answer's Content-Encoding, and of a Location that it reads although it follows none.
    # The requests themselves were made and encoded before the load.
    (httpx.DecodingError, Outcome.PROTOCOL_ERROR),
    (httpx.InvalidURL, Outcome.PROTOCOL_ERROR),
    (UnicodeError, Outcome.PROTOCOL_ERROR),
)


_CLOSED_EARLY = (
    "disconnected without sending",
    "peer closed connection without sending complete",
    "peer unexpectedly closed connection",
)
"""In h11's texts and httpcore's: before an answer, in its body, and within a line of its framing."""


def outcome_of(error: Exception) -> Outcome:
    """Why a poll failed, by the error that a transport raised.

    Anything that is neither the network's nor the server's doing is `GENERATOR_ERROR`, which no valid run may hold.
    """
    # An error of TLS is an OSError too, but numbered by OpenSSL: 1, any fault at all, would be EPERM.
    codes = {cause.errno for cause in _causes(error) if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError)}
    if codes & OUR_FAULT:
        return Outcome.GENERATOR_ERROR
    if isinstance(error, httpx.ConnectError):
        if errno.ECONNREFUSED in codes:
            return Outcome.CONNECT_REFUSED
        if errno.ETIMEDOUT in codes:
            return Outcome.CONNECT_TIMEOUT
    if isinstance(error, httpx.RemoteProtocolError) and _closed_early(error):
        return Outcome.CLOSED
    return next((outcome for kind, outcome in _BY_KIND if isinstance(error, kind)), Outcome.GENERATOR_ERROR)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


def _closed_early(error: httpx.RemoteProtocolError) -> bool:
    """httpx's own transport has one class for both; its h11 texts tell them apart."""
    return any(words in str(error) for words in _CLOSED_EARLY)
