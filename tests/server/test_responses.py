"""What all applications have in common: bodies by page, and a count that threads cannot spoil."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.payloads import body
from server.responses import Pages
from server.settings import Settings


@pytest.fixture
def hasty() -> Iterator[None]:
    """Has threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_every_question_counts_and_looking_does_not() -> None:
    """A page that is not there counts as one that is; whoever reads the count does not change it."""
    pages = Pages(Settings(status_bytes=1, bulk_bytes=2))
    assert pages.served == 0
    assert [pages.find(page) for page in ("1", "200", "3", "")] == [body(1), body(2), None, None]
    assert [pages.served, pages.health("framework", "1")["served"], pages.served] == [4, 4, 4]


@pytest.mark.usefixtures("hasty")
def test_threads_lose_no_count() -> None:
    """What eight threads ask for together is counted whole, while others look."""
    pages = Pages(Settings())

    def ask(number: int) -> None:
        for _ in range(500):
            pages.find("1")
            assert pages.served > 0

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert pages.served == 4000
