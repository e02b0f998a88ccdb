"""Ports of this machine on which servers listen: a free one, and why one cannot be had."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
_FREE_PORTS = range(20_000, 32_768)
"""Below those that Linux gives to outgoing connections: among them, asking a port on which nobody listens yet may connect
the asking socket to itself, and then the server finds its port taken."""


def free_port() -> int:
    """A port that nobody has at this moment."""
    # Not by the module's own generator: a notebook may have seeded it, and then every run would want the same port.
    ports = random.Random().sample(_FREE_PORTS, len(_FREE_PORTS))
    return next(port for port in ports if not refusal(port))


def refusal(port: int) -> str | None:
    """Why a server could not listen there, if so."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that the kernel has not forgotten yet are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None
