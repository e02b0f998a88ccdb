"""The users that Locust is given: each polls by the clock, at a random instant of the interval or in step with all others.

Locust loads this file itself; it knows nothing of the lab but the environment variables that its entry sets.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

from locust import FastHttpUser, HttpUser, constant_pacing, task

PATH = os.environ["LAB_PATH"]
INTERVAL_S = float(os.environ["LAB_INTERVAL_S"])
TIMEOUT_S = float(os.environ["LAB_TIMEOUT_S"])
SIZE = int(os.environ["LAB_BYTES"])


def begin() -> None:
    """Locust lets all users go at once: a random phase has to be waited for."""
    if os.environ["LAB_PHASE"] == "random":
        time.sleep(random.random() * INTERVAL_S)  # of this user alone: Locust has gevent's sleep in its place


def poll(client: Any, **options: Any) -> None:
    with client.get(PATH, catch_response=True, **options) as answer:
        if len(answer.content or b"") != SIZE:
            answer.failure("wrong length")


class FastPoller(FastHttpUser):
    wait_time = constant_pacing(INTERVAL_S)
    connection_timeout = network_timeout = TIMEOUT_S

    def on_start(self) -> None:
        begin()

    @task
    def status(self) -> None:
        poll(self.client)


class HttpPoller(HttpUser):
    wait_time = constant_pacing(INTERVAL_S)

    def on_start(self) -> None:
        begin()

    @task
    def status(self) -> None:
        poll(self.client, timeout=TIMEOUT_S)
