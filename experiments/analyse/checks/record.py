"""Is the record whole and in itself consistent? A hole or a changed row makes every figure doubtful.

Evidence -> one finding a function. Hardly anything is graded here: a figure that is not exactly right is wrong, so no limit
had to be set. Seen in each of 5 positive controls of 11,000 polls: no flaw, no changed part, no overlap, no difference of
a count.
Three rows of 11,000 removed or doubled, a part lost, or the slowest answers made faster were each found out.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks import expected
from experiments.analyse.checks.evidence import Evidence, Found, Status, number, unknown
from experiments.analyse.checks.limits import BYTES_CHANGED
from experiments.analyse.checks.sampled_bytes import Sample, samples
from experiments.analyse.polls import count
from experiments.analyse.targets.naming import letters
from experiments.record.state import Fault, GapKind

_LONG_ROUNDS = 100
"""From so many rounds on, every device should have had some answer's bytes compared."""


def rows_complete(evidence: Evidence) -> Found:
    """Every planned poll has one row, where the plan puts it; the plan is made again from the record."""
    record, found = evidence.record, evidence.digest.comparison.result()
    gaps = [gap for gap in record.gaps if gap.kind is not GapKind.SEAL]
    parts = [gap for gap in gaps if gap.kind is GapKind.ROWS]
    flaws = [f"{count:,} polls {name}" for name, count in found.flaws.items()]
    lost = [f"{found.unwritten:,} polls were never written"] if found.unwritten else []
    kind, faults = "whole", list[str]()
    status: Status = "valid"
    if flaws or parts:
        kind, status, faults = "damaged", "invalid", [*map(str, parts), *flaws]
    elif not evidence.planned:
        kind, status = "empty", "invalid"
    elif lost or gaps:
        kind, status, faults = "not_whole", "suspect", [*map(str, gaps), *lost]
    said = ", ".join(f"{count:,} {name}" for name, count in found.flaws.items())
    return Found(
        kind=kind,
        status=status,
        figure=f"{evidence.planned:,} rows in the window; {said or 'no flaw'}",
        limit="each planned poll once, due by the plan",
        values={"faults": "; ".join(faults)},
    )


def untouched(evidence: Evidence) -> Found:
    """Every file is, byte for byte, what was written. What is not is left out of all figures."""
    record = evidence.record
    if not record.written:
        return unknown("no_checksums")
    there = [file for file in record.written if (record.path / file).is_file()]
    changed = [gap for gap in record.gaps if gap.fault is Fault.CHANGED]
    parts = [gap for gap in changed if gap.kind is GapKind.ROWS]
    return Found(
        kind="changed" if parts else "samples_changed" if changed else "as_written",
        status="invalid" if parts else "suspect" if changed else "valid",
        figure=f"{len(changed)} of {len(there)} files changed",
        limit="none",
        values={"files": ", ".join(gap.file for gap in changed[:3])},
    )


def one_at_a_time(evidence: Evidence) -> Found:
    """No device has two polls at once; due <= ready <= sent <= done, and ready is due or when the device came free."""
    overlaps, disorders = evidence.digest.overlaps, evidence.digest.disorders
    return Found(
        kind="contradicting" if overlaps or disorders else "one",
        status="invalid" if overlaps or disorders else "valid",
        figure=f"{overlaps:,} overlaps, {disorders:,} rows out of order",
        limit="none",
    )


def answers(evidence: Evidence) -> Found:
    """Every poll that counts as ok has a right status and length, and bytes were compared now and then.

    Of the article's endpoints that is status 200 and exactly one length, of others what their target says.

    The compared ones speak for the rest: where one of them had other bytes, some of those that count as ok had, too.
    """
    ok = evidence.all_counts.filter(pl.col("outcome") == "ok")
    wrong = number(ok, ~pl.col("right"))
    compared = sum(int(item.get("checksums", 0)) for item in evidence.instances)
    found = samples(evidence)
    worst = max(found, key=lambda sample: sample.surely_wrong)
    compares = any(expected.compares(evidence.record, name) for name in evidence.record.endpoints)
    kind, status = "right", BYTES_CHANGED.grade(worst.surely_wrong)
    if wrong:
        kind, status = "wrong", "invalid"
    elif status != "valid":
        kind = "changing"
    elif evidence.instances and compares and compared == 0 and max(ok["last_round"], default=0) >= _LONG_ROUNDS:
        kind, status = "uncompared", "suspect"
    differed = sum(sample.differed for sample in found)
    looked = f"; bytes of {compared:,} compared, {differed:,} differed" if compares or compared else ""
    return Found(
        kind=kind,
        status=status,
        figure=f"{wrong:,} wrong of {number(ok):,}{looked}",
        limit="none wrong, none differed",
        values=_of_sample(worst, letters(evidence.record.endpoints)[worst.endpoint]),
    )


def _of_sample(sample: Sample, called: str) -> dict[str, object]:
    low, high = sample.bounds
    return {
        "endpoint": called,
        "compared": sample.compared,
        "differed": sample.differed,
        "unseen": sample.unseen,
        "low": low,
        "high": high,
    }


def totals(evidence: Evidence) -> Found:
    """What generators counted while running agrees with the rows: two ways of counting, one answer."""
    if not evidence.record.finished or any("attempts" not in item for item in evidence.instances):
        return unknown("uncounted")
    counted: dict[str, int] = evidence.record.facts["totals"]
    rows = count(evidence.counts)
    off = [
        f"{key}: {counted.get(key):,} counted, {value:,} rows" for key, value in rows.items() if counted.get(key) != value
    ]
    return Found(
        kind="differ" if off else "agree",
        status="invalid" if off else "valid",
        figure=f"{len(off)} of {len(rows)} differ",
        limit="none",
        values={"differences": "; ".join(off)},
    )


def cut_short(evidence: Evidence) -> Found:
    """Whether the run lasted as long as was asked for."""
    record = evidence.record
    cut = record.cut_short
    return Found(
        kind="cut" if cut else "whole",
        status="suspect" if cut else "valid",
        figure=f"{record.window_s:.1f} s",
        limit=f"{record.scenario.window_s:,.10g} s",
        values={"why": str(cut).rstrip("."), "window_s": record.window_s},
    )


def calibration(evidence: Evidence) -> Found:
    """Whether this machine and these versions have been measured against known answers."""
    certificate = evidence.record.started.get("environment", {}).get("calibration")
    if not certificate:
        return unknown("none")
    engine, engines = evidence.record.scenario.engine, certificate.get("engines", ("httpx",))
    if engine not in engines:
        tried = ", ".join(engines)
        return unknown("other_engine", certified_at=certificate["certified_at"], engine=engine, tried=tried)
    trials = sum(part["passed"] + part["failed"] for part in certificate["parts"].values())
    failed = len(certificate["failed"])
    return Found(
        kind="passed" if certificate["passed"] else "failed",
        status="valid" if certificate["passed"] else "suspect",
        figure=f"{trials - failed} of {trials} trials passed, {certificate['certified_at']}",
        limit="all",
        values={"trials": "; ".join(certificate["failed"][:3])},
    )
