"""What the author's client counts in Redis, poll by poll, as his script did.

The rows are the truth and Redis is a witness: where it goes away, the run goes on, and the record says what was not counted.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from experiments.record.schema import Outcome

if TYPE_CHECKING:
    import redis

_WAIT_S = 2.0
"""How long one word with Redis may take, before it counts as gone."""
_CONNECTIONS = 2000
"""Most at once: one for every thread, as in the author's days; today's client has a limit of 100, and fails beyond it."""


@dataclass(frozen=True)
class RedisCounters:
    """Where polls are counted. Plain data, so that it travels to a generator; may hold a password: never recorded."""

    url: str
    key: str
    """A hash: "<endpoint> <outcome>" -> how many polls, warm-up included."""


def connect(url: str) -> redis.Redis:
    """A client that many threads may use; nothing is asked yet.

    Raises:
        ModuleNotFoundError: the package `redis` is not installed.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # As with redis-cli: a password that is not in the URL is in the environment.
    secret = {} if urlsplit(url).password else {"password": os.environ.get("REDISCLI_AUTH") or None}
    # Asked again, a poll might be counted twice.
    retry = Retry(NoBackoff(), 0)
    waits: dict[str, Any] = {"socket_timeout": _WAIT_S, "socket_connect_timeout": _WAIT_S}
    if url.startswith("unix:"):
        del waits["socket_connect_timeout"]
    return redis.Redis.from_url(url, max_connections=_CONNECTIONS, decode_responses=True, retry=retry, **waits, **secret)


class RedisCounter:
    """Counts the polls of one shard; safe to use from many threads.

    Args:
        redis_counters: where; None to count nowhere.
        endpoints: the names of what is polled.
    """

    def __init__(self, redis_counters: RedisCounters | None, endpoints: tuple[str, ...]) -> None:
        self._endpoints = endpoints
        self._key = redis_counters.key if redis_counters else ""
        self._client = connect(redis_counters.url) if redis_counters else None
        self._lock = threading.Lock()
        self.lost = 0
        """Polls that Redis did not take, or did not say that it took."""
        self.error: str | None = None
        """Why, if so."""

    def count(self, number: int, outcome: Outcome) -> None:
        """Counts a poll that has ended. Once Redis has failed, nothing more is asked of it."""
        if self._client is None:
            return
        if self.error is None:
            try:
                self._client.hincrby(self._key, f"{self._endpoints[number]} {outcome.label}", 1)
            except Exception as error:  # noqa: BLE001 - a fault of the witness must not become one of the run
                with self._lock:
                    self.error = self.error or reason(error)
                    self.lost += 1
            return
        with self._lock:
            self.lost += 1

    def close(self) -> None:
        """Ends all connections."""
        if self._client is not None:
            self._client.close()

    @property
    def facts(self) -> dict[str, Any]:
        """What stands in run.json under this generator."""
        return {"redis_lost": self.lost, "redis_error": self.error} if self._client is not None else {}


def reason(error: Exception) -> str:
    """In one line, without more than Redis's own words."""
    return " ".join(str(error).split())[:200] or type(error).__name__
