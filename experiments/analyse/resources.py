"""What a run cost: processors and memory of the server, the generators and everybody else.

Record -> tables and totals. CPU is recorded as cumulative seconds, so rates are exact differences;
figures over the window are interpolated at its two ends. Cores: CPU seconds a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from experiments.record.reading import Record

_THROTTLING = ("quota_periods", "throttled_periods", "throttled_s")
_NETWORK = ("syn_retransmits", "listen_overflows", "listen_drops")


def usage(record: Record) -> pl.DataFrame:
    """Each sample of each process group, CPU as the rate since the sample before.

    Returns:
        frame(t_s, group, instance, cores, rss_bytes, uss_bytes, threads, fds, connections,
        processes, throttled_share); without the host, and without each group's first sample. `throttled_share` is that
        of the periods since the sample before in which a CPU quota was used up; null without a quota.
    """
    one = ["group", "instance"]
    samples = record.resources().filter(pl.col("group") != "host").sort("t_s")
    cores = (pl.col("cpu_s").diff() / pl.col("t_s").diff()).over(one)
    names = ("rss_bytes", "uss_bytes", "threads", "fds", "connections", "processes")
    periods, throttled = (pl.col(name).cast(pl.Int64).diff().over(one) for name in ("quota_periods", "throttled_periods"))
    samples = samples.with_columns(cores=cores, throttled_share=pl.when(periods > 0).then(throttled / periods))
    return samples.drop_nulls("cores").select("t_s", *one, "cores", *names, "throttled_share")


def host(record: Record) -> pl.DataFrame:
    """The whole machine, as rates since the sample before.

    Returns:
        frame(t_s, busy_cores, steal_cores, others_cores, core_0, core_1 ...): `others_cores` is what
        neither server, generators, database nor this kernel used; `core_n` is a core's busy share, 0-1.
    """
    samples = record.resources()
    ours = _ours(_on_this_machine(record, samples))
    machine = samples.filter(pl.col("group") == "host").join(ours, on="t_s", how="left").sort("t_s")
    per_core = machine["core_busy_s"].list.len().max()
    cores = per_core if isinstance(per_core, int) else 0
    step = pl.col("t_s").diff()
    rates = {
        "busy_cores": pl.col("cpu_s").diff() / step,
        "steal_cores": pl.col("steal_s").diff() / step,
        # Process and host counters tick apart by some 10 ms, which may come out just below zero.
        "others_cores": ((pl.col("cpu_s") - pl.col("ours_s").fill_null(0)).diff() / step).clip(0),
    }
    rates |= {
        f"core_{number}": (pl.col("core_busy_s").list.get(number, null_on_oob=True).diff() / step).clip(0, 1)
        for number in range(cores)
    }
    return machine.select("t_s", **rates).slice(1)


@dataclass(frozen=True)
class Throttled:
    """What a CPU quota did over the measured window."""

    periods: float
    """Periods of the quota in which there was something to do."""
    throttled_periods: float
    """Those in which it was used up."""
    seconds: float
    """Time held back, summed over processors."""


@dataclass(frozen=True)
class Costs:
    """CPU over the measured window, or the part of it that was sampled."""

    start_s: float
    end_s: float
    """The part of the window that samples cover."""
    server_cores: float | None
    """Null where the server's processes could not be seen; so for the others."""
    generator_cores: dict[int, float]
    """Of each generator, by its number."""
    kernel_cores: float | None
    busy_cores: float | None
    """Of the whole machine."""
    steal_cores: float | None
    others_cores: float | None
    """Of the whole machine, less what is ours."""
    server_rss_peak_bytes: int | None
    database_cores: float | None = None
    """Of a PostgreSQL on this machine, all that it does; an SQLite is within the server."""

    throttled: dict[str, Throttled] = field(default_factory=dict)
    """Of the server, and of this kernel or the generator that runs in it, where a CPU quota holds for them."""

    network: dict[str, float] = field(default_factory=dict)
    """Growth of the counters of this machine's network namespace, those that were told; see `schema.RESOURCES`."""

    @property
    def seconds(self) -> float:
        """Length of the part that samples cover."""
        return self.end_s - self.start_s


