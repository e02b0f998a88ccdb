"""What a capacity search is asked: parameters, checked before anything starts.

The parameters of a run, but for the number of devices, and those of the search -> `Asked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from experiments.errors import ParameterError
from experiments.measure import machine
from experiments.parameters import built, check_names, injected_names
from experiments.present.words import plain
from experiments.runner import check_databases, check_earlier
from experiments.scenario import Scenario
from experiments.studies.capacity.search import Rules

_RUN = (
    *("server", "interval_ms", "minutes", "ratio", "status_bytes", "bulk_bytes", "warmup_s", "phase", "pacing"),
    *("keep_alive", "timeout_s", "engine", "generators", "seed", "sample_ms", "results_dir"),
    *("workload", "database_url", "db_delay_ms", "db_connections"),
    *("slo_status_p99_ms", "slo_bulk_p99_ms", "slo_failure_pct", "slo_devices_pct"),
)
"""Parameters that every cell has in common."""
_OWN = (
    *("workers", "smallest", "largest", "step_pct", "confirmations", "suspect_counts", "closed_loop"),
    *("capacity_id", "cool_down_s", "max_hours", "compare_to", "margin_pct", "strict"),
)
PARAMETERS = (*_RUN, *_OWN, "capacity_dir")
_NOT_PLANNED: dict[str, Any] = {
    **{"results_dir": "", "capacity_id": "", "cool_down_s": 0, "max_hours": 1, "compare_to": "", "margin_pct": 0},
    "strict": False,
}
"""What is no part of the question, and is nothing where nothing is measured."""
_NEW_RUNS = "new runs"
FEWEST = 1_050
"""Polls for which a p99 is surely supported: 1,000, and some more because a window holds a few more or less by chance."""


@dataclass(frozen=True)
class Asked:
    """A search, checked."""

    base: Scenario
    """Of the smallest load."""
    rules: Rules
    workers: tuple[int, ...]
    """Worker counts, each searched by itself."""
    suspect_counts: bool
    closed_loop: tuple[int, ...]
    """Devices of the closed-loop cells for the scalability law; none for no such cells."""
    capacity_id: str
    cool_down_s: float
    max_hours: float
    compare_to: str
    margin_pct: float
    strict: bool

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: a value is not allowed, or papermill injected a name that is no parameter.
        """
        check_names(injected_names(namespace), PARAMETERS)
        return cls.from_parameters({name: namespace[name] for name in (*_RUN, *_OWN)})

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks the parameters.

        Raises:
            ParameterError: one sentence of what is wrong.
            RecordError: there is nothing at `compare_to`.
        """
        asked = cls._of(given)
        for count in asked.workers:
            # Both ends are checked now: what the largest load cannot be asked for is not found out after an hour.
            asked.at(asked.rules.largest, count).check_server()
        check_level(asked.base)
        machine.check(asked.base)
        check_earlier(asked.compare_to, strict=asked.strict)
        check_databases(asked.base.model_copy(update={"workers": count}) for count in asked.workers)
        return asked

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any] | None = None) -> Self:
        """What an earlier search was asked, which may have been on another machine.

        Args:
            now: the parameters of now, of which those that are no part of the plan are taken.

        Raises:
            ParameterError: the plan is not that of a search.
        """
        if plan.get("kind") != "capacity":
            raise ParameterError("capacity_dir holds no capacity search: give the folder of one.")
        # A plan leaves out what says nothing of it, and then the default does.
        unasked = {name: Scenario.model_fields[name].default for name in _RUN}
        own = {name: (now or {}).get(name, value) for name, value in _NOT_PLANNED.items()}
        return cls._of(unasked | {name: plan[name] for name in plan if name in (*_RUN, *_OWN)} | own, plan)

    @classmethod
    def _of(cls, given: Mapping[str, Any], plan: Mapping[str, Any] | None = None) -> Self:
        """What can be asked anywhere; whether it can be measured here is another matter."""
        smallest, largest = (_number(given, name, 1) for name in ("smallest", "largest"))
        if largest < smallest:
            raise ParameterError(f"largest={largest:g} is below smallest={smallest:g}: the search goes up from the one.")
        rules = Rules(
            int(smallest),
            int(largest),
            float(_number(given, "step_pct", 0.1, 50.0)),
            int(_number(given, "confirmations", 1, 100)),
            anew=plan is None or plan.get("confirmed_by") == _NEW_RUNS,
        )
        workers = _counts(given, "workers")
        if not workers:
            raise ParameterError("workers is empty: give a number, or several like '1,2'.")
        judged = built(
            Scenario,
            {name: given[name] for name in ("compare_to", "margin_pct", "strict")} | {"run_id": str(given["capacity_id"])},
        )
        return cls(
            base=built(Scenario, {name: given[name] for name in _RUN} | {"clients": rules.smallest}),
            rules=rules,
            workers=workers,
            suspect_counts=_flag(given, "suspect_counts"),
            closed_loop=_counts(given, "closed_loop"),
            capacity_id=judged.run_id,
            cool_down_s=float(_number(given, "cool_down_s", 0, 3600)),
            max_hours=float(_number(given, "max_hours", 0.0001, 24 * 365)),
            compare_to=judged.compare_to,
            margin_pct=judged.margin_pct,
            strict=judged.strict,
        )

    def at(self, clients: int, workers: int, **changes: Any) -> Scenario:
        """The scenario of a load, with other changes if need be."""
        own = {"clients": clients, "workers": workers, "results_dir": "", "run_id": "", **changes}
        # Not a dump, which has no password.
        return built(Scenario, dict(self.base) | own)

    @property
    def plan(self) -> dict[str, Any]:
        """What must be the same for a search to be gone on with; the budget need not."""
        places = {"results_dir", "run_id", "run_dir", "strict", "workers", "clients"}
        kept = self.base.model_dump(exclude=places | self.base.unused)
        return {
            "kind": "capacity",
            **kept,
            "workers": list(self.workers),
            "smallest": self.rules.smallest,
            "largest": self.rules.largest,
            "step_pct": self.rules.step_pct,
            "confirmations": self.rules.confirmations,
            **({"confirmed_by": _NEW_RUNS} if self.rules.anew else {}),
            "suspect_counts": self.suspect_counts,
            "closed_loop": list(self.closed_loop),
        }


def check_level(base: Scenario) -> None:
    """Refuses a search without an aim, or one whose smallest load has too few polls to tell.

    Raises:
        ParameterError: says which polls are too few, and how many devices or minutes would do.
    """
    limits = {"status": base.slo_status_p99_ms, "bulk": base.slo_bulk_p99_ms}
    if not any(limits.values()) and base.slo_failure_pct >= 100:
        raise ParameterError(
            "there is no service level to search within: set slo_status_p99_ms, slo_bulk_p99_ms or slo_failure_pct."
        )
    plan = base.plan
    rare = plan.joins_per_cycle / plan.cycle_rounds
    for name, limit in limits.items():
        share = 1.0 if name == plan.primary else rare
        polls = base.clients * base.window_s / plan.interval_s * share
        if limit and polls < FEWEST:
            raise ParameterError(
                f"smallest={base.clients}: {polls:,.0f} polls of {name} in {base.window_s:g} s are too few for a p99, about "
                f"{FEWEST:,} are needed: {_enough(base.clients, polls)}."
            )


def _enough(clients: int, polls: float) -> str:
    if not polls:
        return "the ratio never asks for it, so set no limit for it"
    return f"begin with smallest={int(clients * FEWEST / polls) + 1}, or measure longer"


def _number(given: Mapping[str, Any], name: str, least: float, most: float = 1_000_000) -> float:
    value = given[name]
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None or not least <= number <= most:
        raise ParameterError(f"{name}={value!r}: a number from {plain(least)} to {plain(most)} is needed.")
    return number


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given[name]
    known = {True: True, False: False, "true": True, "false": False, "True": True, "False": False}
    if not isinstance(value, bool | str) or value not in known:
        raise ParameterError(f"{name}={value!r}: True or False is needed.")
    return known[value]


def _counts(given: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """Whole numbers from a text like `1,2`, `[1, 2]`, a list or a number; each once, in order."""
    value = given[name]
    parts = value if isinstance(value, list | tuple) else str(value).strip(" []()").split(",")
    texts = [str(part).strip() for part in parts if str(part).strip()]
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in texts):
        raise ParameterError(f"{name}={value!r}: whole numbers above zero are needed, separated by commas, like '1,2,4'.")
    return tuple(sorted({int(text) for text in texts}))
