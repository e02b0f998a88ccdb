"""What papermill was given, read from its command line."""

from pathlib import Path
from typing import Any

import pytest

from experiments.typed import told, typed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("012", "012"),
        ("1:40", "1:40"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2026-11-25", "2026-11-25"),
        (".inf", ".inf"),
        ("'7'", "7"),
        ("7", 7),
        ("-7", -7),
        ("0", 0),
        ("0.5", 0.5),
        ("5.", 5.0),
        (".5", 0.5),
        ("true", True),
        ("null", None),
        ("[012, 1:40, 3]", ["012", "1:40", 3]),
    ],
)
def test_in_yaml_only_a_decimal_number_is_a_number(written: str, meant: Any, tmp_path: Path) -> None:
    """Octal, sexagesimal and hexadecimal numbers and dates stay the texts that a reader sees."""
    (tmp_path / "asked.yaml").write_text(f"name: {written}\n")
    for words in (["-f", "asked.yaml"], ["--parameters_file=asked.yaml"], ["-y", f"name: {written}"]):
        assert told(["papermill", *words], tmp_path)["name"].meant == meant


@pytest.mark.parametrize(
    ("text", "read"),
    [("007", 7), ("1e3", 1000.0), ("20261125", 20261125), ("True", True), ("None", None), ("a=b", "a=b"), ("-1", -1)],
)
def test_a_text_is_kept_beside_what_papermill_makes_of_it(text: str, read: object) -> None:
    """By what papermill makes of it, a value that was changed later is told apart."""
    one = told(["papermill", "run.ipynb", "out.ipynb", "-p", "name", text, "-k", "python3"], Path())["name"]
    assert (one.read, one.meant, one.of_yaml) == (read, text, False)


def test_what_papermill_takes_last_counts(tmp_path: Path) -> None:
    """-p comes after files, wherever they stand."""
    (tmp_path / "asked.yaml").write_text("name: 012\nother: 013\n")
    given = told(["papermill", "-p", "name", "5", "-f", "asked.yaml"], tmp_path)
    assert (given["name"].meant, given["other"].meant) == ("5", "013")


@pytest.mark.parametrize("words", [[], ["-p"], ["-p", "name"], ["-f"], ["-f", "none.yaml"], ["-y", "- 1"], ["-y", "{"]])
def test_what_cannot_be_read_says_nothing(words: list[str], tmp_path: Path) -> None:
    """A command line that papermill itself will refuse, or a file that is gone, is no reason to fail here."""
    assert told(["papermill", *words], tmp_path) == {}


def test_without_papermill_nothing_is_known() -> None:
    """This process was started by none."""
    assert typed() == {}
