"""The files of a record: opened by their bytes, held against their checksums, and never believed when damaged."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.analyse.checks.verdict import judge
from experiments.present.pages.run import Page
from experiments.record import reading, store
from experiments.record.reading import Record
from experiments.record.state import Fault, Gap, GapKind
from experiments.runner import summarise
from tests.support.made_up import SMALL, damage_facts, ideal, made_up

BRIEF = SMALL.model_copy(update={"minutes": 0.1, "run_id": "it"})
PART = "requests/part-0-0.parquet"
SAMPLES = "resources.parquet"


def sealed(place: Path, answer_ms: float = 5.0) -> Record:
    """A record with the checksums that measuring leaves, and its summary."""
    record = made_up(place, BRIEF, server=ideal(answer_ms / 1000))
    sums = [store.checksum(part) for part in sorted((record.path / "requests").iterdir())]
    damage_facts(record, lambda facts: facts["generator"]["instances"][0].update(part_sha256=sums))
    record = damage_facts(record, lambda facts: facts["sampler"].update(sha256=store.checksum(record.path / SAMPLES)))
    return summarise(record)


@pytest.mark.parametrize("name", ["lab[3]", "lab?", "la*", "lab[!x]", "{lab}", "lab%33", "**"])
def test_a_folder_is_a_name_and_never_a_pattern(tmp_path: Path, name: str) -> None:
    """Figures are those of the run that was named, also where a pattern of that name would find another one."""
    for twin in ("lab3", "lab"):
        sealed(tmp_path / twin, answer_ms=500.0)
    record = Record(sealed(tmp_path / name, answer_ms=5.0).path)
    assert record.path == (tmp_path / name / "it").resolve()
    assert record.gaps == ()
    assert record.resources().height > 0
    latest = (record.requests()["done_s"] - record.requests()["due_s"]).max()
    assert isinstance(latest, float)
    assert latest < 0.1


def cut_off(content: bytes) -> bytes:
    """A file of which the end is gone."""
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    """A file of 0 bytes."""
    return b""


def flipped(content: bytes) -> bytes:
    """A file with one bit changed, among its data."""
    place = len(content) // 3
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut_off, emptied, flipped])
@pytest.mark.parametrize("file", [PART, SAMPLES])
def test_a_damaged_file_is_named_and_its_figures_are_not_shown(
    tmp_path: Path, file: str, damage: Callable[[bytes], bytes]
) -> None:
    """It is left out, the sentence on top says so, and the summary that was made before is not shown instead."""
    path = sealed(tmp_path).path
    (path / file).write_bytes(damage((path / file).read_bytes()))
    record = reading.load(path)
    name = Path(file).name
    assert record.gaps == (Gap(GapKind.ROWS if file == PART else GapKind.SAMPLES, name, Fault.CHANGED),)
    assert record.changed == (name,)
    assert (record.requests().height, record.resources().height).count(0) == 1
    page = Page(record)
    assert str(record.gaps[0]) in page.verdict().content
    assert page.summary["verdict"]["status"] == ("invalid" if file == PART else "suspect")
    cores, polls = page.summary["server"]["cpu_cores_mean"], page.summary["endpoints"]["status"]["planned"]
    assert (cores is None, polls == 0) == ((True, False) if file == SAMPLES else (False, True))
    for cell in ("server_over_time", "generator_over_time", "costs", "headline", "provenance", "clients"):
        assert getattr(page, cell)() is not None


@pytest.mark.parametrize("damage", [cut_off, emptied])
@pytest.mark.parametrize("file", [PART, SAMPLES])
def test_without_checksums_what_cannot_be_read_is_said_in_the_same_words(
    tmp_path: Path, file: str, damage: Callable[[bytes], bytes]
) -> None:
    """A record of an earlier lab has no checksums of everything; no error of polars reaches anybody."""
    path = made_up(tmp_path, BRIEF).path
    (path / file).write_bytes(damage((path / file).read_bytes()))
    record = reading.load(path)
    kind = GapKind.ROWS if file == PART else GapKind.SAMPLES
    assert record.gaps == (Gap(kind, Path(file).name, Fault.UNREADABLE),)
    assert judge(record)["untouched"].status == "not_applicable"
    Page(record).server_over_time()


def test_a_table_with_other_columns_is_not_read(tmp_path: Path) -> None:
    """What another program wrote under that name is no record of ours."""
    path = made_up(tmp_path, BRIEF).path
    shutil.copy(path / PART, path / SAMPLES)
    assert reading.load(path).gaps == (Gap(GapKind.SAMPLES, SAMPLES, Fault.UNREADABLE),)


def test_an_untouched_record_says_how_many_files_were_compared(tmp_path: Path) -> None:
    """The check counts the parts and the samples, of which none has another checksum."""
    record = sealed(tmp_path)
    check = judge(record)["untouched"]
    assert (check.status, check.figure) == ("valid", f"0 of {len(record.written)} files changed")
    assert SAMPLES in record.written
