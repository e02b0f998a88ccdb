"""May this result be believed? The instrument is judged, not the server.

Evidence -> a verdict: the worst of its checks, and one sentence. An overloaded, failing or dying
server is a result; a late, broken or crowded generator and a damaged record are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.analyse.checks import database, fleet, generator, host, redis, server
from experiments.analyse.checks import record as check_record
from experiments.analyse.checks.evidence import SEVERITY, Check, Evidence, Status, ms, percentile_or_most
from experiments.analyse.polls import arrange
from experiments.record.reading import Record

CHECKS: tuple[Callable[[Evidence], Check], ...] = (
    generator.unsent_late,
    generator.lag,
    generator.generator_cpu,
    generator.generator_stall,
    generator.generator_errors,
    fleet.clocks,
    host.host_steal,
    host.competitors,
    check_record.rows_complete,
    check_record.untouched,
    check_record.one_at_a_time,
    check_record.answers,
    check_record.totals,
    server.served,
    server.workers,
    database.rows_written,
    redis.redis_counts,
    check_record.cut_short,
    check_record.calibration,
)
"""In the order in which they are shown; a check is called as its function is."""

_GENERATOR_WAS_THE_LIMIT = {"unsent_late", "lag", "generator_cpu"}
_HINDRANCES = ("competitors", "host_steal", "generator_stall")
"""What may have kept a generator from its work although it was not too weak for it."""


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a run."""

    status: Status
    """The worst of the checks; valid, suspect or invalid."""
    headline: str
    """One or two sentences: may it be believed, and if not, why not and what to do."""
    checks: tuple[Check, ...]

    def __getitem__(self, name: str) -> Check:
        """The check of that name."""
        return {check.name: check for check in self.checks}[name]


def judge(record: Record, evidence: Evidence | None = None) -> Verdict:
    """Judges a record, finished or not.

    Args:
        evidence: what has been gathered of this record already; None to gather it.
    """
    evidence = evidence or Evidence(record, arrange(record))
    checks = tuple(check(evidence) for check in CHECKS)
    status = max((check.status for check in checks), key=SEVERITY.index)
    return Verdict(status, _headline(status, checks, evidence), checks)


def _headline(status: Status, checks: tuple[Check, ...], evidence: Evidence) -> str:
    worst = [check for check in checks if check.status == status]
    if status == "valid":
        sent, planned = int(evidence.polls["sent_s"].count()), len(evidence.polls)
        return (
            f"May be believed: {sent:,} of {planned:,} planned polls were sent, the generator's own lag at p99 was "
            f"{ms(percentile_or_most(evidence.lags, 99))}, and every poll is accounted for."
        )
    if status == "suspect":
        others = f" ({len(worst) - 1} more below)" if len(worst) > 1 else ""
        return f"Believe with care{others}: {_uncapitalised(worst[0].meaning)}"
    return f"Do not use these figures: {_why_not(worst, checks)}"


def _why_not(invalid: list[Check], checks: tuple[Check, ...]) -> str:
    """What a reader must know first: whether the generator was too weak, or kept from its work, or something else."""
    late = [check for check in invalid if check.name in _GENERATOR_WAS_THE_LIMIT]
    if not late:
        return _uncapitalised(invalid[0].meaning)
    figures = "; ".join(f"{check.name.replace('_', ' ')} {check.figure}" for check in late)
    by_name = {check.name: check for check in checks}
    hindered = [by_name[name] for name in _HINDRANCES if by_name[name].status in {"suspect", "invalid"}]
    if hindered and by_name["generator_cpu"].status != "invalid":
        return f"the generator was kept from sending in time ({figures}). {hindered[0].meaning}"
    advice = late[0].meaning.partition(". ")[2]
    return f"the generator, not the server, was the limit ({figures}). {advice}"


def _uncapitalised(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