def costs(record: Record, system: int = 0) -> Costs:
    """Means over the window from the cumulative CPU times.

    Args:
        system: number of the server, in a run with several.
    """
    samples = record.resources()
    start, end = _covered(samples, record.window_s)
    if end <= start:
        return Costs(0.0, 0.0, None, {}, None, None, None, None, None)
    rates = {
        (str(group), int(instance)): _rate(frame.sort("t_s"), "cpu_s", start, end)
        for (group, instance), frame in samples.group_by("group", "instance", maintain_order=True)
    }
    busy = rates.get(("host", 0))
    # In the record's order: a sum of the same numbers in another order differs in its last digits.
    here = _on_this_machine(record, samples).select("group", "instance").unique(maintain_order=True).rows()
    ours = sum(rates[group, instance] for group, instance in here if group != "host")
    machine = samples.filter(pl.col("group") == "host").drop_nulls("steal_s").sort("t_s")
    return Costs(
        start_s=start,
        end_s=end,
        server_cores=rates.get(("server", system)),
        generator_cores={number: rate for (group, number), rate in sorted(rates.items()) if group == "generator"},
        kernel_cores=rates.get(("kernel", 0)),
        busy_cores=busy,
        steal_cores=_rate(machine, "steal_s", start, end) if len(machine) else None,
        others_cores=None if busy is None else max(0.0, busy - ours),
        server_rss_peak_bytes=_peak(samples, system, start, end),
        database_cores=rates.get(("database", 0)),
        throttled=_throttled(samples, start, end),
        network=_growth(samples, "host", _NETWORK, start, end),
    )


def _covered(samples: pl.DataFrame, window_s: float) -> tuple[float, float]:
    """Where the part of the window begins and ends that samples cover, in seconds; ends at its start where none do."""
    times = samples.filter(pl.col("group") == "host")["t_s"]
    first, last = times.min(), times.max()
    start = max(0.0, float(first)) if isinstance(first, float) else 0.0
    return start, min(window_s, float(last)) if isinstance(last, float) else 0.0


def _throttled(samples: pl.DataFrame, start: float, end: float) -> dict[str, Throttled]:
    """By group; those whose quota was told."""
    groups = ("server", "kernel", "generator")
    grown = {group: _growth(samples, group, _THROTTLING, start, end) for group in groups}
    return {group: Throttled(*one.values()) for group, one in grown.items() if len(one) == len(_THROTTLING)}


def _on_this_machine(record: Record, samples: pl.DataFrame) -> pl.DataFrame:
    """Without the generators and workers of a fleet that were elsewhere: they took nothing of this machine."""
    instances = record.facts.get("generator", {}).get("instances", [])
    away = [item["instance"] for item in instances if not item.get("worker", {}).get("on_this_machine", True)]
    # Workers are sampled as kernels from 1 on.
    number = pl.when(pl.col("group") == "kernel").then(pl.col("instance").cast(pl.Int32) - 1).otherwise("instance")
    return samples.filter(~(pl.col("group").is_in(["generator", "kernel"]) & number.is_in(away)))


def _ours(samples: pl.DataFrame) -> pl.DataFrame:
    """Cumulative CPU of all that is ours when the host was sampled: frame(t_s, ours_s)."""
    times = samples.filter(pl.col("group") == "host").select("t_s")
    ours = [
        # Those of a fleet are sampled at instants of their own.
        times.join(one.select("t_s", "cpu_s"), on="t_s", how="full", coalesce=True)
        .sort("t_s")
        .with_columns(pl.col("cpu_s").interpolate_by("t_s").forward_fill().backward_fill())
        .join(times, on="t_s", how="semi")
        for one in samples.filter(pl.col("group") != "host").partition_by("group", "instance")
    ]
    if not ours:
        return times.with_columns(ours_s=pl.lit(0.0))
    return pl.concat(ours).group_by("t_s", maintain_order=True).agg(ours_s=pl.col("cpu_s").sum())


def _rate(samples: pl.DataFrame, column: str, start: float, end: float) -> float:
    """Growth of a cumulative column between two instants, by the second."""
    return (_at(samples, column, end) - _at(samples, column, start)) / (end - start)


def _growth(samples: pl.DataFrame, group: str, columns: tuple[str, ...], start: float, end: float) -> dict[str, float]:
    """By how much cumulative columns of a group grew between two instants; without those that were not told."""
    one = samples.filter((pl.col("group") == group) & (pl.col("instance") == 0))
    known = {column: seen for column in columns if len(seen := one.drop_nulls(column)) > 1}
    return {column: _rate(seen, column, start, end) * (end - start) for column, seen in known.items()}


def _at(samples: pl.DataFrame, column: str, instant: float) -> float:
    """A cumulative column at an instant, on the straight line between the samples around it."""
    times, values = samples["t_s"], samples[column]
    after = int(times.search_sorted(instant))
    if after == 0 or after == len(times):
        return float(values[min(after, len(times) - 1)])
    share = (instant - times[after - 1]) / (times[after] - times[after - 1])
    return float(values[after - 1] + share * (values[after] - values[after - 1]))


def _peak(samples: pl.DataFrame, system: int, start: float, end: float) -> int | None:
    of_it = (pl.col("group") == "server") & (pl.col("instance") == system)
    inside = samples.filter(of_it & pl.col("t_s").is_between(start, end))
    peak = inside["rss_bytes"].max()
    return int(peak) if isinstance(peak, int) else None
