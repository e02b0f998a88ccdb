"""What a run against the server with known answers must report, worked out beforehand, and whether it did.

expected = expect(scenario, PROGRAMS["stall"])
assert all(line.ok for line in compare(record, expected))
"""

from experiments.studies.calibrate.known_answers.compare import Line, compare
from experiments.studies.calibrate.known_answers.expect import (
    LOADED,
    QUIET,
    STOCK,
    Expected,
    Figure,
    expect,
    with_exact_counts,
)
from experiments.studies.calibrate.known_answers.replay import Delays

__all__ = ["LOADED", "QUIET", "STOCK", "Delays", "Expected", "Figure", "Line", "compare", "expect", "with_exact_counts"]
