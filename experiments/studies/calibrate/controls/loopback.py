"""Waiting for servers that a trial starts itself, on this machine."""

from __future__ import annotations

import socket
import time

from experiments.errors import ServerStartError

_LISTENING_S = 20.0


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
