"""Before the load: one device asks once, over the very transport and checks that all devices will use.

A target, the address of a server that listens and the name of a user's transport in; what was asked, answered and not
right out. Sees what a device would see: authentication, TLS, a wrong length. Every question has a deadline.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from experiments.errors import ServerContractError
from experiments.measure.asker import Address, Asker, Lean, OfUser, made, request_of
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.target import contexts
from experiments.measure.rehearsal import rehearse
from experiments.parts import Load
from experiments.target.answers.answer import Answer
from experiments.target.answers.decoding import DecodingError
from experiments.target.loaded import Loaded
from experiments.target.masking import header
from experiments.target.poller import Poller
from experiments.target.swarm import Swarm, prepare
from experiments.target.tried import AnswerShown, Exchange, Tried

_MOST_SHOWN = 600
"""Letters of an answer's body that are shown."""
_MASKED_BEFORE_CUT = 1 << 16
_READY_S = 5.0
"""How long an answer to the question whether a server is ready may take."""


@dataclass(frozen=True)
class Precheck:
    """What one device asks before the load."""

    loaded: Loaded
    load: Load
    transport: str = ""
    """`module:name` of what makes a user's transport; empty for the lean one."""
    device: str = ""
    """`module:name` of a user's class of devices; empty for none."""

    async def ready(self, url: str, address: Address) -> str | None:
        """Why the server is not ready: `ready` is not answered as the target says, or its first endpoint not rightly."""
        wanted = self.loaded.target.ready
        within_s = min(self.load.timeout_s, _READY_S)
        if wanted is None:
            tried = await self.round(url, address, within_s=within_s, first_only=True)
            return " ".join(tried.faults) or None
        try:
            async with self._opened(url, address) as asked:
                request = request_of(url, address, "GET", wanted.path, [("Accept", "*/*")], b"", asked.marks)
                status = (await asyncio.wait_for(asked.ask(request), within_s)).status
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, it is not ready
            return f"GET {wanted.path}: {_said(error, within_s)}"
        allowed = " or ".join(map(str, wanted.status))
        return None if status in wanted.status else f"GET {wanted.path} was answered {status}, not {allowed}"

    async def round(
        self, url: str, address: Address, *, within_s: float | None = None, dns_s: float | None = None,
        first_only: bool = False,
    ) -> Tried:  # fmt: skip
        """Asks each endpoint once, as the first device will in its first round.

        Args:
            within_s: seconds for each answer; None: as long as the load waits.
            dns_s: how long it took to look the server's name up, if that was done.
            first_only: ask the first endpoint alone.
        """
        pollers = self._swarm(url).device(0)
        polled = [
            poller for poller, one in zip(pollers, self.loaded.target.endpoints.values(), strict=True) if one.share != 0
        ]
        polled = polled[:1] if first_only else polled
        limit_s = within_s or self.load.timeout_s
        async with self._opened(url, address) as asked:
            if self.device:
                ask = partial(_exchange, asked, url=url, address=address, within_s=limit_s)
                exchanges = await rehearse(self.device, pollers, polled, ask, limit_s, keep_alive=self.load.keep_alive)
            else:
                exchanges = [(await _exchange(asked, one, url=url, address=address, within_s=limit_s))[0] for one in polled]
        if exchanges and dns_s is not None:
            exchanges[0] = replace(exchanges[0], times_ms={**exchanges[0].times_ms, "dns": 1000 * dns_s})
        return Tried(self.loaded.name, url, tuple(exchanges))

    def refuse(self, tried: Tried) -> None:
        """Refuses a load whose answers are not right from the start.

        Raises:
            ServerContractError: what is not right, a sentence each.
        """
        if not tried.right:
            raise ServerContractError(
                f"{tried.url} does not answer what is to be measured. " + " ".join(_ended(one) for one in tried.faults)
            )

    def _swarm(self, url: str) -> Swarm:
        load = self.load
        host = urlsplit(url).netloc
        return prepare(self.loaded, clients=load.clients, seed=load.seed, host=host, keep_alive=load.keep_alive)

    def _context(self, url: str) -> ssl.SSLContext | None:
        """How the first device speaks to an https server."""
        if not url.startswith("https:"):
            return None
        return contexts(self.loaded).of(self._swarm(url).certificate(0))

    @asynccontextmanager
    async def _opened(self, url: str, address: Address) -> AsyncIterator[Asker]:
        if self.transport:
            asker: Asker = OfUser(made(self.transport))
        else:
            asker = Lean(LeanTransport(keep_alive=self.load.keep_alive, address=address, context=self._context(url)))
        try:
            with _unheard() if self.transport or self.device else nullcontext():
                yield asker
        finally:
            with suppress(Exception):  # A transport of the user's may fail to close, which loses nothing here.
                await asker.transport.aclose()


@contextmanager
def _unheard() -> Iterator[None]:
    """Lets a user's code find an empty standard input, as it does in a generator process."""
    before = sys.stdin
    with Path(os.devnull).open() as sys.stdin:
        try:
            yield
        finally:
            sys.stdin = before


async def _exchange(
    asked: Asker, poller: Poller, *, url: str, address: Address, within_s: float
) -> tuple[Exchange, Answer | None]:
    """One poll of the first round, judged as each of the load will be, and its answer."""
    shown = poller.shown(1)
    method, target, headers, body = poller.parts(1)
    asked.marks.clear()
    asked.done_at = asked.first_byte_at = 0.0
    begun = time.monotonic()
    name = poller.kind.name
    try:
        request = request_of(url, address, method, target, headers, body, asked.marks)
        if isinstance(asked, Lean):
            request.extensions["lean_wire"] = poller.wire(1)
        answer = await asyncio.wait_for(asked.ask(request), within_s)
    except Exception as error:  # noqa: BLE001 - whatever a transport raises is what there is to show
        why = f"there was no answer: {poller.masker.text(_said(error, within_s))}."
        return Exchange(name, shown, None, asked.times_ms(begun), "no answer", why), None
    failure = poller.check(answer, 1)
    explanation = poller.explain(failure, answer, 1) if failure else ""
    return Exchange(name, shown, _shown(answer, poller), asked.times_ms(begun), failure, explanation), answer


def _shown(answer: Answer, poller: Poller) -> AnswerShown:
    masker = poller.masker
    try:
        body = answer.decoded
        decoded: int | None = len(body)
    except DecodingError:
        body, decoded = answer.body, None
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    text = masker.text(body[:_MASKED_BEFORE_CUT].decode("utf-8", "backslashreplace"))
    return AnswerShown(
        answer.status,
        tuple((name, header(name, masker.text(value))) for name, value in headers),
        text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + " ...",
        answer.wire_bytes,
        decoded,
        zlib.crc32(answer.body),
    )


def _said(error: Exception, within_s: float) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"not within {within_s:g} s"
    # What is neither the network's nor the server's doing is a fault of a transport, and its kind says more than its words.
    text = str(error) if isinstance(error, httpx.HTTPError | OSError) else repr(error)
    return " ".join(text.split()) or type(error).__name__


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."
