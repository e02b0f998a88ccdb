"""A PostgreSQL of the tests' own: a cluster in a temporary folder, on a free port, gone with the session."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.measure.servers.ports import free_port

_PLACES = (*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/lib/postgresql/*/bin")
_READY_S = 20.0
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "autovacuum=off")
"""What a machine that fails would lose is nobody's here; what a process that fails would lose is kept."""


@dataclass
class Cluster:
    """A PostgreSQL that listens on 127.0.0.1 alone."""

    programs: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its one database is; the password is asked for."""
        return f"postgresql://lab:s%40cret@127.0.0.1:{self.port}/postgres"

    @property
    def socket_url(self) -> str:
        """The same over its Unix socket, without the password."""
        return f"postgresql://lab@/postgres?host={self.folder}&port={self.port}"

    def start(self, **settings: object) -> None:
        """Returns when it answers."""
        given = [*_FAST, f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        given += [f"{name}={value}" for name, value in settings.items()]
        options = [word for setting in given for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_AS_POSTGRES, str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it at once, as a machine that fails would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=10)
            self.process = None

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


_AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
"""PostgreSQL refuses to be started by root."""


def _programs() -> Path:
    if _AS_POSTGRES and not any(user.pw_name == "postgres" for user in pwd.getpwall()):
        pytest.skip("PostgreSQL refuses to be run by root, and there is no user postgres: apt-get install postgresql")
    for place in _PLACES:
        found = sorted(Path("/").glob(f"{place.lstrip('/')}/initdb")) if place else []
        if found:
            return found[-1].parent
    pytest.skip("there is no PostgreSQL here: apt-get install postgresql")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new cluster, which does not run yet."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: make servers")
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="lab-pg-", dir="/tmp"))  # A path of a socket must be short.
    made = Cluster(programs, folder, free_port())
    try:
        (folder / "password").write_text("s@cret")
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(folder / "password", "postgres", "postgres")
        words = ["--username=lab", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", "--locale=C"]
        command = [*_AS_POSTGRES, str(programs / "initdb"), "-D", str(folder / "data"), "--encoding=UTF8", *words]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=60)
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL that runs as long as the tests do."""
    with cluster() as made:
        made.start()
        yield made
