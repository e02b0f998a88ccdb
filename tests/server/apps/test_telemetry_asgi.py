"""The telemetry application, without a server around it."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from server.apps.telemetry_asgi import Settings, create_app

STATUS = {"device": "dev-1", "temp": 21.5, "round": 7}


class Clock:
    """A clock that stands still unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def post(client: TestClient, body: Any = STATUS, token: str = "demo-dev-1") -> Result:
    """Reports a status."""
    return client.simulate_post("/api/v1/status", json=body, headers={"Authorization": f"Bearer {token}"})


def config(client: TestClient, device: str = "dev-1", **headers: str) -> Result:
    """Fetches a configuration."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.simulate_get(f"/api/v1/config/{device}", headers={"Authorization": f"Bearer demo-{device}"} | named)


def test_a_status_is_kept_and_the_device_is_told_when_to_report_next(tmp_path: Path) -> None:
    """Two reports of one device leave one row, with what it said last."""
    path = tmp_path / "rows.db"
    client = TestClient(create_app(Settings(database=str(path), next_poll_ms=1500)))
    answers = [post(client, STATUS | {"round": round_}) for round_ in (1, 2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == {"device": "dev-1", "next_poll_ms": 1500}
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT device, temp, round FROM status").fetchall() == [("dev-1", 21.5, 2)]
    database.close()


def test_who_logs_in_with_its_token_gets_one_for_the_session() -> None:
    """Every worker knows it, it is good for that device alone, and nobody gets one for another token."""
    client, other_worker = TestClient(create_app(Settings())), TestClient(create_app(Settings()))
    asked = {"device": "dev-1", "key": "demo-dev-1"}
    token = client.simulate_post("/api/v1/login", json=asked).json["token"]
    assert token != "demo-dev-1"
    assert post(other_worker, token=token).status_code == 200
    assert post(other_worker, STATUS | {"device": "dev-2"}, token).status_code == 401
    for wrong in ({}, [], asked | {"key": "demo-dev-2"}, asked | {"device": "dev-2"}, asked | {"key": 5}):
        assert client.simulate_post("/api/v1/login", json=wrong).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"device": ""}, "device"),
        ({"device": 5}, "device"),
        ({"temp": "warm"}, "temp"),
        ({"temp": True}, "temp"),
        ({"temp": 1000}, "temp"),
        ({"round": 1.5}, "round"),
        ({"round": -1}, "round"),
    ],
)
def test_a_status_that_is_wrong_is_refused_with_the_reason(change: dict[str, Any], field: str) -> None:
    """422, and the field that is wrong by name."""
    client = TestClient(create_app(Settings()))
    answer = post(client, STATUS | change)
    assert answer.status_code == 422
    assert answer.json["description"].startswith(field)


@pytest.mark.parametrize("body", [[], "text", 5])
def test_a_status_that_is_no_object_is_refused(body: Any) -> None:
    """422 for JSON of another kind."""
    client = TestClient(create_app(Settings()))
    assert post(client, body).status_code == 422


def test_what_is_no_json_is_refused() -> None:
    """A body that breaks off is answered with 400, by Falcon itself."""
    client = TestClient(create_app(Settings()))
    headers = {"Authorization": "Bearer demo-dev-1", "Content-Type": "application/json"}
    assert client.simulate_post("/api/v1/status", body="{", headers=headers).status_code == 400


def test_a_device_speaks_for_itself_only() -> None:
    """Another device's token, none, and another scheme are 401 on both routes."""
    client = TestClient(create_app(Settings()))
    assert post(client, token="demo-dev-2").status_code == 401
    assert client.simulate_post("/api/v1/status", json=STATUS).status_code == 401
    basic = client.simulate_post("/api/v1/status", json=STATUS, headers={"Authorization": "Basic demo-dev-1"})
    assert basic.status_code == 401
    refused = client.simulate_get("/api/v1/config/dev-1", headers={"Authorization": "Bearer demo-dev-2"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_tokens_may_be_shared_or_listed(tmp_path: Path) -> None:
    """One token for all, or a file with one for each; an unknown device has none."""
    client = TestClient(create_app(Settings(token="fleet")))
    assert [post(client, token=token).status_code for token in ("fleet", "demo-dev-1")] == [200, 401]
    table = tmp_path / "devices.csv"
    table.write_text("id,token\ndev-1,one\n")
    client = TestClient(create_app(Settings(tokens=str(table))))
    assert [post(client, token=token).status_code for token in ("one", "demo-dev-1")] == [200, 401]
    assert post(client, STATUS | {"device": "dev-9"}, token="").status_code == 401


def test_a_configuration_is_some_200_kb_and_zipped_where_that_is_accepted() -> None:
    """The same JSON either way, each form with an ETag of its own."""
    client = TestClient(create_app(Settings()))
    plain, zipped = config(client), config(client, Accept_Encoding="br, gzip")
    refused = config(client, Accept_Encoding="gzip;q=0")
    assert 195_000 <= len(plain.content) <= 210_000
    assert gzip.decompress(zipped.content) == plain.content == refused.content
    assert len(zipped.content) < 40_000
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != zipped.headers["etag"]
    assert len(json.loads(plain.content)["rules"]) == 1960


def test_a_configuration_that_is_known_is_not_sent_again() -> None:
    """304 without a body for its own ETag, the whole answer for another."""
    client = TestClient(create_app(Settings()))
    etag = config(client, Accept_Encoding="gzip").headers["etag"]
    known = config(client, Accept_Encoding="gzip", If_None_Match=etag)
    other = config(client, If_None_Match=etag)
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200


def test_devices_of_different_models_have_different_configurations() -> None:
    """Eight devices in a row are told the configurations of all four models."""
    client = TestClient(create_app(Settings()))
    models = {config(client, f"dev-{number}").json["model"] for number in range(8)}
    assert models == {0, 1, 2, 3}


def test_a_device_that_asks_too_often_is_told_how_long_to_wait() -> None:
    """429 with Retry-After once the bucket is empty; it fills with time, and others are not touched."""
    clock = Clock()
    client = TestClient(create_app(Settings(burst=2, per_s=0.4), clock=clock))
    assert [post(client).status_code for _ in range(3)] == [200, 200, 429]
    refused = post(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert post(client, STATUS | {"device": "dev-2"}, token="demo-dev-2").status_code == 200
    clock.now = 2.5
    assert [post(client).status_code for _ in range(2)] == [200, 429]


def test_health_needs_no_token_and_counts_what_was_asked() -> None:
    """Requests to the API are in `served`, and the look at /health itself is not."""
    client = TestClient(create_app(Settings()))
    post(client)
    config(client)
    answer = client.simulate_get("/health")
    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert answer.json["served"] == 2


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process is told by variables."""
    monkeypatch.setenv("TELEMETRY_TOKEN", "fleet")
    monkeypatch.setenv("TELEMETRY_NEXT_POLL_MS", "500")
    client = TestClient(create_app())
    assert post(client, token="fleet").json["next_poll_ms"] == 500
