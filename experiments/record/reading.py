"""A run directory, opened: finished or not, whole or damaged. It is never written to.

Path -> `Record`, which says what is there and what is missing; `store` describes the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.errors import RecordError
from experiments.record import schema, tables
from experiments.record.parts import Parts
from experiments.record.state import Cut, CutKind, Fault, Gap, GapKind

if TYPE_CHECKING:
    import polars as pl

    from experiments.scenario import Scenario
    from experiments.schedule import Plan

SAMPLES = "resources.parquet"


def default_results_dir() -> Path:
    """`results/` of the project that this package belongs to, or of the current folder where it is installed alone."""
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "notebooks").is_dir() else Path.cwd()) / "results"


def results_dir(asked: str) -> Path:
    """The folder of that name, or the default where none is asked for."""
    return Path(asked).expanduser() if asked else default_results_dir()


def find(path: str | Path) -> Path:
    """The folder of that path, or the one of that name in the project's `results/`."""
    place = Path(path).expanduser()
    ours = default_results_dir() / place
    return ours if not place.is_dir() and ours.is_dir() else place


def load(path: str | Path) -> Record:
    """Opens the record of a run, finished or not.

    Args:
        path: a run directory, or the run_id of one in the project's `results/`.

    Raises:
        RecordError: there is no record there, or a newer lab wrote it.
    """
    place = find(path)
    if not (place / "started.json").is_file():
        raise RecordError(f"{place} is not a run directory: it holds no started.json; give the folder of one run.")
    record = Record(place.resolve())
    version = record.started.get("schema_version")
    if version not in schema.READABLE:
        raise RecordError(
            f"{place} has record schema {version!r}, this lab reads {schema.READABLE[0]} to {schema.SCHEMA_VERSION}: open "
            "it with the lab that wrote it."
        )
    return record


