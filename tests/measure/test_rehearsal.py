"""One device of a user's class before the load: what it asks is shown, and what would fail in every device is refused."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import GeneratorError
from experiments.measure.engines.aio.own_device import Device
from experiments.measure.rehearsal import rehearse
from experiments.target import loading
from experiments.target.answers.answer import Answer
from experiments.target.poller import Poller
from experiments.target.swarm import prepare
from experiments.target.tried import Exchange
from tests.measure.engines.aio import own_devices
from tests.measure.engines.aio.test_own_device import TARGET


def tried(tmp_path: Path, kind: type[Device], *, down: bool = False) -> list[Exchange]:
    """What the first device asked, of a server that refuses an old token."""
    loaded = loading.read(TARGET, tmp_path / "mine.yaml", environ={})
    pollers = prepare(loaded, clients=1, seed=1, host="lab.test", environ={}).device(0)

    async def ask(poller: Poller) -> tuple[Exchange, Answer | None]:
        shown = poller.shown(1)
        if down:
            return Exchange(poller.kind.name, shown, None, {}, "no answer", "there was no answer."), None
        token = dict(poller.parts(1).headers).get("Authorization", dict(poller.parts(1).headers).get("authorization", ""))
        media = {"token": "t-hush"} if poller.kind.name == "login" else {"round": 1}
        answer = Answer(401 if token.endswith("old") else 200, json.dumps(media).encode())
        failure = poller.check(answer, 1)
        return Exchange(poller.kind.name, shown, None, {}, failure, "why" if failure else ""), answer

    name = f"{kind.__module__}:{kind.__name__}"
    return asyncio.run(rehearse(name, pollers, pollers[1:], ask, 0.05, keep_alive=True))


def test_a_login_is_seen_and_its_token_is_not(tmp_path: Path) -> None:
    """The last request to each endpoint is told, with what the class put in place of the target's."""
    status, login = tried(tmp_path, own_devices.Sensor)
    assert (login.endpoint, login.request.target, login.request.body) == ("login", "/more/1", '{"device":"dev-0"}')
    assert (status.endpoint, status.failure) == ("status", None)
    assert dict(status.request.headers)["Authorization"] == "Bearer ***"
    assert "t-hush" not in str((status, login))


def test_what_a_class_gets_over_refuses_no_load(tmp_path: Path) -> None:
    """An answer that it expected to be wrong counts as little as in the load."""
    assert [one.failure for one in tried(tmp_path, own_devices.Renewing)] == [None, None]


def test_a_server_that_does_not_answer_is_no_fault_of_the_class(tmp_path: Path) -> None:
    """It is told as what it is."""
    (login,) = tried(tmp_path, own_devices.Sensor, down=True)
    assert (login.endpoint, login.failure) == ("login", "no answer")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (own_devices.Idle, r"failed in poll\('status'\) for device 0 \(RuntimeError.*asked nothing"),
        (own_devices.Hasty, r"failed in poll\('status'\) for device 0 \(ValueError.*sets_next_poll"),
        (own_devices.Unmade, "failed when it was made as device 0"),
    ],
)
def test_a_class_that_fails_with_right_answers_is_refused(tmp_path: Path, kind: Any, said: str) -> None:
    """By a sentence that names the step."""
    with pytest.raises(GeneratorError, match=said):
        tried(tmp_path, kind)
