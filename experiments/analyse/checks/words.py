"""What a check found, in words: the only place where sentences about checks are made.

Name and kind of a finding, and its values -> a meaning and an advice. Nobody reads these sentences but people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from experiments.analyse.checks.evidence import Check, Found


class Said(NamedTuple):
    """Templates, filled with the values of the finding."""

    meaning: str
    advice: str = ""
    """What to do about it; empty where there is nothing to be done."""


_LIGHTEN = "Poll with fewer clients or a longer interval, or give the generator more: generators=2, a quieter machine."
_LIGHTEN_BY_ENGINE = {
    "httpx": f"Use engine='epoll', which costs less. {_LIGHTEN}",
    "httpx-stock": "The stock httpx transport cannot carry this load; use engine='httpx' or 'epoll', or far fewer clients.",
}
"""By engine, where there is a better one."""
_DAMAGED = "Do not build on this record; measure again."
_NAME_A_COUNTER = "A target names a counter of the server's own with metrics_url and metrics_requests."
_CANNOT_TELL = "Cannot tell: the numbers of the server's processes are not those of processes seen from here, as "

WORDS: Mapping[str, Mapping[str, Said]] = {
    "unsent_late": {
        "sent": Said("Nearly every planned poll was sent."),
        "left_out": Said("The generator left out polls that it should have sent.", "{lighten}"),
    },
    "lag": {
        "punctual": Said("Polls were sent when they were due, so the times are the server's."),
        "late": Said("Polls were sent late by the generator itself, and the times contain that.", "{lighten}"),
    },
    "generator_cpu": {
        "no_samples": Said("There are no samples of what the generators used."),
        "spare": Said("The generator had time to spare."),
        "no_spare": Said("The generator had hardly any time to spare, so answers waited for it.", "{lighten}"),
    },
    "generator_stall": {
        "untold": Said("The generators left no word of it."),
        "none": Said("The generator never stood still for long."),
        "stood_still": Said(
            "The generator once stood still, and all polls due then were late.",
            "Look for what else the machine did (a suspended process, a laptop asleep, swapping), and measure again.",
        ),
    },
    "generator_errors": {
        "none": Said("The generators worked to the end."),
        "broken": Said("{errors}.", "{remedy}, and measure again."),
        "failed": Said("Some polls failed on this side, not at the server{first}.", "{remedy}, and measure again."),
        "lost": Said("Some rows could not be kept.", "{remedy}, and measure again."),
    },
    "clocks": {
        "one_clock": Said("All generators ran by the clock of one machine."),
        "as_one": Said("The machines' clocks were known well enough for their devices to act as one swarm."),
        "apart": Said(
            "The machines may have polled apart by much of {yardstick}.",
            "Use machines nearer to each other and a scheduler that is not busy, or phase='random'.",
        ),
    },
    "host_steal": {
        "untold": Said("This machine does not tell."),
        "own": Said("The machine's processors were its own."),
        "stolen": Said(
            "Another virtual machine took processor time away, which lengthens times of server and generator alike.",
            "Measure again when the host is quieter, or on a machine of your own.",
        ),
    },
    "competitors": {
        "no_samples": Said("There are no samples of what the machine did."),
        "server_unseen": Said("The server could not be told from others on this machine: {why}."),
        "quiet": Said("The machine was quiet."),
        "little": Said("Other programs took little."),
        "busy": Said(
            "Other programs used the processors meanwhile, and server or generator may have waited for them.",
            "Close them (browsers, builds, indexers), and measure again.",
        ),
    },
    "rows_complete": {
        "whole": Said("Every planned poll is in the record, once."),
        "not_whole": Said("The record is not whole: {faults}. What is there can be read."),
        "damaged": Said("The record is damaged: {faults}.", _DAMAGED),
        "empty": Said("No poll of the measured window was recorded, so there is nothing to believe.", "Run again."),
    },
    "untouched": {
        "no_checksums": Said("The generators left no checksums of their parts."),
        "as_written": Said("The rows are those that the generators wrote."),
        "changed": Said("Rows were changed after they were written, and are left out ({files}).", _DAMAGED),
        "samples_changed": Said(
            "Samples were changed after they were written, and are left out ({files}). There are no figures of CPU and "
            "memory; those of the polls are as they were."
        ),
    },
    "one_at_a_time": {
        "one": Said("Every device had one poll at a time, as real devices do."),
        "contradicting": Said(
            "Times in the record contradict each other: rows were changed, or the generator is faulty.", _DAMAGED
        ),
    },
    "answers": {
        "right": Said("Answers that count as ok were complete and right."),
        "uncompared": Said("No answer's bytes were compared, so only lengths vouch for them.", "Run for longer."),
        "changing": Said(
            "Of {compared:,} answers to {endpoint} whose bytes were compared, {differed:,} had the right length but "
            "other bytes than before the load. Only one answer in 64 is compared: of the {unseen:,} others that count "
            "as ok, {low:.2%} to {high:.2%} were probably wrong too.",
            "Find out why the answers change (a time or a counter in them, another server behind the address), and measure "
            "answers that stay the same.",
        ),
        "wrong": Said("Polls count as ok although their answer was not the right one.", _DAMAGED),
    },
    "totals": {
        "uncounted": Said("A generator ended before it had given its counts."),
        "agree": Said("What the generators counted is what the record holds."),
        "differ": Said("Generators counted something else than the record holds ({differences}).", _DAMAGED),
    },
    "served": {
        "uncounted": Said(
            "The server does not count what it serves (it has no /health of ours), so nothing proves that no cache "
            f"answered for it. {_NAME_A_COUNTER}"
        ),
        "uncounted_behind": Said(
            "The server does not count what it serves (it has no /health of ours). Its answers came through a proxy or "
            f"cache: they carry {{headers}}. So nothing proves that no cache answered for it. {_NAME_A_COUNTER}"
        ),
        "counter_lost": Said(
            "The server's own counter {counter} was not told before and after the load, so nothing vouches for the "
            "answers that were counted here.",
            "Measure again with a server that lives to the end to be sure.",
        ),
        "counter_back": Said(
            "The server's own counter {counter} went back: the server began anew during the run, so nothing vouches for "
            "the answers that were counted here.",
            "Measure again with a server that lives to the end to be sure.",
        ),
        "no_attempts": Said("A generator ended before it had given its counts."),
        "unseen": Said(_CANNOT_TELL + "it runs on another machine, in a container, or behind a proxy or balancer."),
        "unseen_behind": Said(_CANNOT_TELL + "a proxy or cache stands in front of it (its answers carry {headers})."),
        "count_lost": Said(
            "The server's own count is not whole ({why}), so nothing vouches for the answers that were counted here.",
            "The figures may well be right; measure again with a server that lives to the end to be sure.",
        ),
        "agree": Said("The server's own count agrees with what was sent and answered."),
        "more_answered": Said(
            "More answers came than the server gave, so somebody else answered some of them: another process on the port.",
            "Make sure that only the server under test can answer, and measure again.",
        ),
        "more_answered_behind": Said(
            "More answers came than the server gave, so somebody else answered some of them: the proxy or cache whose "
            "{headers} stands in the answers.",
            "Make sure that only the server under test can answer, and measure again.",
        ),
        "more_served": Said(
            "The server served more requests than were sent from here, so somebody else polled it meanwhile.",
            "Measure again with the server to yourself.",
        ),
    },
    "workers": {
        "untold": Said("The server does not say which processes answer."),
        "unseen": Said(_CANNOT_TELL + "it runs on another machine, in a container, or behind a proxy or balancer."),
        "unseen_behind": Said(_CANNOT_TELL + "a proxy or cache stands in front of it (its answers carry {headers})."),
        "same": Said("The same processes answered from beginning to end."),
        "listened": Said("The same processes listened on the server's port from beginning to end."),
        "listeners_replaced": Said(
            "The processes that listen on the server's port were replaced during the run.",
            "Look into the server's log for the reason; if the server itself is at fault, that is a result.",
        ),
        "died": Said("The server ended by itself during the run, which is a result; no other took its place."),
        "stranger": Said(
            "A process that was not started for this run answers on the server's port, so the figures are of two servers.",
            "Find out what else listens there, and measure again.",
        ),
        "replaced": Said(
            "Workers were replaced during the run, and the count of those that are gone went with them.",
            "Look into server.log for the reason; if the server itself is at fault, that is a result.",
        ),
    },
    "turns": {
        "one_server": Said("One server was polled."),
        "kept": Said("Each server was polled in its own turn, and answered within it."),
        "mixed": Said("All servers were polled at any time, and had the machine in common."),
        "overlapping": Said(
            "Polls of one server were often still under way when the next one's turn began, so the servers waited for each "
            "other: response times of both are longer than each alone would have, and more alike.",
            "Poll with fewer clients or a longer interval; CPU for a request may be compared all the same.",
        ),
        "pieces_lost": Said(
            "In many pieces of the run nobody saw in time what the servers cost, since the machine was busy with others.",
            "Measure again when the machine is quieter.",
        ),
    },
    "rows_written": {
        "nothing": Said("This server was asked to write nothing, or writes where the lab cannot count."),
        "uncounted": Said(
            "What was written could not be counted ({why}), so nothing vouches for the rows. That polls failed "
            "meanwhile is a result.",
            "Measure again with a database that lives to the end to be sure of the rest.",
        ),
        "written": Said("Each poll of A that was answered has been written."),
        "more_answered": Said(
            "More polls of A were answered than rows were written, so not every answer came from the database.",
            "Find out what answers instead of it (a cache?), or what undid its writes, and measure again.",
        ),
        "more_written": Said(
            "More rows were written than polls were sent, so somebody else polled the server too.", "Measure again alone."
        ),
    },
    "redis_counts": {
        "nothing": Said("Nothing was counted in Redis: {why}."),
        "lost": Said(
            "Redis went away during the run ({why}): it did not take {lost:,} of {sent:,} polls. The rows are whole and "
            "stand; nothing vouches for them there.",
            "Measure again with a Redis that lives to the end to be sure.",
        ),
        "agree": Said("The author's counts in Redis are those of the rows."),
        "differ": Said(
            "Redis and the rows do not agree, so one of them is wrong, or somebody else counted there.",
            "Do not build on it.",
        ),
        "more_answered": Said("More answers were counted than the server gave.", "Measure again."),
    },
    "cut_short": {
        "whole": Said("The run lasted as long as was asked for."),
        "cut": Said(
            "The run was cut short: {why}. The figures cover its first {window_s:.1f} s; polls that were in flight then "
            "have no answer in them.",
            "Run again for the whole time.",
        ),
    },
    "calibration": {
        "none": Said("There is no certificate for this machine and versions; `make calibrate` makes one."),
        "other_engine": Said("The calibration of {certified_at} did not try {engine}, only {tried}."),
        "passed": Said("The instrument gave right figures and verdicts on this machine."),
        "failed": Said(
            "The instrument failed trials on this machine ({trials}).",
            "See the report of the calibration, and repeat it when the machine is quiet.",
        ),
    },
}
"""Check -> kind of finding -> words."""


def say(name: str, found: Found, engine: str, own: str = "") -> Check:
    """A finding, put into words.

    Args:
        engine: what made the requests; some advice depends on it.
        own: a user's transport or class of devices, that all polls went through; empty for none.
    """
    said = WORDS[name][found.kind]
    values: dict[str, Any] = {"lighten": _lighten(engine, own), "remedy": _remedy(own), **found.values}
    meaning, advice = (template.format(**values) for template in said)
    return Check(
        name=name,
        status=found.status,
        figure=found.figure,
        limit=found.limit,
        meaning=meaning,
        advice=advice,
        of_limit=found.of_limit,
        kind=found.kind,
    )


def _lighten(engine: str, own: str) -> str:
    if own:
        return f"Every poll goes through your {own}, so this is what it costs too. {_LIGHTEN}"
    return _LIGHTEN_BY_ENGINE.get(engine, _LIGHTEN)


def _remedy(own: str) -> str:
    machine = "for what this machine ran out of (open files, ports, memory, disk)"
    return f"Look at your {own}, and {machine}" if own else f"Look {machine}"
