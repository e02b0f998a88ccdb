"""A connection over TLS: an `Http1Protocol` whose bytes go through OpenSSL in memory on their way to and from the socket.

A context and the server's name in, the same answers out. asyncio's own TLS can neither resume a session nor tell how long
the handshake took, and costs a layer of transport and protocol for each byte.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress

import httpx

from experiments.measure.engines.aio.protocol import Http1Protocol
from experiments.measure.engines.http1 import ConnectionClosed, ProtocolViolation

_RECORD_BYTES = 16_384
"""The most that OpenSSL hands over at once: what a record holds. Source: RFC 8446, section 5.1."""


class TlsProtocol(Http1Protocol):
    """One connection over TLS.

    Args:
        name: of the server: asked for (SNI), and looked for in its certificate if the context checks that.
        session: of an earlier connection with the same context, to be resumed if the server still knows it.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        keep_bodies: bool,
        context: ssl.SSLContext,
        name: str,
        session: ssl.SSLSession | None = None,
    ) -> None:
        super().__init__(clock, keep_bodies=keep_bodies)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name, session=session)
        self.name = name
        self._send: Callable[[bytes], None] = self._write
        """To the socket."""
        self._told_end = False
        """Whether the server said that it sends no more (close_notify)."""
        self._gone = False
        self._confirmed = False
        """Whether the server is known to have finished the handshake too. In TLS 1.3 a device is done before the server has
        looked at its certificate; what comes next tells, be it only a ticket for the next time."""
        self.secured: asyncio.Future[None] = self._loop.create_future()
        """Ends with the handshake; or with `httpx.ConnectError`, which says why there is none."""
        self.connected_at = 0.0
        """When the connection stood and the handshake began; 0 until then."""
        self.secured_at = 0.0
        """When the handshake was over on this side; 0 until then."""

    @property
    def resumed(self) -> bool:
        """Whether the handshake resumed an earlier session."""
        return bool(self._tls.session_reused)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection may resume; None as long as the server cannot have said anything of it."""
        return self._tls.session if self._confirmed else None

    def close(self) -> None:
        """Gives the connection up: at once if an answer is awaited, else as TLS asks for, with a last word."""
        if self._waiter is None and self.secured_at and self._transport is not None and not self._transport.is_closing():
            self._open = False
            with suppress(ssl.SSLError):  # It would wait for the server's last word, which nobody needs.
                self._tls.unwrap()
            self._flush()
            self._transport.close()
        else:
            super().close()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._send, self._write = self._write, self._encrypt
        self.connected_at = self._clock()
        self._shake_hands()

    def data_received(self, data: bytes) -> None:
        incoming = self._incoming
        incoming.write(data)
        if not self.secured_at and not self._shake_hands():
            return
        read, take = self._tls.read, super().data_received
        try:
            # A record that is not whole yet is with OpenSSL and no longer pending.
            while incoming.pending:
                plain = read(_RECORD_BYTES)
                if not plain:  # The last word.
                    self._told_end = True
                    self._lost(None)
                    return
                self._confirmed = True
                take(plain)
        except ssl.SSLWantReadError:
            self._confirmed = True
        except ssl.SSLError as error:
            self._end(self._refusal(error))
            self._flush()
            super().close()
            return
        if self._outgoing.pending:  # What TLS itself has to say, such as new keys.
            self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.secured_at:
            self._fail(error, "the server closed the connection during the TLS handshake")
        self._lost(error)

    def _lost(self, error: Exception | None) -> None:
        """The connection has ended; told twice, by the server's last word and by the socket's end."""
        if not self._gone:
            self._gone = True
            super().connection_lost(error)
            if self._transport is not None:
                self._transport.close()

    def _shake_hands(self) -> bool:
        """Goes on with the handshake; whether it is over."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            self._flush()  # The server is told why.
            self._fail(error, f"TLS: {_reason(error)}")
            if self._transport is not None:
                self._transport.close()
            return False
        self._flush()
        self._confirmed = self._tls.version() != "TLSv1.3"
        self.secured_at = self._clock()
        if not self.secured.done():
            self.secured.set_result(None)
        return True

    def _fail(self, error: Exception | None, reason: str) -> None:
        if not self.secured.done():
            failure = httpx.ConnectError(reason)
            failure.__cause__ = error
            self.secured.set_exception(failure)

    def _refusal(self, error: ssl.SSLError) -> Exception:
        """What an error of TLS after the handshake means: it broke an answer, or it is the server's end of the handshake."""
        kind = ProtocolViolation if self._confirmed else httpx.ConnectError
        refusal = kind(f"TLS: {_reason(error)}")
        refusal.__cause__ = error
        return refusal

    def _why_ended(self, error: OSError | None) -> Exception | None:
        reason = super()._why_ended(error)
        if not self._confirmed:
            failure = httpx.ConnectError(
                "the server ended the connection before its side of the TLS handshake was over: it may ask for a "
                "certificate of the device's, or for another one"
            )
            failure.__cause__ = error
            return failure
        if reason is None and not self._told_end:
            # Anybody on the way could have cut it. Source: RFC 9112, section 9.8.
            return ConnectionClosed("the connection ended without a last word of TLS: the answer may not be complete")
        return reason

    def _encrypt(self, data: bytes) -> None:
        written = self._tls.write(data)
        while written < len(data):
            written += self._tls.write(memoryview(data)[written:])
        self._send(self._outgoing.read())

    def _flush(self) -> None:
        if said := self._outgoing.read():
            self._send(said)


def _reason(error: ssl.SSLError) -> str:
    """Such as `certificate verify failed: certificate has expired`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    return (error.reason or str(error)).lower().replace("_", " ")
