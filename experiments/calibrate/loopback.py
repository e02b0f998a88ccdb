"""Ports of this machine, for servers that a trial starts itself."""

from __future__ import annotations

import socket
import time

from experiments.errors import ServerStartError

_LISTENING_S = 20.0


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(port: int) -> None:
    """Returns when somebody does.

    Raises:
        ServerStartError: nobody did in time.
    """
    deadline = time.monotonic() + _LISTENING_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise ServerStartError(f"nothing listened on port {port} within {_LISTENING_S:g} s.")
