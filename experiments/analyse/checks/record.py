"""Is the record whole and in itself consistent? A hole or a changed row makes every figure doubtful.

Evidence -> one check a function. Nothing is graded here: a figure that is not exactly right is wrong, so no limit had to
be set. Seen in each of 5 honest runs of 11,000 polls: no flaw, no changed part, no overlap, no difference of a count. Three
rows of 11,000 removed or doubled, a part lost, or the slowest answers made faster were each found out.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks import completeness, expected
from experiments.analyse.checks.evidence import Check, Evidence, Status, not_applicable
from experiments.analyse.checks.sampled_bytes import Sample, samples
from experiments.analyse.polls import WAS_SENT, count
from experiments.analyse.targets.naming import letters
from experiments.record.reading import SAMPLES
from experiments.schedule import TICK_S

_SAME_S = 1.5 * TICK_S
_LONG_ROUNDS = 100
"""From so many rounds on, every device should have had some answer's bytes compared."""
_DAMAGED = "Do not build on this record; measure again."
_UNFINISHED = "run.json is missing"


def rows_complete(evidence: Evidence) -> Check:
    """Every planned poll has one row, where the plan puts it; the plan is made again from the record."""
    record, scenario = evidence.record, evidence.record.scenario
    found = completeness.compare(
        record.plan,
        evidence.rows,
        record.window_s,
        broken_off_s=None if record.finished else scenario.timeout_s,
    )
    gaps = [gap for gap in record.gaps if not gap.startswith(_UNFINISHED)]
    parts = [gap for gap in gaps if "part-" in gap]
    status: Status = "valid"
    meaning = "Every planned poll is in the record, once."
    if found.unwritten or gaps:
        status = "suspect"
        lost = f"{found.unwritten:,} polls were never written" if found.unwritten else ""
        meaning = f"The record is not whole: {'; '.join(filter(None, [*gaps, lost]))}. What is there can be read."
    if found.flaws or parts:
        status = "invalid"
        flaws = [f"{count:,} polls {name}" for name, count in found.flaws.items()]
        meaning = f"The record is damaged: {'; '.join([*parts, *flaws])}. {_DAMAGED}"
    elif evidence.polls.is_empty():
        status, meaning = (
            "invalid",
            "No poll of the measured window was recorded, so there is nothing to believe. Run again.",
        )
    figure = f"{len(evidence.polls):,} rows in the window; " + (
        ", ".join(f"{count:,} {name}" for name, count in found.flaws.items()) or "no flaw"
    )
    return Check("rows_complete", status, figure, "each planned poll once, due by the plan", meaning)


def untouched(evidence: Evidence) -> Check:
    """Every file is, byte for byte, what was written. What is not is left out of all figures."""
    name, record = "untouched", evidence.record
    if not record.written:
        return not_applicable(name, "The generators left no checksums of their parts.")
    there = [file for file in record.written if (record.path / file).is_file()]
    changed = record.changed
    parts = [file for file in changed if file != SAMPLES]
    figure = f"{len(changed)} of {len(there)} files changed"
    if not changed:
        return Check(name, "valid", figure, "none", "The rows are those that the generators wrote.")
    meaning = f"Rows were changed after they were written, and are left out ({', '.join(changed[:3])}). "
    meaning += _DAMAGED if parts else "There are no figures of CPU and memory; those of the polls are as they were."
    return Check(name, "invalid" if parts else "suspect", figure, "none", meaning)


def one_at_a_time(evidence: Evidence) -> Check:
    """No device has two polls at once; due <= ready <= sent <= done, and ready is due or when the device came free."""
    same = pl.col("client") == pl.col("client").shift()
    free_s = pl.when(same).then(pl.col("done_s").shift())
    overlap = pl.col("sent_s") < free_s - _SAME_S
    due, ready, sent, done = (pl.col(f"{name}_s") for name in ("due", "ready", "sent", "done"))
    ordered = (due <= ready + _SAME_S) & (ready <= sent + _SAME_S) & (sent <= done + _SAME_S)
    kept = (ready - pl.max_horizontal(due, free_s)).abs() <= _SAME_S
    wrong = evidence.rows.filter(WAS_SENT).select(
        overlap=overlap.fill_null(value=False).sum(),
        disorder=(~(ordered & kept).fill_null(value=False)).sum(),
    )
    overlaps, disorders = wrong.row(0)
    status: Status = "invalid" if overlaps or disorders else "valid"
    meaning = (
        "Every device had one poll at a time, as real devices do."
        if status == "valid"
        else f"Times in the record contradict each other: rows were changed, or the generator is faulty. {_DAMAGED}"
    )
    figure = f"{overlaps:,} overlaps, {disorders:,} rows out of order"
    return Check("one_at_a_time", status, figure, "none", meaning)


_SURELY_WRONG = 0.01
"""From so many wrong ones among those that count as ok on, failures are counted as wrongly as `unsent_late` would allow."""


