"""Django with Channels, on an ASGI server: constant bytes, or rows if the environment names a database."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter

from server.apps.django import channels_consumers
from server.database.access import Access


def create_app() -> ProtocolTypeRouter:
    """Wires the application that is asked for."""
    if access := Access.from_environment(os.environ):
        from server.apps.django import channels_database

        return channels_database.create_app(access)
    return channels_consumers.create_app()


def __getattr__(name: str) -> ProtocolTypeRouter:
    """Makes `application` when it is asked for: Daphne takes no factory, and importing must do no work."""
    if name == "application":
        return create_app()
    raise AttributeError(name)
