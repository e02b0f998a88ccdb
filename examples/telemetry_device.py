"""A device that logs in, reports its status, and comes back when the server says so: `lab.run(scenario, device=Sensor)`.

Its target is `telemetry_device.yaml`. Start Python in the folder above, so that generator processes can import this module.
"""

import experiments as lab


class Sensor(lab.Device):
    """One sensor of the telemetry API."""

    sets_next_poll = True

    async def login(self) -> None:
        """At the beginning of the first poll; what is remembered here is each device's own."""
        answer = await self.ask("login")
        self.headers["Authorization"] = f"Bearer {answer.json['token']}"

    async def poll(self, endpoint: str) -> float:
        """Seconds until the next one."""
        try:
            answer = await self.ask(endpoint)
        except lab.AnswerError as wrong:
            if wrong.answer.status != 401:
                raise
            await self.login()  # The session is over.
            answer = await self.ask(endpoint)
        return float(answer.json["next_poll_ms"]) / 1000