@dataclass(frozen=True)
class Record:
    """One run on disk."""

    path: Path

    @cached_property
    def started(self) -> dict[str, Any]:
        """What was known before the load: schema_version, run_id, started_at, scenario, environment."""
        return _read_json(self.path / "started.json")

    @cached_property
    def facts(self) -> dict[str, Any]:
        """`run.json`; for an unfinished run what was known before the load."""
        return _read_json(self.path / "run.json") if self.finished else self.started

    @property
    def finished(self) -> bool:
        """Whether the run came to its own end and was sealed."""
        return (self.path / "run.json").is_file()

    @property
    def run_id(self) -> str:
        return str(self.started["run_id"])

    @cached_property
    def scenario(self) -> Scenario:
        """The question that this run answers."""
        from experiments.scenario import Scenario

        return Scenario(**self.started["scenario"])

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """The names of what was polled, in the target's order; status and bulk in a record of schema 1."""
        return tuple(self.started.get("endpoints", schema.ENDPOINTS))

    @cached_property
    def plan(self) -> Plan:
        """The polls that were asked for; made again without the target's file."""
        from experiments.schedule import Plan

        told = self.started.get("plan")
        return self.scenario.plan if told is None else Plan(**told)

    @property
    def target(self) -> dict[str, Any]:
        """The target as it may be shown; empty in a record of schema 1."""
        told: dict[str, Any] = self.started.get("target", {})
        return told

    @cached_property
    def window_s(self) -> float:
        """Length of the window that was really measured; shorter than asked for in a run that was cut short."""
        if self.finished:
            return float(self.facts["window_s"])
        return self._seen_until

    @cached_property
    def cut_short(self) -> Cut | None:
        """Why the window closed before its time; None where it did not."""
        return Cut.of(self.facts) if self.finished else Cut(CutKind.BROKEN_OFF)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """What is not there and should be, a sentence each; empty for a whole record."""
        writers = [*self.facts.get("generator", {}).get("instances", ()), self.facts.get("sampler", {})]
        return (*map(str, self.gaps), *(str(writer["error"]) for writer in writers if writer.get("error")))

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The files that are not there, or not whole: what can be seen without anybody's word."""
        gaps = []
        if not self.finished:
            gaps.append(Gap(GapKind.SEAL, "run.json"))
        gaps += [Gap(GapKind.ROWS, path.name, fault) for path in self.rows.paths if (fault := self.rows.fault(path))]
        gaps += [Gap(GapKind.ROWS, f"part-{instance}-{number}.parquet") for instance, number in sorted(self._lost)]
        if fault := self._samples.fault if self._samples else Fault.MISSING:
            gaps.append(Gap(GapKind.SAMPLES, SAMPLES, fault))
        return tuple(gaps)

    def requests(self) -> pl.DataFrame:
        """All polls, with the columns of `schema.REQUESTS`, in no particular order; those of a damaged part are left out."""
        import polars as pl

        return pl.concat(self.rows.batches())

    def resources(self) -> pl.DataFrame:
        """All samples, with the columns of `schema.RESOURCES`, by time; none where the file is damaged."""
        import polars as pl

        frame = self._samples.frame if self._samples else None
        return pl.DataFrame(schema=schema.dtypes(schema.RESOURCES)) if frame is None else frame.sort("t_s")

    def summary(self) -> dict[str, Any]:
        """`summary.json` as it was stored last.

        Raises:
            RecordError: it has not been made yet; `experiments.summarise` makes it.
        """
        path = self.path / "summary.json"
        if not path.is_file():
            raise RecordError(f"{self.path} has no summary yet; experiments.summarise(record) makes it.")
        return _read_json(path)

    @cached_property
    def written(self) -> dict[str, str]:
        """File, by its place in the run directory -> its SHA-256 when it was written; of a sealed run."""
        found = {
            f"requests/part-{item['instance']}-{number}.parquet": checksum
            for item in self.facts.get("generator", {}).get("instances", ())
            for number, checksum in enumerate(item.get("part_sha256", ()))
            if checksum
        }
        if samples := self.facts.get("sampler", {}).get("sha256"):
            found[SAMPLES] = samples
        return found

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the files that are there and not what was written."""
        return tuple(gap.file for gap in self.gaps if gap.fault is Fault.CHANGED)

    @cached_property
    def rows(self) -> Parts:
        """The parts, each looked at when it is asked for."""
        written = {name.removeprefix("requests/"): checksum for name, checksum in self.written.items()}
        return Parts(self.path / "requests", tables.Shape(schema.REQUESTS, self.endpoints), written)

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What readers have worked out of this record, each by a name of its own: many polls are gone through once."""
        return {}

    @cached_property
    def _samples(self) -> tables.Table | None:
        """None where there is no such file."""
        path = self.path / SAMPLES
        shape = tables.Shape(schema.RESOURCES)
        return tables.read(path, shape, self.written.get(SAMPLES)) if path.is_file() else None

    def parts(self, instance: int) -> int:
        """How many parts of a generator there are, or must have been."""
        return max((number + 1 for number, of in self.rows.numbers if of == instance), default=0)

    @cached_property
    def _lost(self) -> set[tuple[int, int]]:
        """(instance, number) of parts that must have existed: below the highest seen, or as run.json counts them."""
        seen = {(instance, number) for number, instance in self.rows.numbers}
        counts = {instance: number + 1 for instance, number in sorted(seen)}
        for item in self.facts.get("generator", {}).get("instances", ()):
            counts[item["instance"]] = max(counts.get(item["instance"], 0), item.get("parts", 0))
        return {(instance, number) for instance, count in counts.items() for number in range(count)} - seen

    @cached_property
    def _seen_until(self) -> float:
        """Up to when an unfinished run is known: the last poll that ended."""
        latest = [most for rows in self.rows.batches(["done_s"]) if isinstance(most := rows["done_s"].max(), float)]
        return min(self.scenario.window_s, max([0.0, *latest]))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read ({error}); the record is damaged there.") from None
    if not isinstance(content, dict):
        raise RecordError(f"{path} does not hold a JSON object; the record is damaged there.")
    return content
