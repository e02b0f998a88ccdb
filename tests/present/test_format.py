"""How figures are written for people."""

import pytest

from experiments.present import format


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.5123, "0.512"),
        (0.9996, "1.00"),
        (1.2345, "1.23"),
        (12.345, "12.3"),
        (123.45, "123"),
        (1234.5, "1,230"),
        (30000.0, "30,000"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_number_has_three_significant_digits(value: float | None, expected: str) -> None:
    """Three significant digits, no exponent, and a dash for what is not known."""
    assert format.number(value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (0.5, "0.5 s"), (45, "45 s"), (60, "1 min"), (65, "1 min 5 s"), (600, "10 min"), (7500, "2 h 5 min")],
)
def test_a_duration_reads_in_its_largest_units(seconds: float, expected: str) -> None:
    """Seconds become minutes and hours where these fit."""
    assert format.duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "–"), (100, "100 B"), (204_800, "205 kB"), (62_300_000, "62.3 MB"), (8.6e9, "8.60 GB")]
)
def test_a_size_reads_in_the_unit_that_fits(value: float | None, expected: str) -> None:
    """Bytes are written in decimal units."""
    assert format.size(value) == expected


def test_a_small_share_never_reads_as_nothing() -> None:
    """One poll in a million is not 0 %."""
    assert [format.percent(part, 1_000_000) for part in (0, 1, 20_000)] == ["0 %", "< 0.01 %", "2.00 %"]


def test_reasons_come_by_frequency() -> None:
    """The most frequent reason is named first, in words."""
    assert format.reasons({"reset": 1, "read_timeout": 1200, "closed": 0}) == "read timeout 1,200, reset 1"


def test_http_errors_come_with_their_codes() -> None:
    """429 and 503 need different remedies, so each is counted; of very many the rest is summed."""
    assert format.codes({"200": 900, "503": 12, "429": 12}) == "429: 12, 503: 12"
    assert format.reasons({"http_error": 24, "reset": 1}, {"503": 24}) == "http error 24 (503: 24), reset 1"
    many = {str(400 + number): 100 - number for number in range(format.MOST_CODES + 2)}
    assert format.codes(many).endswith(f"407: 93, others: {92 + 91}")
