"""A user's own server as a system: its command as the catalogue's are, or as the user wrote it."""

import sys
from types import ModuleType
from typing import Any

import pytest

from server import catalogue, own_app
from server.systems.model import BACKLOG


@pytest.mark.parametrize(
    ("serving", "interface", "named"),
    [
        ("uvicorn", "asgi", ["python", "-m", "uvicorn", "my.app:make", "--host"]),
        ("gunicorn", "asgi", ["uvicorn_worker.UvicornWorker"]),
        ("gunicorn", "wsgi", ["gthread"]),
    ],
)
def test_an_app_is_served_as_those_of_the_catalogue_are(serving: str, interface: str, named: list[str]) -> None:
    """With the same backlog, keep-alive and number of workers, so that what is compared is the app."""
    system = catalogue.own.app("mine", "my.app:make", serving=serving, interface=interface)
    command = system.command(python="python", port=81, workers=3)
    assert [part for part in command if part in named] == named
    for option, value in (("--workers", "3"), ("--backlog", str(BACKLOG))):
        assert command[command.index(option) + 1] == value
    assert "81" in " ".join(command)
    assert "--factory" not in command


def test_a_command_keeps_every_brace_but_the_ports() -> None:
    """JSON in an argument is the user's own."""
    system = catalogue.own.command("mine", """run --port={port} '{"a": {"b": 1}}' {other}""")
    words = system.command(python="python", port=81, workers=1)
    assert words == ["run", "--port=81", '{"a": {"b": 1}}', "{other}"]


class Called:
    """An application that is an object."""

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


def test_a_factory_is_told_from_an_application() -> None:
    """By what it needs to be called with; what cannot be called at all is taken as it is."""
    module = ModuleType("somebodys_module")
    application, called, thing = (lambda environ, start_response: []), Called(), object()
    vars(module).update(app=application, called=called, thing=thing)
    vars(module).update(make=lambda: "made", defaults=lambda debug=False: "made")
    sys.modules[module.__name__] = module
    try:
        found = [own_app.application(f"somebodys_module:{name}") for name in ("app", "called", "thing", "make", "defaults")]
    finally:
        del sys.modules[module.__name__]
    assert found == [application, called, thing, "made", "made"]
