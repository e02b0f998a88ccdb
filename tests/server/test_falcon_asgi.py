"""The application under test, its settings included, without a server around it."""

import os

import falcon
import pytest
from falcon.testing import TestClient

from server.apps.falcon_asgi import create_app
from server.payloads import body
from server.settings import Settings


@pytest.fixture
def client() -> TestClient:
    """Talks to an application with the default sizes."""
    return TestClient(create_app(Settings()))


@pytest.mark.parametrize(("page", "size_bytes"), [("1", 100), ("200", 204_800)])
def test_a_page_answers_its_bytes(client: TestClient, page: str, size_bytes: int) -> None:
    """Both endpoints answer the agreed bytes, with their length and a fixed content type."""
    answer = client.simulate_get(f"/hello?page={page}")
    assert answer.status_code == 200
    assert answer.content == body(size_bytes)
    assert answer.headers["content-length"] == str(size_bytes)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "content-encoding" not in answer.headers


def test_the_sizes_are_settings() -> None:
    """Other sizes give other bodies, an empty one among them."""
    client = TestClient(create_app(Settings(status_bytes=0, bulk_bytes=12_345)))
    answers = [client.simulate_get(f"/hello?page={page}") for page in ("1", "200")]
    assert [answer.content for answer in answers] == [b"", body(12_345)]
    assert [answer.headers["content-length"] for answer in answers] == ["0", "12345"]


def test_a_worker_process_reads_its_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An application that is given no settings has those of the process that started it."""
    for name, value in Settings(status_bytes=7, bulk_bytes=8).to_environment().items():
        monkeypatch.setenv(name, value)
    assert TestClient(create_app()).simulate_get("/hello?page=1").content == body(7)


@pytest.mark.parametrize("query", ["", "?page=2", "?page=", "?page=0200", "?side=1"])
def test_any_other_page_is_a_clear_404(client: TestClient, query: str) -> None:
    """Who asks for a page that is not there is told which are."""
    answer = client.simulate_get(f"/hello{query}")
    assert answer.status_code == 404
    assert answer.json == {
        "title": "No such page",
        "description": "/hello has ?page=1 (100 bytes) and ?page=200 (204800 bytes).",
    }


def test_further_parameters_do_no_harm(client: TestClient) -> None:
    """A device that adds its serial number gets its answer all the same."""
    assert client.simulate_get("/hello?serial=7&page=1").content == body(100)


def test_health_counts_what_came_to_hello(client: TestClient) -> None:
    """A worker counts answers and refusals of /hello, but not those who ask how many there were."""
    for path in ("/hello?page=1", "/hello?page=200", "/hello?page=3", "/health", "/elsewhere"):
        client.simulate_get(path)
    answer = client.simulate_get("/health")
    assert answer.json == {
        "pid": os.getpid(),
        "framework": "falcon",
        "version": falcon.__version__,
        "served": 3,
    }
    assert answer.headers["cache-control"] == "no-store"


def test_two_applications_count_apart() -> None:
    """A request to one leaves the other at 0, since no state belongs to the module."""
    first, second = (TestClient(create_app(Settings())) for _ in range(2))
    first.simulate_get("/hello?page=1")
    assert second.simulate_get("/health").json["served"] == 0


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    """A device polls, it does nothing else."""
    assert client.simulate_request(method, "/hello?page=1").status_code == 405


def test_settings_survive_the_environment() -> None:
    """What one process writes the other reads."""
    settings = Settings(status_bytes=0, bulk_bytes=1 << 30)
    assert Settings.from_environment(settings.to_environment()) == settings
    assert Settings.from_environment({}) == Settings(status_bytes=100, bulk_bytes=204_800)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1.5", "many", " 5", "٣"])
def test_a_wrong_variable_is_named(text: str) -> None:
    """A worker that cannot read its settings says which one."""
    with pytest.raises(ValueError, match=r"LAB_BULK_BYTES=.*whole number"):
        Settings.from_environment({"LAB_BULK_BYTES": text})


def test_a_negative_size_is_named() -> None:
    """Settings that make no sense cannot be made."""
    with pytest.raises(ValueError, match="status_bytes=-1"):
        Settings(status_bytes=-1)
