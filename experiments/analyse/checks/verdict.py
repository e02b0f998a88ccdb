"""May this result be believed? The instrument is judged, not the server.

Evidence -> a verdict: the worst of its checks, and one sentence. An overloaded, failing or dying
server is a result; a late, broken or crowded generator and a damaged record are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from experiments.analyse.checks import database, fleet, generator, host, redis, server
from experiments.analyse.checks import record as check_record
from experiments.analyse.checks.evidence import SEVERITY, Check, Evidence, Found, Status, ms, number, percentile_or_most
from experiments.analyse.checks.words import say
from experiments.analyse.duets import turns
from experiments.record.reading import Record

CHECKS: tuple[Callable[[Evidence], Found], ...] = (
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
    turns.turns,
    database.rows_written,
    redis.redis_counts,
    check_record.cut_short,
    check_record.calibration,
)
"""What is measured, in the order in which it is shown; a check is called as its function is.

Its limits stand in `limits`, its words in `words`.
"""

_GENERATOR_WAS_THE_LIMIT = {"unsent_late", "lag", "generator_cpu"}
_HINDRANCES = ("competitors", "host_steal", "generator_stall")
"""What may have kept a generator from its work although it was not too weak for it."""


class Reason(StrEnum):
    """What a reader must know first."""

    BELIEVED = "believed"
    CARE = "care"
    """Suspect."""
    GENERATOR_TOO_WEAK = "generator_too_weak"
    """Invalid: it, and not the server, was the limit."""
    GENERATOR_HINDERED = "generator_hindered"
    """Invalid: it had time to spare, and something else kept it from its work."""
    FLAWED = "flawed"
    """Invalid for another reason."""


@dataclass(frozen=True)
class Verdict:
    """What is to be thought of a run."""

    status: Status
    """The worst of the checks; valid, suspect or invalid."""
    reason: Reason
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
    evidence = evidence or Evidence(record)
    engine = record.scenario.engine
    generator = record.facts.get("generator") or {}
    own = " and ".join(f"{kind} {generator[kind]}" for kind in ("device", "transport") if generator.get(kind))
    checks = tuple(say(check.__name__, check(evidence), engine, own) for check in CHECKS)
    status = max((check.status for check in checks), key=SEVERITY.index)
    reason = _reason(status, checks)
    return Verdict(status, reason, _HEADLINES[reason](checks, evidence), checks)


def _reason(status: Status, checks: tuple[Check, ...]) -> Reason:
    if status == "valid":
        return Reason.BELIEVED
    if status == "suspect":
        return Reason.CARE
    invalid = {check.name for check in _with_status(checks, "invalid")}
    if not invalid & _GENERATOR_WAS_THE_LIMIT:
        return Reason.FLAWED
    return Reason.GENERATOR_HINDERED if _hindrances(checks) and "generator_cpu" not in invalid else Reason.GENERATOR_TOO_WEAK


def _with_status(checks: tuple[Check, ...], status: Status) -> list[Check]:
    return [check for check in checks if check.status == status]


def _hindrances(checks: tuple[Check, ...]) -> list[Check]:
    by_name = {check.name: check for check in checks}
    return [by_name[name] for name in _HINDRANCES if by_name[name].status in {"suspect", "invalid"}]


def _late(checks: tuple[Check, ...]) -> tuple[str, str]:
    """What the generator did not carry: name and figure of each such check, and the advice of the first."""
    late = [check for check in _with_status(checks, "invalid") if check.name in _GENERATOR_WAS_THE_LIMIT]
    return "; ".join(f"{check.name.replace('_', ' ')} {check.figure}" for check in late), late[0].advice


# Sentences.


def _believed(checks: tuple[Check, ...], evidence: Evidence) -> str:
    sent, planned = number(evidence.counts, of="sent"), evidence.planned
    return (
        f"May be believed: {sent:,} of {planned:,} planned polls were sent, the generator's own lag at p99 was "
        f"{ms(percentile_or_most(evidence.digest.lag, 99))}, and every poll is accounted for."
    )


def _care(checks: tuple[Check, ...], evidence: Evidence) -> str:
    suspect = _with_status(checks, "suspect")
    others = f" ({len(suspect) - 1} more below)" if len(suspect) > 1 else ""
    return f"Believe with care{others}: {_uncapitalised(suspect[0].said)}"


def _too_weak(checks: tuple[Check, ...], evidence: Evidence) -> str:
    figures, advice = _late(checks)
    return f"{_DO_NOT_USE}the generator, not the server, was the limit ({figures}). {advice}"


def _hindered(checks: tuple[Check, ...], evidence: Evidence) -> str:
    figures, _ = _late(checks)
    return f"{_DO_NOT_USE}the generator was kept from sending in time ({figures}). {_hindrances(checks)[0].said}"


def _flawed(checks: tuple[Check, ...], evidence: Evidence) -> str:
    return f"{_DO_NOT_USE}{_uncapitalised(_with_status(checks, 'invalid')[0].said)}"


_DO_NOT_USE = "Do not use these figures: "
_HEADLINES: dict[Reason, Callable[[tuple[Check, ...], Evidence], str]] = {
    Reason.BELIEVED: _believed,
    Reason.CARE: _care,
    Reason.GENERATOR_TOO_WEAK: _too_weak,
    Reason.GENERATOR_HINDERED: _hindered,
    Reason.FLAWED: _flawed,
}


def _uncapitalised(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
