"""A run of many hours is analysed as one of minutes is."""

from pathlib import Path

from experiments.analyse import summary
from experiments.record.state import Fault, Gap, GapKind
from tests.support.long_run import long_run
from tests.support.made_up import made_up


def test_a_long_record_is_as_whole_as_the_short_one(tmp_path: Path) -> None:
    """Each poll of a plan three times as long is there once, as it was written; there are three times as many, as quick."""
    short = made_up(tmp_path)
    long = long_run(short, tmp_path, times=3)
    one, three = summary.summarise(short), summary.summarise(long)
    assert three["verdict"]["status"] == one["verdict"]["status"] == "valid"
    for name in ("status", "bulk"):
        assert three["endpoints"][name]["planned"] == 3 * one["endpoints"][name]["planned"]
        assert three["endpoints"][name]["response_ms"]["p50"] == one["endpoints"][name]["response_ms"]["p50"]
        assert three["endpoints"][name]["response_ms"]["max"] == one["endpoints"][name]["response_ms"]["max"]


def test_a_changed_part_of_many_is_left_out(tmp_path: Path) -> None:
    """Parts are opened together, and each is held against its own checksum."""
    long = long_run(made_up(tmp_path), tmp_path, times=2)
    part = sorted((long.path / "requests").iterdir())[3]
    before = long.requests().height
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    again = type(long)(long.path)
    rows = again.requests().height
    assert again.gaps == (Gap(GapKind.ROWS, part.name, Fault.CHANGED),)
    assert 0 < before - rows < before / 5
