"""Response times of a run as a histogram log, which HdrHistogram's own tools read: `response.hlog`.

One histogram an interval and endpoint, tagged with the endpoint; values in nanoseconds with three digits, so that tools show
milliseconds. In it is what the percentiles of the summary rest on: polls answered right, and those never answered at the
time that they had waited.

Source: HdrHistogram, HistogramLogWriter, log format 1.3 (tags).
"""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import polars as pl
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter

from experiments.record.reading import Record
from experiments.record.schema import UNANSWERED

MOST_INTERVALS = 60
_LONGEST_NS = 4 * 3600 * 10**9
"""Above a timeout and the time before it, of which each is at most an hour."""
_DIGITS = 3


def log(record: Record, polls: pl.DataFrame) -> str:
    """The whole log.

    Args:
        polls: of the measured window, as `analyse.polls.prepare` gives them.
    """
    written = io.StringIO()
    writer = HistogramLogWriter(written)
    writer.output_comment("[Histogram log format version 1.3]")
    writer.output_comment(f"[{record.run_id}: response times in ns; a poll never answered stands at the time it had waited]")
    began_s = _began(record)
    written.write(f"#[StartTime: {began_s:.3f} (seconds since epoch), {record.started.get('started_at')}]\n")
    writer.output_base_time(1000 * began_s)
    written.write('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')
    length_s = max(1.0, record.window_s / MOST_INTERVALS)
    for (step, endpoint), rows in _counted(polls, length_s):
        histogram = HdrHistogram(1, _LONGEST_NS, _DIGITS)
        for value, times in rows.select("ns", "polls").iter_rows():
            histogram.record_value(value, times)
        # The writer takes 0 for "not given"; the first interval starts a microsecond later than the window.
        start_s = max(1e-6, step * length_s)
        written.write(f"Tag={endpoint},")
        writer.output_interval_histogram(histogram, start_s, min(record.window_s, (step + 1) * length_s))
    return written.getvalue()


def write(path: Path, record: Record, polls: pl.DataFrame) -> None:
    """Writes the log of a record."""
    path.write_text(log(record, polls), encoding="utf-8")


def _counted(polls: pl.DataFrame, length_s: float) -> list[tuple[tuple[int, str], pl.DataFrame]]:
    """(interval, endpoint) -> its values and how often each came; at the histogram's resolution, in order of time."""
    timed = polls.filter(pl.col("outcome").is_in(("ok", *UNANSWERED)) & pl.col("response_s").is_not_null())
    rows = timed.select(
        step=(pl.col("due_s") / length_s).floor().cast(pl.Int64),
        endpoint=pl.col("endpoint").cast(pl.String),
        ns=(1e9 * pl.col("response_s")).clip(1, _LONGEST_NS).round_sig_figs(_DIGITS + 1).cast(pl.Int64),
    )
    counts = rows.group_by("step", "endpoint", "ns").agg(polls=pl.len()).sort("step", "endpoint", "ns")
    return [(key, part) for key, part in counts.partition_by("step", "endpoint", as_dict=True).items()]


def _began(record: Record) -> float:
    told = record.facts.get("window_started_at") or record.started.get("started_at")
    try:
        return datetime.fromisoformat(str(told).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
