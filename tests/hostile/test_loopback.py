"""What the lab starts can be reached from this machine only."""

import asyncio
import ipaddress
import re
from pathlib import Path

import pytest

from experiments.measure.servers.local import ServerProcess
from server import catalogue
from tests.support.processes import listening

SYSTEMS = pytest.mark.parametrize("name", catalogue.SYSTEMS)
_EVERYWHERE = re.compile(r"(?<![\d.])0\.0\.0\.0|(?<![\w:])(\[::\]|::)(?![\w:])|(?<!\S)\*(?!\S)")
"""How a command says that it listens on all addresses."""


@SYSTEMS
def test_no_command_listens_for_strangers(name: str) -> None:
    """No command of the catalogue names an address other than this machine's own."""
    command = " ".join(catalogue.SYSTEMS[name].command(python="python", port=8000, workers=1))
    assert _EVERYWHERE.findall(command) == []
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", command)) <= {"127.0.0.1"}


@pytest.mark.parametrize("command", ["--host 0.0.0.0", "--bind [::]:80", "--host ::", "-b 0.0.0.0:80", "--listen *"])
def test_an_open_command_is_seen(command: str) -> None:
    """Each way to listen on all addresses counts."""
    assert _EVERYWHERE.search(command)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, system in catalogue.SYSTEMS.items() if system.comparison == "instrument"])
def test_a_running_server_listens_on_loopback_only(name: str, tmp_path: Path) -> None:
    """Each system of the instrument, once started, has no listening socket on another address, of any kind."""

    async def addresses() -> list[str]:
        server = ServerProcess(system=name, status_bytes=10, bulk_bytes=20, workers=1, log_path=tmp_path / "server.log")
        await server.start()
        try:
            assert server.main_pid is not None
            return listening(server.main_pid)
        finally:
            await server.stop()

    found = asyncio.run(addresses())
    assert found
    assert [one for one in found if not ipaddress.ip_address(one).is_loopback] == []