def answers(evidence: Evidence) -> Check:
    """Every poll that counts as ok has a right status and length, and bytes were compared now and then.

    Of the article's endpoints that is status 200 and exactly one length, of others what their target says.

    The compared ones speak for the rest: where one of them had other bytes, some of those that count as ok had, too. Invalid
    where these are more than 1 % with a confidence of 99 %.
    """
    ok = evidence.rows.filter(pl.col("outcome") == "ok")
    wrong = int(ok.select((~expected.right(evidence.record)).sum()).item())
    compared = sum(int(item.get("checksums", 0)) for item in evidence.instances)
    found = samples(evidence)
    worst = max(found, key=lambda sample: sample.surely_wrong)
    status: Status = "valid"
    meaning = "Answers that count as ok were complete and right."
    compares = any(expected.compares(evidence.record, name) for name in evidence.record.endpoints)
    if evidence.instances and compares and compared == 0 and max(ok["round"], default=0) >= _LONG_ROUNDS:
        status = "suspect"
        meaning = "No answer's bytes were compared, so only lengths vouch for them. Run for longer."
    if worst.surely_wrong > 0:
        status = "invalid" if worst.surely_wrong > _SURELY_WRONG else "suspect"
        meaning = _bytes_changed(worst, letters(evidence.record.endpoints)[worst.endpoint])
    if wrong:
        status = "invalid"
        meaning = f"Polls count as ok although their answer was not the right one. {_DAMAGED}"
    differed = sum(sample.differed for sample in found)
    figure = f"{wrong:,} wrong of {len(ok):,}"
    if compares or compared:
        figure += f"; bytes of {compared:,} compared, {differed:,} differed"
    return Check("answers", status, figure, "none wrong, none differed", meaning)


def _bytes_changed(sample: Sample, called: str) -> str:
    low, high = sample.bounds
    return (
        f"Of {sample.compared:,} answers to {called} whose bytes were compared, "
        f"{sample.differed:,} had the right length but other bytes than before the load. Only one answer in 64 is "
        f"compared: of the {sample.unseen:,} others that count as ok, {low:.2%} to {high:.2%} were probably wrong too. "
        "Find out why the answers change (a time or a counter in them, another server behind the address), and measure "
        "answers that stay the same."
    )


def totals(evidence: Evidence) -> Check:
    """What generators counted while running agrees with the rows: two ways of counting, one answer."""
    name = "totals"
    if not evidence.record.finished or any("attempts" not in item for item in evidence.instances):
        return not_applicable(name, "A generator ended before it had given its counts.")
    counted: dict[str, int] = evidence.record.facts["totals"]
    rows = count(evidence.polls)
    off = [
        f"{key}: {counted.get(key):,} counted, {value:,} rows" for key, value in rows.items() if counted.get(key) != value
    ]
    status: Status = "invalid" if off else "valid"
    meaning = (
        "What the generators counted is what the record holds."
        if status == "valid"
        else f"Generators counted something else than the record holds ({'; '.join(off)}). {_DAMAGED}"
    )
    return Check(name, status, f"{len(off)} of {len(rows)} differ", "none", meaning)


def cut_short(evidence: Evidence) -> Check:
    """Whether the run lasted as long as was asked for."""
    record = evidence.record
    asked = record.scenario.window_s
    reason = record.facts.get("cut_short") if record.finished else "it broke off without a word"
    figure, limit = f"{record.window_s:.1f} s", f"{asked:,.10g} s"
    if not reason:
        return Check("cut_short", "valid", figure, limit, "The run lasted as long as was asked for.")
    meaning = (
        f"The run was cut short: {str(reason).rstrip('.')}. The figures cover its first {record.window_s:.1f} s; polls "
        "that were in flight then have no answer in them. Run again for the whole time."
    )
    return Check("cut_short", "suspect", figure, limit, meaning)


def calibration(evidence: Evidence) -> Check:
    """Whether this machine and these versions have been measured against known answers."""
    name = "calibration"
    certificate = evidence.record.started.get("environment", {}).get("calibration")
    if not certificate:
        return not_applicable(name, "There is no certificate for this machine and versions; `make calibrate` makes one.")
    engine, engines = evidence.record.scenario.engine, certificate.get("engines", ("httpx",))
    if engine not in engines:
        tried = ", ".join(engines)
        return not_applicable(name, f"The calibration of {certificate['certified_at']} did not try {engine}, only {tried}.")
    trials = sum(part["passed"] + part["failed"] for part in certificate["parts"].values())
    failed = len(certificate["failed"])
    figure = f"{trials - failed} of {trials} trials passed, {certificate['certified_at']}"
    if certificate["passed"]:
        return Check(name, "valid", figure, "all", "The instrument gave right figures and verdicts on this machine.")
    meaning = (
        f"The instrument failed trials on this machine ({'; '.join(certificate['failed'][:3])}). See the report of the "
        "calibration, and repeat it when the machine is quiet."
    )
    return Check(name, "suspect", figure, "all", meaning)
