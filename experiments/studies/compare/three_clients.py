"""The section "three clients, one server": the same load by the author's client, by plain httpx, and by this lab.

A scenario -> a cell for each client; their outcomes -> what each reports, and what of it was its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analyse.three_clients import Client, figures
from experiments.measure import preflight
from experiments.parameters import built
from experiments.scenario import Scenario
from experiments.studies.cells import Cell, Outcome

ALIKE: dict[str, Any] = {"pacing": "after", "keep_alive": False}
"""How the author's script asks."""
_CLIENTS: dict[str, dict[str, Any]] = {
    "threads": {"engine": "threads", **ALIKE},
    "httpx-stock": {"engine": "httpx-stock", **ALIKE},
    "httpx": {"engine": "httpx", **ALIKE},
    "epoll": {"engine": "epoll", **ALIKE},
    # How the lab asks if nobody says otherwise: another question, shown beside the others and not taken off them.
    "epoll, fixed": {"engine": "epoll", "pacing": "fixed", "keep_alive": True},
}
"""Name -> what a client is asked differently."""


def plan(scenario: Scenario, *, here: bool = True) -> dict[str, Cell]:
    """A cell for each client, by its name, in the order in which they are measured.

    Args:
        scenario: server and load, as the author's client asks it; engine, pacing and connections are each client's own.
        here: whether they are to be measured here, so that a client which this machine cannot have is left out.

    Raises:
        ParameterError: a client cannot carry that load.
    """
    planned = {}
    for name, own in _CLIENTS.items():
        if here and own["engine"] == "epoll" and not preflight.has_epoll():
            continue
        # Only the author's client counts in Redis.
        redis = {} if own["engine"] == "threads" else {"redis_url": ""}
        asked = built(Scenario, {**dict(scenario), **own, **redis})
        planned[name] = Cell(f"three-clients_{name.replace(', ', '-')}", asked)
    return planned


def clients(outcomes: Mapping[str, Outcome]) -> list[Client]:
    """The figures, a client each."""
    return figures([(name, one.verdict or one.status, one.because, one.record) for name, one in outcomes.items()])
