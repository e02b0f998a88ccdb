"""The answer of a run in a sentence or two, and two judgements that never share a colour: of the server, of the measurement.

A record and its summary in, plain text out: for the top of a report, `summary.md`, the last lines of a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.analyse.summary import error_statuses, is_longer
from experiments.analyse.targets.naming import letters
from experiments.present import subject
from experiments.present.format import duration, longer, number, plain, ranked, reason, significant
from experiments.present.subject import Subject
from experiments.present.tables import service_level as levels
from experiments.record.reading import Record
from experiments.record.schema import UNANSWERED

_NOT_THE_SERVERS = ("generator_error", "interrupted")
"""Failures that are none of the server's; `unsent_late` is counted apart."""
_ALARMING = 0.01
"""Part of the polls from which their failure is told as loud as a service level that is missed."""
_MOST_TIMED = 2
"""Endpoints whose times find room in a sentence; of more the slowest is told."""


@dataclass(frozen=True)
class Judgement:
    """One of the two: its word, and why."""

    status: str
    """Of the service level: met, missed, not asked, cannot be said. Of the measurement: valid, suspect, invalid."""
    said: str
    """In one or two sentences."""
    alarm: str = ""
    """What nobody has to have asked for: `the server failed 26 % of the polls`; empty where that is next to nothing."""


@dataclass(frozen=True)
class Answer:
    """What a run comes to."""

    subject: Subject
    sentences: tuple[str, ...]
    """One or two; they say nothing of the server where the measurement is invalid."""
    service_level: Judgement
    measurement: Judgement
    next_step: str
    """What to do now; empty where there is nothing to be done."""

    @property
    def text(self) -> str:
        """The sentences together."""
        return " ".join(self.sentences)


def answer(record: Record, summary: Mapping[str, Any]) -> Answer:
    """The answer of a run.

    Args:
        record: finished or not.
        summary: `analyse.summary.current(record)`, or with another service level than the run's own.
    """
    about, lost = subject.of(record), Lost.of(summary)
    verdict = summary["verdict"]
    return Answer(
        subject=about,
        sentences=tuple(_sentences(record, summary, about, lost)),
        service_level=_service_level(summary, lost),
        measurement=Judgement(verdict["status"], str(verdict.get("headline") or "")),
        next_step=_next(record, summary, lost),
    )


@dataclass(frozen=True)
class Lost:
    """Polls without a right answer by the server's doing, and what became of them."""

    planned: int
    """All, those that the generator did not send in time left out: nobody can answer them."""
    failed: dict[str, int]
    """Reason -> polls."""
    unsent: int
    """Their device still waited for the server."""
    ours: int
    """Lost by the generator."""
    statuses: dict[str, int]
    """Codes of the answers that were errors."""

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Lost:
        """All endpoints together."""
        failed: dict[str, int] = {}
        statuses: dict[str, int] = {}
        planned = unsent = ours = 0
        for one in summary["endpoints"].values():
            planned, unsent, ours = planned + one["planned"], unsent + one["unsent_busy"], ours + one["unsent_late"]
            for why, polls in one["failures"].items():
                if why in _NOT_THE_SERVERS:
                    ours += polls
                else:
                    failed[why] = failed.get(why, 0) + polls
            for code, polls in error_statuses(one).items():
                statuses[code] = statuses.get(code, 0) + polls
        return cls(planned - ours, failed, unsent, ours, statuses)

    @property
    def polls(self) -> int:
        """How many in all."""
        return sum(self.failed.values()) + self.unsent

    @property
    def share(self) -> str:
        """`26 %`."""
        return _share(self.polls, self.planned)

    @property
    def brief(self) -> str:
        """`26 % http error 503`, or `26 % failed: 24 % http error 503, 2 % reset`."""
        several = len(self.failed) + bool(self.unsent) > 1
        return f"{self.share} failed ({self.why})" if several else f"{self.share} {self.why}"

    @property
    def sentence(self) -> str:
        """`The server failed 26 % of the polls: http error 24 % (503), 2 % not sent since their device still waited.`"""
        if not self.planned:
            return "No poll was planned in the measured window."
        if not self.polls:
            return "The server failed none of the polls."
        if self.polls == self.planned:
            return f"The server answered none of the polls right: {self.why}."
        return f"The server failed {self.share} of the polls: {self.why}."

    @property
    def why(self) -> str:
        """Each reason with its share, the most frequent first."""
        whys = {self._named(name): polls for name, polls in self.failed.items()}
        whys |= {"not sent, since their device still waited": self.unsent}
        ordered = sorted(((polls, name) for name, polls in whys.items() if polls), reverse=True)
        if len(ordered) == 1:
            return ordered[0][1]
        return ", ".join(f"{_share(polls, self.planned)} {name}" for polls, name in ordered)

    def _named(self, why: str) -> str:
        if why in UNANSWERED:
            return f"without an answer in time ({reason(why)})"
        codes = f" {', '.join(sorted(self.statuses))}" if why == "http_error" and len(self.statuses) < 4 else ""
        coded = f" ({ranked(self.statuses)})" if why == "http_error" and not codes else ""
        return f"{reason(why)}{codes}{coded}"


def _share(polls: int, whole: int) -> str:
    """`26 %`, `0.31 %`; neither nothing nor all where it is not."""
    share = 100 * polls / whole if whole else 0.0
    if 0 < share < 0.01 or (share > 99.9 and polls < whole):
        return "< 0.01 %" if share < 1 else "> 99.9 %"
    return f"{plain(significant(share))} %"


