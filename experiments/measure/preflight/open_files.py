"""Whether this machine lets a run open the files that it needs, and raising the limit so that it does."""

from __future__ import annotations

import resource

from experiments.errors import ParameterError
from experiments.scenario import Scenario

SPARE_FILES = 100
"""Open files of a process besides its connections: libraries, pipes, logs, the event loop."""


def files_needed(scenario: Scenario) -> int:
    """Most files that one process of this run has open here: the server, or a generator, with a connection each device."""
    largest_shard = 0 if scenario.dask_scheduler else -(-scenario.clients // max(1, scenario.generators))
    if scenario.engine == "threads":
        largest_shard *= 2  # A connection to Redis as well.
    server_share = 0 if scenario.server_url else scenario.clients
    return max(largest_shard, server_share) + SPARE_FILES


def allow(needed: int) -> None:
    """Raises this process's limit of open files to what is needed; processes started later inherit it.

    Raises:
        ParameterError: the hard limit is lower than that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ParameterError(
            f"this run needs {needed:,} open files in one process, and this machine allows {hard:,}: ask for at most "
            f"{hard - SPARE_FILES:,} clients, or raise the hard limit of open files (ulimit -Hn)."
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
