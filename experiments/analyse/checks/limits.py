"""The limits of the verdict: each with its reason, and with the measurement that it rests on.

Figure -> status. "Seen" are runs of 8 s on two cores that others used too (up to 0.95 cores, up to 7.4 % stolen), as
`experiments.studies.calibrate.limits` reads them out; the report of `make calibrate` shows those of your machine. On the
same machine when quiet, 20 of 20 positive controls were valid: 0 % unsent, lag p50 0.10 and p99 0.57 ms, a load of 0.24, a
stall of 3.6 ms at most. What is not graded has no limit: a count that is not exactly right is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from experiments.analyse.checks.evidence import Status


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Up to where a figure is valid, and up to where it may be suspect."""

    valid_to: float
    suspect_to: float = math.inf
    """Infinite for a figure that never makes a run invalid."""
    why: str
    seen: str = ""
    source: str = ""

    def grade(self, figure: float) -> Status:
        """Valid up to one limit, suspect up to the other, invalid beyond."""
        return "valid" if figure <= self.valid_to else "suspect" if figure <= self.suspect_to else "invalid"

    def said(self, form: Callable[[float], str]) -> str:
        """The limit in words; `form` gives a figure its unit."""
        return f"up to {form(self.valid_to)} valid, up to {form(self.suspect_to)} suspect"

    def at_least(self, floor: Limit) -> Limit:
        """The same where nothing below the floor can be asked for."""
        valid_to, suspect_to = max(self.valid_to, floor.valid_to), max(self.suspect_to, floor.suspect_to)
        return Limit(valid_to=valid_to, suspect_to=suspect_to, why=self.why)

    def times(self, yardstick: float) -> Limit:
        """A limit on shares, as one on what they are shares of."""
        return Limit(valid_to=self.valid_to * yardstick, suspect_to=self.suspect_to * yardstick, why=self.why)


UNSENT_LATE = Limit(
    valid_to=0.001,
    suspect_to=0.01,
    why="Share of the planned polls. Up to 0.1 % is what closing a window costs: a poll due in its very last fraction of a "
    "millisecond. Beyond 1 % the load was not the one asked for.",
    seen="At most 0.06 % in 5 positive controls, and that beside 0.95 cores of others. 9.6 % where the generator was killed "
    "in the middle; with a busy loop on its core once 0 and once 1.4 %. Overload hardly shows here (0 with httpx's "
    "own client at twice what it carries, 0.02 % with 12,000 devices), since a device that is behind counts as "
    "busy.",
    source="Nighthawk calls a run good from 99 % of the planned requests sent.",
)

LAG_SHARE = Limit(
    valid_to=0.1,
    suspect_to=0.5,
    why="Share of the response that a punctual generator would have seen. Where lag adds at most a tenth, a figure is "
    "right within a tenth, which is also what latency repeats within; where it adds more than half, the figure is "
    "the generator's as much as the server's. Responses as reported would be no yardstick, since lag lengthens "
    "them; and lag alone no measure, since it counts one poll of all those that queue behind it.",
    seen="p50 at most 0.17 ms and p99 4.75 ms in 5 positive controls, beside up to 0.95 cores of others; p99 0.37 ms on a "
    "quiet machine. p50 66 ms, p99 162 ms, and within the limit only since a poll of httpx's own client takes "
    "longer still, where that client was asked for twice what it carries (found out by generator_cpu); in a second "
    "such run p50 153 ms, p99 336 ms, and invalid. p99 428 ms where the generator was stopped for 500 ms. Beside "
    "1.5 cores of others and with up to 26 % stolen, 3 of 6 positive controls were suspect and one invalid (p99 54 ms), "
    "each naming these causes too.",
)

LAG_FLOORS = {
    50: Limit(
        valid_to=0.0005,
        suspect_to=0.0025,
        why="Seconds at p50. A tenth of half a millisecond cannot be asked of an event loop: a plain epoll loop wakes "
        "0.45-0.6 ms late. Five times as much is beyond any explanation but overload.",
    ),
    99: Limit(
        valid_to=0.005,
        suspect_to=0.025,
        why="Seconds at p99: a poll behind a burst of 25, at 200 us each; five times as much is beyond any explanation but "
        "overload.",
    ),
}
"""Percentile -> what cannot be asked for."""

