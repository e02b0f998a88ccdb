"""nginx as a target: its configuration, its count, and what it answers."""

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.errors import ServerStartError
from experiments.studies.calibrate.cost import targets
from experiments.studies.calibrate.cost.load import BULK_BYTES, STATUS_BYTES
from experiments.studies.calibrate.cost.targets import Target, parse_nginx_count
from server import catalogue

STATUS = "Active connections: 1 \nserver accepts handled requests\n 7 7 1234 \nReading: 0 Writing: 1 Waiting: 0 \n"


def test_the_count_of_nginx_is_its_third_number() -> None:
    """Connections are no requests, and an answer of another kind is no count."""
    assert parse_nginx_count(STATUS) == 1234
    with pytest.raises(ServerStartError, match="404 Not Found"):
        parse_nginx_count("404 Not Found")


def test_without_nginx_the_target_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error gives the command, and nothing was started or written."""
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    with pytest.raises(ServerStartError, match="apt-get install nginx"), targets.nginx(tmp_path):
        raise AssertionError
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Target]:
    """One that runs."""
    if reason := targets.missing("nginx"):
        pytest.skip(reason)
    with targets.nginx(tmp_path) as target:
        yield target


def answer(url: str) -> bytes:
    """What a plain question brings."""
    with urllib.request.urlopen(url, timeout=10) as came:
        assert came.status == 200
        return bytes(came.read())


@pytest.mark.slow
def test_nginx_answers_what_falcon_answers(nginx: Target) -> None:
    """The same bytes at the same addresses, and nothing at others."""
    assert answer(nginx.url + catalogue.STATUS_PATH) == catalogue.body(STATUS_BYTES)
    assert answer(nginx.url + catalogue.BULK_PATH) == catalogue.body(BULK_BYTES)
    for path in ("/hello?page=2", "/hello", "/status", "/bulk", "/hello?page=../nginx.conf"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            answer(nginx.url + path)


@pytest.mark.slow
def test_the_count_leaves_out_who_asks_for_it(nginx: Target) -> None:
    """Asking how many polls were answered is no poll."""
    before = nginx.answered()
    for _ in range(3):
        answer(nginx.url + catalogue.STATUS_PATH)
    assert (nginx.answered() - before, nginx.answered() - before) == (3, 3)
