"""A plan, played through against a program: which polls there are and how each of them ends.

Scenario and program -> polls, by arithmetic alone. Devices live as `design` says (one connection, one poll at a time, the
second of a round due when the first ended), the network takes no time, and nothing is late unless `Delays` says so. Knows
neither the engine nor the record that it is compared with. All times are seconds from the start of the measured window.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Generator
from dataclasses import dataclass, field

import polars as pl

from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from experiments.schedule import Endpoint, on_tick
from server.catalogue import programs

CHECKED_EVERY = 64
"""A device compares the bytes of what it is answered in its first round, and where round + client is a multiple of this."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """What a real machine adds."""

    lag_s: float = 0.0
    """From a poll being ready to its being sent, now and then: what comes after is not delayed by it."""
    network_s: float = 0.0
    """Added to the time of every poll that got an answer or the end of its connection, so that a device which waits an
    interval after each drifts from the plan."""
    clock_s: float = 0.0
    """By how much the program begins later than its first poll is due."""
    noticed_s: float = 0.010
    """From the end of a timeout until it is noticed: the engines look every 20 ms."""


@dataclass(frozen=True)
class Poll:
    """One planned poll; a time that never came is None."""

    client: int
    round: int
    endpoint: Endpoint
    first_due_s: float
    """When the first poll of its round was due: where this is below zero, the poll belongs to the warm-up."""
    due_s: float
    sent_s: float | None
    done_s: float
    outcome: Outcome


@dataclass
class _Connection:
    """A device's connection, as the server knows it."""

    opened_s: float = math.nan
    """When it was made; NaN while there is none."""
    free_s: float = math.nan
    """End of the last answer on it."""
    asked: int = 0

    @property
    def open(self) -> bool:
        return not math.isnan(self.opened_s)

    def close(self) -> None:
        self.opened_s = math.nan


