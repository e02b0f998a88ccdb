"""From what `requests` raised to the reason that a row gives."""

from __future__ import annotations

import errno
import http.client
from collections.abc import Iterator

import requests
import urllib3.exceptions

from experiments.measure.engines.errors import OUR_FAULT
from experiments.record.schema import Outcome

_BY_KIND: tuple[tuple[type[BaseException], Outcome], ...] = (
    (requests.ConnectTimeout, Outcome.CONNECT_TIMEOUT),
    (requests.ReadTimeout, Outcome.READ_TIMEOUT),
    (urllib3.exceptions.ReadTimeoutError, Outcome.READ_TIMEOUT),
    # Before ConnectionResetError, of which it is one.
    (http.client.RemoteDisconnected, Outcome.CLOSED),
    (ConnectionRefusedError, Outcome.CONNECT_REFUSED),
    (ConnectionResetError, Outcome.RESET),
    (BrokenPipeError, Outcome.RESET),
    (urllib3.exceptions.NewConnectionError, Outcome.CONNECT_FAILED),
    (urllib3.exceptions.InvalidChunkLength, Outcome.PROTOCOL_ERROR),
    (http.client.IncompleteRead, Outcome.CLOSED),
    (http.client.HTTPException, Outcome.PROTOCOL_ERROR),
    (urllib3.exceptions.HTTPError, Outcome.PROTOCOL_ERROR),
    (requests.exceptions.ContentDecodingError, Outcome.PROTOCOL_ERROR),
    (requests.exceptions.InvalidHeader, Outcome.PROTOCOL_ERROR),
    (UnicodeError, Outcome.PROTOCOL_ERROR),
)
"""The first that is among an error and its causes decides."""


def outcome_of(error: Exception) -> Outcome:
    """Why a poll failed. Anything that is neither the network's nor the server's doing is `GENERATOR_ERROR`."""
    causes = tuple(_causes(error))
    if {cause.errno for cause in causes if isinstance(cause, OSError)} & OUR_FAULT:
        return Outcome.GENERATOR_ERROR
    if any(isinstance(cause, OSError) and cause.errno == errno.ETIMEDOUT for cause in causes):
        return Outcome.CONNECT_TIMEOUT
    kinds = ((outcome, kind) for kind, outcome in _BY_KIND)
    return next(
        (outcome for outcome, kind in kinds if any(isinstance(cause, kind) for cause in causes)), Outcome.GENERATOR_ERROR
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it; urllib3 and requests pass it on as an argument as often as by `raise from`."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        more = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting += [one for one in more if isinstance(one, BaseException)]
