"""Every column of the record: its name, dtype, unit and meaning.

`requests` has one row per planned poll, `resources` one row per sample of one process group. Times are seconds from the
start of the measured window on the monotonic clock, kept in whole ticks of `TICK_S`; a time that never came is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from experiments.schedule import TICK_S as TICK_S

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = 2
READABLE = (1, SCHEMA_VERSION)
"""Schema 1 knows two endpoints and not the columns that are marked `later`; there they are null."""

ENDPOINTS = ("status", "bulk")
"""The article's two, A and B: the endpoints of every record of schema 1, and of the target `hello`."""


class Outcome(IntEnum):
    """How a planned poll ended. The lower-case name is what the record says."""

    OK = 0
    """A complete answer that is as the target expects it."""
    HTTP_ERROR = 1
    """A complete answer with a status that is not expected."""
    WRONG_BODY = 2
    """The right status, but another length or other bytes than the endpoint must answer, or bytes that cannot be decoded."""
    CONNECT_REFUSED = 3
    """Nobody listened."""
    CONNECT_TIMEOUT = 4
    """No connection within the timeout."""
    CONNECT_FAILED = 5
    """The connection failed for another reason of the network's or the server's."""
    READ_TIMEOUT = 6
    """Connected and sent, but no complete answer within the timeout."""
    RESET = 7
    """The server reset the connection before the answer was complete."""
    CLOSED = 8
    """The server closed the connection before the answer was complete."""
    PROTOCOL_ERROR = 9
    """What came was not HTTP, or broke its rules."""
    GENERATOR_ERROR = 10
    """The generator could not ask: out of ports or files, or a fault in its own code. Never the server's fault."""
    INTERRUPTED = 11
    """In flight when the run was cut short by the experimenter."""
    UNSENT_BUSY = 12
    """Due, but its device was still waiting for the server when the window closed."""
    UNSENT_LATE = 13
    """Due, its device was free, and the generator did not get to it before the window closed."""
    CHECKS = 14
    """A complete answer that an expectation of the target refuses, other than of its status and its body's bytes."""

    @property
    def label(self) -> str:
        """The name as it stands in the record, such as `read_timeout`."""
        return self.name.lower()


OUTCOMES = tuple(outcome.label for outcome in Outcome)
UNSENT = ("unsent_busy", "unsent_late")
UNANSWERED = ("connect_timeout", "read_timeout", "unsent_busy")
"""Polls without an answer that count in percentiles at the time already waited."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: str
    """A polars dtype by name, or `endpoint`, `outcome` or `group` for the fixed words."""
    unit: str
    meaning: str
    later: bool = False
    """Whether records of this schema were written before it was known; there it is null."""


REQUESTS = (
    Column("client", "UInt32", "", "number of the device"),
    Column("round", "UInt32", "", "its round, from 1; (client, round, endpoint) names a poll"),
    Column("endpoint", "endpoint", "", "its name in the target; status (A) or bulk (B) in hello"),
    Column(
        "due_s",
        "Float64",
        "s",
        "when the poll was due; below zero in the warm-up. A later one of a round: when the one before it ended, or, "
        "if it was never sent itself, when the first was due",
    ),
    Column("ready_s", "Float64", "s", "due, or when the device came free if that was later; null if never sent"),
    Column("sent_s", "Float64", "s", "start of the attempt: before connecting, else before writing; null if never sent"),
    Column("done_s", "Float64", "s", "last byte, or the moment it failed or was given up"),
    Column("connect_s", "Float32", "s", "part of done - sent spent connecting; 0 on a reused connection, null if unknown"),
    Column("status", "UInt16", "", "HTTP status; 0 if none came"),
    Column("bytes", "UInt32", "bytes", "bytes of body that came"),
    Column("outcome", "outcome", "", "ok, or the reason"),
    Column("first_byte_s", "Float32", "s", "first byte of the answer - sent; null if none came or unknown", later=True),
    Column("tls_s", "Float32", "s", "part of done - sent in the TLS handshake; 0 on a reused connection", later=True),
    Column("decoded_bytes", "UInt32", "bytes", "body after its Content-Encoding was undone, where it was", later=True),
    Column("failed_check", "String", "", "the expectation that failed: status, bytes, json.<path> ...", later=True),
    Column("system", "UInt8", "", "number of the server that was polled, in a run with several; else null", later=True),
)

GROUPS = ("server", "generator", "kernel", "host", "database")

RESOURCES = (
    Column("t_s", "Float64", "s", "when the sample was taken"),
    Column("group", "group", "", "server, generator, kernel (the process that runs the experiment), host or database"),
    Column("instance", "UInt16", "", "number of the generator or server; kernel: of its Dask worker, from 1; 0 elsewhere"),
    Column("cpu_s", "Float64", "s", "cumulative user + system time of the process tree; host: of all that ran"),
    Column("rss_bytes", "UInt64", "bytes", "resident memory, shared pages counted in each process; host: in use"),
    Column("uss_bytes", "UInt64", "bytes", "memory that only these processes hold; sampled seldom, else null"),
    Column("processes", "UInt32", "", "processes in the tree"),
    Column("threads", "UInt32", "", "threads in the tree"),
    Column("fds", "UInt32", "", "open files in the tree"),
    Column("connections", "UInt32", "", "established TCP connections of the server; sampled seldom, else null"),
    Column("steal_s", "Float64", "s", "host: cumulative time that the hypervisor gave to others"),
    Column("quota_periods", "UInt64", "", "server, kernel: cumulative periods of the CPU quota, if any", later=True),
    Column("throttled_periods", "UInt64", "", "those of them in which the quota was used up", later=True),
    Column("throttled_s", "Float64", "s", "cumulative time held back by the quota, summed over processors", later=True),
    Column("syn_retransmits", "UInt64", "", "host: cumulative SYNs sent again in this network namespace", later=True),
    Column("listen_overflows", "UInt64", "", "host: cumulative times that a listener's queue was full", later=True),
    Column("listen_drops", "UInt64", "", "host: cumulative connections that listeners dropped", later=True),
    Column("core_busy_s", "Cores", "s", "host: cumulative busy time of each core"),
)


Columns = Sequence[Any]
"""One `array` a column; their element types differ, which the type of a list cannot say."""


def dtypes(columns: tuple[Column, ...], endpoints: tuple[str, ...] = ENDPOINTS) -> dict[str, pl.DataType]:
    """The polars schema of a table; polars is loaded here, so that reading this module costs nothing.

    Args:
        endpoints: the names of the record's endpoints, in the target's order.
    """
    import polars as pl

    special: dict[str, pl.DataType] = {
        "endpoint": pl.Enum(endpoints),
        "outcome": pl.Enum(OUTCOMES),
        "group": pl.Enum(GROUPS),
        "Cores": pl.List(pl.Float64),
    }
    return {column.name: special.get(column.kind) or getattr(pl, column.kind)() for column in columns}