def _sentences(record: Record, summary: Mapping[str, Any], about: Subject, lost: Lost) -> Iterator[str]:
    level, of = summary.get("service_level") or {}, f"{about.devices} {about.pace}"
    died = (record.facts.get("server") or {}).get("died")
    if summary["verdict"]["status"] == "invalid":
        yield f"No answer: this measurement says nothing reliable about {about.server} with {of}."
        if died:
            yield f"The server died meanwhile: {str(died).rstrip('.')}."
        return
    if cut := record.cut_short:
        lasted = f"{duration(record.window_s)} of {duration(record.scenario.window_s)}"
        yield f"Cut short after {lasted} ({str(cut).rstrip('.')}); what follows is true until then."
    if died:
        yield f"{about.server} died under {of}: {str(died).rstrip('.')}; {_none_or_share(lost)}."
        return
    if lost.planned <= 0:
        yield f"{about.server} was not polled within the measured window."
        return
    yield f"{about.server} {_did(level, lost)} {of}{_figures(summary, level, lost)}."


def _did(level: Mapping[str, Any], lost: Lost) -> str:
    """The verb of the answer."""
    if lost.polls == lost.planned:
        return "answered nothing right for"
    if level.get("asked") and level["met"] is not None:
        return "held" if level["met"] else "did not hold"
    if lost.unsent * 100 > lost.planned:
        return "did not keep up with"
    return f"failed {lost.share} of the polls of" if lost.polls else "answered every poll of"


def _none_or_share(lost: Lost) -> str:
    if not lost.polls:
        return "none of the polls until then failed"
    return f"{lost.share} of the polls had no right answer ({lost.why})"


def _figures(summary: Mapping[str, Any], level: Mapping[str, Any], lost: Lost) -> str:
    """`: p99 1.0 ms of 50 allowed, none failed; 20 % of one core`."""
    told = [] if lost.polls == lost.planned else list(_times(summary, level))
    if lost.polls == lost.planned:
        told.append(lost.why)
    elif lost.polls:
        told.append(lost.brief if level.get("asked") else lost.why)
    else:
        told.append("none failed")
    cores = summary["server"].get("cpu_cores_mean")
    cost = f"; {_cores(cores)}" if cores is not None else ""
    return f": {', '.join(told)}{cost}"


def _times(summary: Mapping[str, Any], level: Mapping[str, Any]) -> Iterator[str]:
    """p99 of each endpoint with its limit, if there is one; of many endpoints that of the slowest."""
    endpoints = summary["endpoints"]
    called, limits = letters(endpoints), _limits(level)
    polled = [name for name, one in endpoints.items() if one["planned"]]
    known = {name: figure for name in polled if (figure := _slow(endpoints[name]["response_ms"])) is not None}
    told = [name for name in known if name in limits] or list(known)
    if len(told) > _MOST_TIMED:
        told = [max(told, key=lambda name: known[name][1] / limits.get(name, 1.0))]
    for name in told:
        percentile, value, unknown = known[name]
        of = "" if len(polled) == 1 else f" of {called[name]}"
        allowed = f" of {plain(limits[name])} allowed" if name in limits else ""
        yield f"{percentile}{of} {longer(number(value), censored=unknown)} ms{allowed}"


def _slow(times: Mapping[str, Any]) -> tuple[str, float, bool] | None:
    """The highest percentile up to p99 that the polls support, its figure in ms, and whether it is only a lower bound."""
    for name in ("p99", "p95", "p90", "p50"):
        if times.get(name) is not None:
            return name, float(times[name]), is_longer(times, name)
    return None


def _limits(level: Mapping[str, Any]) -> dict[str, float]:
    """Endpoint -> its limit in ms, of those that have one."""
    end = "_response_p99_ms"
    return {
        item["name"].removesuffix(end): float(item["limit"]) for item in level.get("items", ()) if item["name"].endswith(end)
    }


def _cores(cores: float) -> str:
    return f"{number(100 * cores, 2)} % of one core" if cores < 1 else f"{number(cores)} cores"


def _service_level(summary: Mapping[str, Any], lost: Lost) -> Judgement:
    level = summary.get("service_level") or {}
    if summary["verdict"]["status"] == "invalid":
        asked = "cannot be said" if level.get("asked") else "not asked"
        return Judgement(asked, "An invalid measurement says nothing of the server.")
    if not level.get("asked"):
        alarm = f"the server failed {lost.share} of the polls" if lost.polls >= _ALARMING * lost.planned > 0 else ""
        return Judgement("not asked", f"No service level was asked for. {lost.sentence}", alarm)
    status = {True: "met", False: "missed", None: "cannot be said"}[level["met"]]
    told_already = any(item["name"].endswith("failure_pct") for item in level["items"])
    failed = (f"They were: {lost.why}." if lost.polls else "") if told_already else lost.sentence
    return Judgement(status, f"{levels.told(level, summary['endpoints'])} {failed}".rstrip())


def _next(record: Record, summary: Mapping[str, Any], lost: Lost) -> str:
    """What to do about it, of the measurement first: the server is judged by what may be believed."""
    if summary["verdict"]["status"] == "invalid":
        return "Do what the measurement's own sentence says, and measure again."
    if not (record.facts.get("server") or {}).get("died") and lost.polls and set(lost.failed) <= set(UNANSWERED):
        return "See below when it fell behind; ask with fewer devices or more workers, or search its edge (make capacity)."
    if lost.polls or (record.facts.get("server") or {}).get("died"):
        return "Read the server's own words below: its first wrong answers and the end of its log."
    if record.cut_short:
        return "Measure again for the whole time."
    if not (summary.get("service_level") or {}).get("asked"):
        return "Ask for a service level (slo_status_p99_ms, slo_failure_pct, or slo of a target) to have it judged."
    return ""
