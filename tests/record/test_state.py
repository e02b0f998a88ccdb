"""Kinds of gaps and of early ends: data that is written down, and read again from records of any age."""

import pytest

from experiments.record.state import Cut, CutKind, Fault, Gap, GapKind


@pytest.mark.parametrize(
    "cut",
    [Cut(CutKind.INTERRUPTED), Cut(CutKind.GENERATOR_LOST, "generator 0 was lost"), Cut(CutKind.ROWS_LOST, "disk full")],
    ids=lambda cut: cut.kind,
)
def test_why_a_window_closed_early_is_kept(cut: Cut) -> None:
    """Its kind for programs, its words for people."""
    found = Cut.of(cut.facts())
    assert found is not None
    assert (found.kind, str(found)) == (cut.kind, str(cut))


def test_a_run_that_lasted_was_not_cut_short() -> None:
    """Neither by this lab nor by an older one."""
    assert Cut.of({"cut_short": None, "cut_short_kind": None}) is None
    assert Cut.of({}) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [("interrupted by the experimenter", CutKind.INTERRUPTED), ("generator 3 was ended by SIGKILL", CutKind.OTHER)],
)
def test_an_older_record_says_it_in_words(said: str, kind: CutKind) -> None:
    """They are understood where they are known, and kept as they are."""
    found = Cut.of({"cut_short": said})
    assert found is not None
    assert (found.kind, str(found)) == (kind, said)


@pytest.mark.parametrize("kind", GapKind)
@pytest.mark.parametrize("fault", Fault)
def test_every_gap_names_its_file(kind: GapKind, fault: Fault) -> None:
    """In a sentence without a full stop."""
    said = str(Gap(kind, "the-file", fault))
    assert said.startswith(f"the-file {fault.words}")
    assert not said.endswith(".")
