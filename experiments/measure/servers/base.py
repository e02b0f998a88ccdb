"""What can be asked of a server, whoever runs it: whether it answers what is to be measured, and how much it has served.

A URL in; headers, checksums and the requests served by each worker out. All waiting is bounded, on the monotonic clock.
Works on a loop that is nested in a notebook's: questions are asked in threads.
"""

from __future__ import annotations

import asyncio
import http.client
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping

from experiments.errors import ServerContractError
from experiments.measure.processes.guarded import POLL_S
from experiments.measure.servers.probe import TEXT_CHARACTERS, Answer, Health, ask, ask_workers, reason
from experiments.record.schema import ENDPOINTS
from server import catalogue

_ASK_S = 1.0
"""How long workers may take to answer /health before other connections are tried."""
MOST_AT_ONCE = 16
"""Most connections opened together to ask for /health. The kernel shares connections out most unevenly among idle workers:
on 2 cores, asking one after the other took 26 to 1,326 questions to reach all of 8, and 16 at a time mostly 0.1 s."""
FIRST_AT_ONCE = 4
"""With how many to begin where nobody knows how many connections a server lets wait: 5 with Python's own, 10 with Django's.
More are tried once several workers have answered, and fewer if not all are taken at once."""
_PATHS = {"status": catalogue.STATUS_PATH, "bulk": catalogue.BULK_PATH}


class Server(ABC):
    """What can be asked of a server, whoever runs it."""

    def __init__(
        self, *, status_bytes: int, bulk_bytes: int, at_once: int, most_at_once: int, polled: Collection[str] = ENDPOINTS
    ) -> None:
        self._status_bytes = status_bytes
        self._bulk_bytes = bulk_bytes
        self._polled = polled
        """The endpoints that will be polled: a server need not have another."""
        self._at_once = at_once
        """Connections opened together to ask for /health."""
        self._most_at_once = most_at_once
        self._health_path: str | None = catalogue.HEALTH_PATH
        """Where workers say who they are and what they served; None where nobody would say so."""
        self._seen: set[int] = set()
        """Process ids of workers that ever answered it."""
        self._health: Health | None = None
        """What the first worker that answered said of itself."""
        self.at_once: int | None = None
        """The most requests that a worker had within its database work at once; None where none tells."""
        self.checksums = (0, 0)
        """CRC-32 of the right answers of A and B, once they are verified; 0 of one that is not polled."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Host in numbers and port: where questions are asked, and where devices are to connect."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Scheme, host and port."""

    async def verify(self, *, deadline_s: float = 10.0) -> dict[str, dict[str, str]]:
        """Asks each endpoint once that will be polled.

        Args:
            deadline_s: seconds for each answer as a whole.

        Returns:
            The headers of the answers, by endpoint; long values are cut.

        Raises:
            ServerContractError: an answer is not what is to be measured.
        """
        sizes = {"status": self._status_bytes, "bulk": self._bulk_bytes}
        headers, checksums = {}, {"status": 0, "bulk": 0}
        for endpoint in (name for name in ENDPOINTS if name in self._polled):
            headers[endpoint], checksums[endpoint] = await self._verify(_PATHS[endpoint], sizes[endpoint], deadline_s)
        self.checksums = checksums["status"], checksums["bulk"]
        return headers

    async def _verify(self, path: str, size_bytes: int, deadline_s: float) -> tuple[dict[str, str], int]:
        try:
            answer = await asyncio.to_thread(ask, self.url + path, deadline_s, size_bytes, address=self.address)
            fault = self._fault(answer, size_bytes)
        except (OSError, http.client.HTTPException) as error:
            fault = f"there was no HTTP answer within {deadline_s:g} s ({reason(error)})"
        if fault:
            raise ServerContractError(f"{self.url}{path} must answer 200 with {size_bytes} bytes, but {fault}.")
        headers = {name: value[:TEXT_CHARACTERS] for name, value in answer.headers.items()}
        return headers, zlib.crc32(answer.body)

    def _fault(self, answer: Answer, size_bytes: int) -> str | None:
        """What is wrong with an answer, after "but"."""
        encoding = answer.headers.get("content-encoding", "identity")
        length = answer.headers.get("content-length", str(size_bytes))
        if answer.status != 200:
            return f"the answer was {answer.status}"
        if encoding != "identity":
            return f"they came with Content-Encoding: {encoding[:TEXT_CHARACTERS]}"
        if length != str(size_bytes):
            return f"its Content-Length was {length[:TEXT_CHARACTERS]}"
        if len(answer.body) != size_bytes:
            return f"there came {'more' if len(answer.body) > size_bytes else len(answer.body)}"
        return None

    async def _served(self, enough: Callable[[Mapping[int, int | None], int], bool], deadline_s: float) -> dict[int, int]:
        """Asks on fresh connections until it is enough: told the answers, and how many in a row brought no new worker.

        At least once: where no worker is left, somebody else may have taken the port.
        """
        served: dict[int, int | None] = {}
        quiet = 0
        deadline = time.monotonic() + deadline_s
        while (left_s := deadline - time.monotonic()) > 0:
            for health in await self._ask_workers(left_s):
                quiet = quiet + 1 if health.pid in served else 0
                served[health.pid] = health.served
            if enough(served, quiet):
                break
        return {pid: count for pid, count in served.items() if count is not None}

    async def _ask_workers(self, left_s: float) -> list[Health]:
        """What those workers say of themselves that the connections came to; nothing, after a pause, if none answers."""
        if self._health_path is None:
            return []
        at_once, within_s, path = self._at_once, min(_ASK_S, left_s), self._health_path
        healths, crowded = await asyncio.to_thread(ask_workers, self.url, self.address, at_once, within_s, path)
        self._seen |= {health.pid for health in healths}
        if crowded:
            self._at_once = self._most_at_once = max(1, self._at_once // 2)
        elif len(self._seen) > 1:
            self._at_once = min(2 * self._at_once, self._most_at_once)
        if not healths:
            await asyncio.sleep(POLL_S)
        self._health = self._health or next(iter(healths), None)
        told = [health.at_once for health in healths if health.at_once is not None]
        self.at_once = max([*told, self.at_once or 0]) if told else self.at_once
        return healths