@dataclass
class Replay:
    """One playing-through; `run` gives the polls."""

    scenario: Scenario
    program: programs.Program
    delays: Delays = Delays()
    connects: int = 0
    """Connections made, warm-up included, as run.json counts them."""
    checksums: int = 0
    """Complete answers whose bytes were compared, warm-up included."""
    _held: int = 0
    _polls: list[Poll] = field(default_factory=list)

    def run(self) -> list[Poll]:
        """Lives all devices' lives, in the order of time, since a stall releases polls in the order in which they came."""
        plan = self.scenario.plan
        self._begin_s = min(plan.first_due(client, plan.clocks[0]) for client in range(plan.clients)) + self.delays.clock_s
        waiting = [(-math.inf, client, self._live(client)) for client in range(plan.clients)]
        while waiting:
            _, client, life = heapq.heappop(waiting)
            if (sends_at := next(life, None)) is not None:
                heapq.heappush(waiting, (sends_at, client, life))
        return self._polls

    def _live(self, client: int) -> Generator[float, None, None]:
        """A device's life; yields the instant of each poll that it sends, to be resumed when that is the next of all."""
        plan, close_s, connection = self.scenario.plan, self.scenario.window_s, _Connection()
        (clock,) = plan.clocks  # Of the article's two endpoints.
        due, free, round_ = plan.due(client, clock, 1), -math.inf, 0
        while due < close_s:
            round_ += 1
            first_due, complete = due, True
            polled = plan.named(client, clock, round_)
            for endpoint in polled:
                sent = max(due, free) + self.delays.lag_s
                begun = endpoint != polled[0] and complete
                # A round that was begun is finished, also when the window closes meanwhile.
                if sent >= close_s and not begun:
                    self._polls.append(self._unsent(client, round_, endpoint, first_due, free))
                    complete = False
                    continue
                yield sent
                checked = round_ == 1 or (round_ + client) % CHECKED_EVERY == 0
                done, outcome = self._ask(connection, sent, checked=checked)
                self._polls.append(Poll(client, round_, endpoint, first_due, due, sent, done, outcome))
                free = due = done
            if plan.pacing == "fixed":
                due = plan.due(client, clock, round_ + 1)
            elif complete:
                due = on_tick(free + plan.interval_s)
            else:
                return

    def _unsent(self, client: int, round_: int, endpoint: Endpoint, first_due: float, free: float) -> Poll:
        close_s = self.scenario.window_s
        busy = first_due < free or free >= close_s
        outcome = Outcome.UNSENT_BUSY if busy else Outcome.UNSENT_LATE
        return Poll(client, round_, endpoint, first_due, first_due, None, close_s, outcome)

    def _ask(self, connection: _Connection, sent: float, *, checked: bool) -> tuple[float, Outcome]:
        """What becomes of a poll: when it ends, and how."""
        at_s = sent - self._begin_s
        episode = self.program.episode(at_s)
        if self._was_closed(connection, at_s):
            connection.close()
        if not connection.open:
            if episode is not None and episode.kind == "refuse":
                return sent + self.delays.network_s - self.delays.lag_s, Outcome.CONNECT_REFUSED
            connection.opened_s, connection.asked = at_s, 0
            self.connects += 1
        connection.asked += 1
        answer = self.program.answer(connection.asked, at_s)
        done = sent + self._held_s(at_s) + answer.took_s + self.delays.network_s - self.delays.lag_s
        timeout_s = self.scenario.timeout_s
        if done - sent > timeout_s:
            connection.close()
            return sent + timeout_s + self.delays.noticed_s - self.delays.lag_s, Outcome.READ_TIMEOUT
        connection.free_s = done - self._begin_s
        if answer.cut or not self.scenario.keep_alive:
            connection.close()
        if answer.cut:
            return done, Outcome.RESET if answer.cut == "reset" else Outcome.CLOSED
        self.checksums += checked
        if answer.status != 200:
            return done, Outcome.HTTP_ERROR
        wrong = answer.body == "short" or (answer.body == "altered" and checked)
        return done, Outcome.WRONG_BODY if wrong else Outcome.OK

    def _was_closed(self, connection: _Connection, at_s: float) -> bool:
        """Whether the server has closed the connection since it was last used."""
        idle_s = self.program.idle_close_s
        if idle_s is not None and at_s - connection.free_s > idle_s:
            return True
        refusals = [episode for episode in self.program.episodes if episode.kind == "refuse"]
        return any(connection.opened_s < episode.start_s <= at_s for episode in refusals)

    def _held_s(self, at_s: float) -> float:
        """How long a stall holds a poll back."""
        episode = self.program.episode(at_s)
        if episode is None or episode.kind != "stall":
            self._held = 0
            return 0.0
        self._held += 1
        return episode.end_s - at_s + (self._held - 1) * programs.RELEASE_GAP_S


def table(polls: list[Poll]) -> pl.DataFrame:
    """The polls of the measured window, by client and time.

    Returns:
        frame(client, round, endpoint, due_s, sent_s, done_s, outcome, response_s, latency_s)
    """
    measured = sorted((poll for poll in polls if poll.first_due_s >= 0), key=lambda poll: (poll.client, poll.round))
    columns = {
        "client": pl.Series([poll.client for poll in measured], dtype=pl.UInt32),
        "round": pl.Series([poll.round for poll in measured], dtype=pl.UInt32),
        "endpoint": pl.Series([poll.endpoint for poll in measured], dtype=pl.String),
        "due_s": pl.Series([poll.due_s for poll in measured], dtype=pl.Float64),
        "sent_s": pl.Series([poll.sent_s for poll in measured], dtype=pl.Float64),
        "done_s": pl.Series([poll.done_s for poll in measured], dtype=pl.Float64),
        "outcome": pl.Series([poll.outcome.label for poll in measured], dtype=pl.String),
    }
    return pl.DataFrame(columns).with_columns(
        response_s=pl.col("done_s") - pl.col("due_s"), latency_s=pl.col("done_s") - pl.col("sent_s")
    )
