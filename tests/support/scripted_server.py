"""A server on a real socket that answers byte for byte what a test wrote down."""

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

Step = bytes | float | str
"""Bytes to send, seconds to wait, or one of the words `close`, `reset`, and `cut`: the end without a last word of TLS."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ScriptedServer:
    """Plays one script a request, in order; the last one again and again."""

    def __init__(self, scripts: Sequence[Sequence[Step]], scheme: str, host: str) -> None:
        self._scripts = list(scripts)
        self._scheme, self._host = scheme, f"[{host}]" if ":" in host else host
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self._host}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                script = self._scripts[min(len(self.requests), len(self._scripts)) - 1]
                if not await self._play(script, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _play(self, script: Sequence[Step], writer: asyncio.StreamWriter) -> bool:
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
                return False
            elif step == "cut":
                # uvloop lends a socket that can do nothing itself.
                with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as borrowed:
                    borrowed.shutdown(socket.SHUT_WR)
                return False
            else:
                return False
        return True

    def close_connections(self) -> None:
        """Ends all connections, as a server does with those that were idle for too long."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def scripted(
    *scripts: Sequence[Step], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[ScriptedServer]:
    """A scripted server on a free port of this machine."""
    server = ScriptedServer(scripts, "https" if tls else "http", host)
    listener = await asyncio.start_server(server.serve, host, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.close_connections()
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(serve: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server on a free port of this machine that does with each connection what a test wrote down; its URL."""
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await serve(reader, writer)
            writer.close()
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def answer(body: bytes, *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """A plain answer with Content-Length."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status.encode(), len(body), headers) + body
