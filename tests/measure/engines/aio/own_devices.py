"""Devices as users write them; at the top level, so that generators can import them."""

import asyncio
from typing import Any

import experiments as lab


class Plain(lab.Device):
    """Asks what the target says."""


class Sensor(lab.Device):
    """Logs in, remembers its token, and goes on with what it was told."""

    async def login(self) -> None:
        answer = await self.ask("login", json={"device": self.id})
        self.headers["Authorization"] = f"Bearer {answer.json['token']}"

    async def poll(self, endpoint: str) -> None:
        first = await self.ask(endpoint)
        await self.ask("login", path=f"/more/{first.json['round']}", json={"device": self.id})


class Renewing(Sensor):
    """Logs in again where its session is over."""

    async def poll(self, endpoint: str) -> None:
        try:
            await self.ask(endpoint, headers={"authorization": "Bearer old"})
        except lab.AnswerError as wrong:
            if wrong.answer.status != 401:
                raise
            await self.ask(endpoint)


class Paced(lab.Device):
    """Comes back twice as often as the plan has it."""

    sets_next_poll = True

    async def poll(self, endpoint: str) -> float:
        await self.ask(endpoint)
        return 0.05


class Hasty(Paced):
    """Says when the next poll is due, without having said that it would."""

    sets_next_poll = False


class Idle(lab.Device):
    """Asks nothing."""

    async def poll(self, endpoint: str) -> None:
        pass


class Broken(lab.Device):
    """Has a fault of its own in every poll that is not its first."""

    async def poll(self, endpoint: str) -> None:
        await self.ask(endpoint)
        if self.round > 1:
            raise KeyError("firmware")


class Unmade(lab.Device):
    """Cannot be made."""

    def __init__(self) -> None:
        raise RuntimeError("no serial number")


class Stubborn(lab.Device):
    """Does not end when its time is over."""

    async def poll(self, endpoint: str) -> None:
        await self.ask(endpoint)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return


class Twofold(lab.Device):
    """Asks two things at once."""

    async def poll(self, endpoint: str) -> None:
        await asyncio.gather(self.ask(endpoint), self.ask(endpoint))


class Blocking(lab.Device):
    """Its poll is no coroutine."""

    def poll(self, endpoint: str) -> Any:
        """Asks nothing."""


NOT_ONE = 5
