"""A user's own transport has a fault: nothing is lost, and the blame is right."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import experiments as lab
from experiments.errors import GeneratorError, ServerContractError
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.subprocess import GeneratorProcess, KernelGenerator
from experiments.present.pages.run import Page
from experiments.progress import Progress
from experiments.schedule import Plan
from tests.faults import transports
from tests.faults.harm import assert_all_answered, assert_all_planned, check, ends, scenario

pytestmark = pytest.mark.slow


def shard(folder: Path, transport: str) -> Shard:
    """Three devices that nobody answers: they are made ready, and never started."""
    plan = Plan.of_ratio(3, 1.0, 1, 0, "spread", "fixed", 1, 0.0, 1.0)
    target = Target.hello("http://127.0.0.1:1", ("127.0.0.1", 1), True, 1.0, (100, 100), (0, 0))
    return Shard(str(folder), 0, 1, "httpx", plan, target, f"tests.faults.transports:{transport}")


def prepared(folder: Path, transport: str, kind: type[GeneratorProcess | KernelGenerator]) -> str:
    """What the generator printed until it was ready."""

    async def main() -> str:
        generator = kind(shard(folder, transport))
        try:
            await generator.prepare()
            log = folder / "generator-0.log"
            return log.read_text() if log.exists() else ""
        finally:
            await generator.close()

    return asyncio.run(main())


def test_transports_are_made_before_a_generator_is_ready(tmp_path: Path) -> None:
    """However long that takes: when the start is set, every device has its own."""
    assert prepared(tmp_path, "told", GeneratorProcess).count(transports.LOUD) == 3


@pytest.mark.parametrize("kind", [GeneratorProcess, KernelGenerator])
@pytest.mark.parametrize(
    ("transport", "said"),
    [
        ("refusing", "transport='tests.faults.transports:refusing' failed when it was called for device 0 (KeyError('cer"),
        ("nothing", "transport='tests.faults.transports:nothing' made a NoneType, which is no httpx.AsyncBaseTransport."),
        ("missing", "transport='tests.faults.transports:missing' cannot be imported (AttributeError("),
    ],
)
def test_a_factory_that_fails_is_told_before_the_load(tmp_path: Path, kind: Any, transport: str, said: str) -> None:
    """The error is one sentence with what was raised, and does not send the reader to a log."""
    with pytest.raises(GeneratorError) as error:
        prepared(tmp_path, transport, kind)
    assert str(error.value).startswith(said)
    assert "log" not in str(error.value)


@pytest.mark.parametrize("generators", [0, 1])
def test_a_transport_that_cannot_be_closed_loses_nothing(tmp_path: Path, generators: int) -> None:
    """Facts and rows are whole, and the page says once what happened."""
    record = lab.run(scenario(tmp_path, generators=generators), transport=transports.Unclosable)
    assert_all_planned(record)
    assert_all_answered(record)
    (facts,) = record.facts["generator"]["instances"]
    assert (facts["closing_error"], facts["error"]) == ("ValueError('it is stuck'), 10 of 10 times", None)
    assert Page(record).verdict().content.count("it is stuck") == 1


def test_a_transport_that_prints_and_reads_is_not_heard_by_the_run(tmp_path: Path) -> None:
    """What it prints is in the generator's log, not between the words of the generator."""
    record = lab.run(scenario(tmp_path), transport=transports.Chatty)
    assert_all_planned(record)
    assert_all_answered(record)
    assert '{"facts": nullmore' in (record.path / "generator-0.log").read_text()


def test_a_transport_with_a_fault_is_named(tmp_path: Path) -> None:
    """The polls are the generator's errors; the check says which transport and which error, not only what may be short."""
    record = lab.run(scenario(tmp_path), transport=transports.Tiring)
    assert "generator_error" in ends(record)
    found = check(record, "generator_errors")
    assert found["kind"] == "failed"
    assert "RuntimeError('no such setting')" in found["meaning"]
    assert "tests.faults.transports:Tiring" in found["advice"]


def test_a_transport_that_never_works_is_refused_before_the_load(tmp_path: Path) -> None:
    """The first device asks through it, and its own words are told."""
    with pytest.raises(ServerContractError, match=r"there was no answer: RuntimeError\('no such setting'\)"):
        lab.run(scenario(tmp_path), transport=transports.Faulty)


def test_who_looks_on_and_raises_does_not_end_the_run(tmp_path: Path) -> None:
    """The run is sealed, every poll is there, and the error is shown once."""
    seen: list[str] = []

    def look(progress: Progress) -> None:
        seen.append(progress.phase)
        raise ZeroDivisionError("by me")

    with pytest.warns(RuntimeWarning, match="on_progress raised ZeroDivisionError") as shown:
        record = lab.run(scenario(tmp_path), on_progress=look)
    assert len(shown) == 1
    assert {"starting", "measuring", "analysing"} <= {*seen}
    assert record.finished
    assert_all_planned(record)
    assert_all_answered(record)
