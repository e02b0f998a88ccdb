"""How checks say their figures."""

import pytest

from experiments.analyse.checks.evidence import percentage


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (0.00001, "below 0.01 %"), (0.00042, "0.042 %"), (0.016, "1.6 %"), (0.523, "52 %"), (1.0, "100 %")],
)
def test_a_share_has_two_digits_and_never_an_exponent(share: float, said: str) -> None:
    """All of it is 100 %, not 1e+02 %."""
    assert percentage(share) == said
