"""Whether this machine can drive a scenario, which is said before anything starts."""

from __future__ import annotations

from experiments.measure.preflight import engines, open_files, ports
from experiments.scenario import Scenario


def check(scenario: Scenario, transport: str = "") -> None:
    """Refuses what cannot work here, and raises this process's limit of open files to what is needed.

    Args:
        transport: `module:name` of a user's own transport; empty for none.

    Raises:
        ParameterError: an engine that does not apply, or more open files or ports than there are; says what to ask for.
    """
    engines.check(scenario, transport)
    open_files.allow(open_files.files_needed(scenario))
    if not scenario.dask_scheduler:  # Its devices connect from the workers.
        ports.allow(scenario)
