"""Records that several tests of what people see look at, made up once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from experiments.present.pages.run import Page
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, failing, made_up, stalling

HOSTILE = "<script>alert(1)</script>"
"""What a server might send, hoping that the report runs it."""


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Half a minute of forty devices, with a stall and some failures."""
    server = stalling(at=5, lasting=2, server=failing(Outcome.RESET, every=25))
    return made_up(tmp_path_factory.mktemp("results"), SMALL, server=server)


@pytest.fixture(scope="session")
def page(record: Record) -> Page:
    """What is shown of that record."""
    return Page(record)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Five devices for five seconds: too few polls for most percentiles."""
    return Page(made_up(tmp_path_factory.mktemp("results"), Scenario(clients=5, minutes=5 / 60, warmup_s=1)))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A run that was interrupted before its window began to be worth anything."""
    scenario = Scenario(clients=5, minutes=5 / 60, warmup_s=1)
    return Page(made_up(tmp_path_factory.mktemp("results"), scenario, cut_short_at=0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty results folder."""
    return tmp_path


@pytest.fixture(autouse=True, scope="module")
def shell() -> Iterator[InteractiveShell]:
    """What `display` displays to, as in a kernel; it keeps no history."""
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield made
    InteractiveShell.clear_instance()
