"""What is said of this machine."""

import pytest

from experiments.measure.host import fingerprint


@pytest.mark.parametrize(
    ("lines", "virtual"),
    [
        (["flags\t\t: fpu vme hypervisor lahf_lm"], True),
        (["flags\t\t: fpu vme lahf_lm"], False),
        (["Features\t: fp asimd evtstrm"], None),
        ([], None),
    ],
)
def test_a_machine_that_does_not_say_so_is_not_called_real(lines: list[str], virtual: bool | None) -> None:
    """The processor's flags tell of a hypervisor; where there are none, nothing is known."""
    assert fingerprint.is_virtual(lines) is virtual


def test_what_the_report_shows_of_a_machine_is_written() -> None:
    """The provenance reads `hypervisor`, and nothing that no fingerprint has."""
    assert "hypervisor" in fingerprint.fingerprint()