GENERATOR_LOAD = Limit(
    valid_to=0.8,
    suspect_to=0.95,
    why="Share of the window in which the loop ran or waited for a core; whatever share of the time it cannot be idle "
    "is its load r. In front of a loop with r = 0.80 four polls wait on average, with 0.95 nineteen (M/M/1: r / (1 "
    "- r)): from there on the loop's own queue is what is measured, also where lag does not show it, since a device "
    "that is always behind has no due time left to be late for.",
    seen="At most 0.41 in 5 positive controls (0.24 used, 0.17 waited for), 0.53 beside 1.5 cores of others. 1.00 where "
    "httpx's own client was asked for twice what it carries, and where one generator had 12,000 devices. With "
    "httpx-stock at 1,100 polls/s, lag p50 0.01 ms: 0.58 cores used and 0.41 waited for on a machine that others "
    "used too, and an answer after 580 ms that took the server 0.1 ms.",
    source="Hyperfoil calls a run invalid when less than 20 % of a generator's CPU is idle.",
)

GENERATOR_STALL = Limit(
    valid_to=0.1,
    suspect_to=0.4,
    why="Seconds. A stall of 100 ms makes one device in five late, at an interval of 500 ms; one of 400 ms nearly all "
    "of them. A generator that was stopped for half a second must not pass.",
    seen="At most 19 ms in 5 positive controls, and 89 ms beside 1.5 cores of others with up to 26 % stolen. 486 ms where "
    "it was stopped for 500 ms; 175 to 362 ms with httpx's own client at twice what it carries, 709 ms with 12,000 devices, "
    "107 ms with a busy loop on the generator's core.",
    source="Hyperfoil calls a run invalid when its watchdog is more than 100 ms late.",
)

GENERATOR_FAULTS = Limit(
    valid_to=0.0,
    suspect_to=0.001,
    why="Share of the planned polls. Up to 0.1 % of polls that failed by the generator's fault leave the percentiles "
    "where they are; a lost row leaves a hole that nothing can fill.",
    seen="None in 5 positive controls; a generator broken where it was killed.",
)

CLOCKS_SHARE = Limit(
    valid_to=0.1,
    suspect_to=0.5,
    why="Share of the yardstick. As for lag: up to a tenth of what it may disturb it is not seen, from half of it on it "
    "is most of what is seen. Where devices stand at random or evenly spread, apart by less than the interval is "
    "only another such arrangement of them, so the interval is the yardstick. Where all poll at the same instant, "
    "apart means that their wave breaks in parts; the yardstick is the smallest median of the responses, which are "
    "as long as the wave.",
)

STEAL = Limit(
    valid_to=0.01,
    why="Share of all cores' time. From 1 % on the machine is not called quiet: on two cores that is 20 ms in each "
    "second in which server or generator may have stood still without knowing. Never invalid: what harm it did "
    "shows in the lag.",
    seen="0 to 7.4 % in one hour on one virtual machine. With 1.8 to 3.7 % two of three runs with known answers were up "
    "to 4.8 ms off at p99, all counts exact. Nothing wrong can be made here, since nobody inside a machine can steal from "
    "it.",
)

TURNS_OVERLAP = Limit(
    valid_to=0.1,
    why="Share of the polls that were still under way when the next server's turn began. A poll that is due at random in "
    "its turn and takes a tenth of it ends beyond it in one of ten cases; from there on the servers wait for each other.",
)
PIECES_LOST = Limit(
    valid_to=0.2,
    why="Share of the pieces of a run in which the servers' cost was not seen, since the lab itself was not let near the "
    "processor in time. What is left tells less, and was not chosen by chance: the busiest moments are gone.",
)

QUIET_CORES = 0.05
"""Below this share of a core that others use the machine is called quiet."""

OTHERS_FEW_CORES = Limit(
    valid_to=0.25,
    why="Cores that others use. A single busy thread anywhere may sit on the core of server or generator, which a mean "
    "over cores cannot tell; a quarter of the time is too much on a machine with few cores, where the scheduler has "
    "nowhere to put it. Never invalid: what harm it did shows in the lag.",
    seen="With 0.7 to 0.95 cores of others 4 positive controls had a lag p99 of 3.9 to 4.75 ms, where a quiet machine has "
    "0.37 ms; with 1.3 to 1.5 cores two runs with known answers were up to 5.2 ms off. A busy loop on the "
    "generator's core is one core, 1.47 and 1.51 with what others did meanwhile.",
)
OTHERS_OF_UNUSED = Limit(
    valid_to=0.1, why="Share of the cores that are left unused: what others may use of a larger machine."
)
OTHERS_MANY_CORES = Limit(
    valid_to=0.5, why="Cores that others use: one thread that is busy half of the time is too much on any machine."
)

BYTES_CHANGED = Limit(
    valid_to=0.0,
    suspect_to=0.01,
    why="Least share of wrong answers among those that count as ok without having been compared, at 99 % confidence. "
    "Beyond 1 % failures are counted as wrongly as unsent polls would be, see UNSENT_LATE.",
)
