"""The telemetry target against the telemetry application, without a network: what ships fits together."""

from collections import Counter
from typing import Any

import pytest
from falcon.testing import TestClient

from experiments.target import loading
from experiments.target.answers.answer import Answer
from experiments.target.poller import Poller
from experiments.target.swarm import prepare
from server.apps.telemetry_asgi import Settings, create_app


class Standing:
    """A clock that stands still, so that a bucket of requests does not fill."""

    def __call__(self) -> float:
        return 0.0


def ask(client: TestClient, poller: Poller, round_: int, **changed: str) -> Answer:
    """Sends one request of a device to the application."""
    method, path, headers, body = poller.parts(round_)
    came = client.simulate_request(method, path, headers=dict(headers) | changed, body=body or None)
    names = [(name.encode(), value.encode()) for name, value in came.headers.items()]
    return Answer(came.status_code, came.content, names)


def fleet(settings: Settings, clients: int = 5) -> tuple[TestClient, list[tuple[Poller, ...]]]:
    """The application, and the devices of the target that ships."""
    app = create_app(settings, clock=Standing())
    swarm = prepare(loading.load("telemetry", environ={}), clients=clients, seed=1, host="h", environ={})
    return TestClient(app), [swarm.device(client) for client in range(clients)]


def test_every_device_is_answered_rightly_round_after_round() -> None:
    """Status always whole; the configuration once, and 304 from then on."""
    client, devices = fleet(Settings())
    statuses: Counter[Any] = Counter()
    for round_ in (1, 2, 3):
        for device in devices:
            for poller in device:
                came = ask(client, poller, round_)
                assert poller.check(came, round_) is None, came.body
                statuses[poller.kind.name, came.status] += 1
    assert statuses == {("status", 200): 15, ("config", 200): 5, ("config", 304): 10}


@pytest.mark.parametrize(
    ("settings", "changed", "endpoint", "failure"),
    [
        (Settings(next_poll_ms=5000), {}, 0, "json.next_poll_ms"),
        (Settings(token="another"), {}, 0, "status"),
        (Settings(burst=0, per_s=0.1), {}, 0, "status"),
        (Settings(), {"Authorization": "Bearer demo-dev-00002"}, 1, "status"),
        (Settings(), {"Content-Type": "text/plain"}, 0, "status"),
    ],
)
def test_what_the_application_does_wrong_is_seen(
    settings: Settings, changed: dict[str, str], endpoint: int, failure: str
) -> None:
    """Another answer, another token, a limit that is reached: each is a wrong answer, by its name."""
    client, devices = fleet(settings)
    poller = devices[0][endpoint]
    came = ask(client, poller, 1, **changed)
    assert poller.check(came, 1) == failure
    assert poller.explain(failure, came, 1).startswith(f"{failure}: expected ")
