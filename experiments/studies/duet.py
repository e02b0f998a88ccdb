"""One duet: two servers run at the same time, polled by one swarm, and held against each other.

Words for two servers and a length of time in; the record, `duet` of its summary, and what a gate must know out. For those
who need the answer and no page: other studies, a gate of continuous integration, the benchmarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments import beside, runner
from experiments.analyse import summary
from experiments.analyse.duets import gate
from experiments.parameters import check_names
from experiments.present.duets import table
from experiments.progress import OnProgress
from experiments.record.reading import Record
from experiments.scenario import Scenario
from server import catalogue

SECONDS = 60.0
LOAD: Mapping[str, Any] = {"clients": 1000, "interval_ms": 500.0, "warmup_s": 3.0, "beside_split": "mixed"}
"""2,200 polls/s of the article: the more polls, the smaller the difference that shows. Mixed, since intervals were a fifth
narrower so than with turns, for CPU as for the response, in 31 duets of a server with itself on a busy machine."""


@dataclass(frozen=True)
class Duet:
    """Two servers, held against each other."""

    record: Record
    told: Mapping[str, Any]
    """`duet` of the summary: `cpu_ratio` and the like."""
    checks: tuple[Mapping[str, Any], ...]
    """Of the verdict."""

    @property
    def said(self) -> str:
        """What it comes to, in a sentence."""
        return table.sentence(self.told)

    def judged(self, margin_pct: float = gate.MARGIN_PCT) -> gate.Judged:
        """Whether the second is worse than the first by more than that."""
        return gate.judge(self.told, self.checks, margin_pct)


def scenario(first: str, second: str, *, seconds: float = SECONDS, **asked: Any) -> Scenario:
    """What such a run is asked.

    Args:
        first, second: the servers, in the words of `beside`; an empty first is the default one as it is.
        seconds: of load that are measured.
        asked: other parameters of the run, which go before the usual ones.

    Raises:
        ParameterError: a word or a value that is not allowed.
    """
    check_names(asked, Scenario.model_fields)
    said = beside.parameters(first, second, catalogue.SYSTEMS)
    return Scenario.from_parameters({**LOAD, "minutes": seconds / 60, **said, **asked})


def duet(
    first: str, second: str, *, seconds: float = SECONDS, on_progress: OnProgress = lambda progress: None, **asked: Any
) -> Duet:
    """Runs a duet; the arguments are those of `scenario`.

    Raises:
        LabError: it cannot be asked, or a server cannot be started.
    """
    record = runner.run(scenario(first, second, seconds=seconds, **asked), on_progress=on_progress)
    return of(record)


def of(record: Record) -> Duet:
    """The duet of a record.

    Raises:
        KeyError: it is of one server.
    """
    made = summary.current(record)
    return Duet(record, made["duet"], tuple(made["verdict"]["checks"]))
