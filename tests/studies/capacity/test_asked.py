"""What a capacity search refuses before anything starts."""

from typing import Any

import pytest

from experiments.errors import ParameterError, RecordError
from experiments.measure import preflight
from experiments.studies.capacity.params import Asked, Own
from tests.studies.capacity.made_up_search import GIVEN


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"smallest": 0}, "smallest=0: a number from 1"),
        ({"largest": 10}, "largest=10 is below smallest=60"),
        ({"largest": 2_000_000}, "largest=2000000: a number from 1 to 1,000,000"),
        ({"step_pct": "much"}, "step_pct='much': a number"),
        ({"confirmations": True}, "confirmations=True: a whole number"),
        ({"workers": ""}, "workers is empty"),
        ({"workers": "1, two"}, "workers='1, two': whole numbers above zero"),
        ({"workers": 1000}, "workers=1000"),
        ({"generators": 0}, "generators=0"),
        ({"suspect_counts": "maybe"}, "suspect_counts='maybe': True or False"),
        ({"slo_status_p99_ms": 0, "slo_failure_pct": 100}, "no service level to search within"),
        ({"smallest": 20}, "smallest=20: 400 polls of status in 1 s are too few for a p99.*smallest=53"),
        ({"slo_bulk_p99_ms": 50}, "0 polls of bulk.*the ratio never asks for it"),
        ({"max_hours": 0}, "max_hours=0: a number"),
        ({"capacity_id": "a/b"}, "no path"),
        ({"engine": "curl"}, "engine='curl'"),
        ({"capacity_id": None}, "capacity_id=None: a text is needed"),
        ({"capacity_id": 1000.0}, "capacity_id=1000.0: a text is needed.*-r instead of -p"),
        ({"results_dir": None}, "results_dir=None: a text is needed"),
        ({"minutes": True}, "minutes=True: a number is needed"),
    ],
)
def test_a_wrong_search_is_refused_in_one_sentence(changed: dict[str, Any], says: str) -> None:
    """The sentence names the parameter and what is allowed."""
    with pytest.raises(ParameterError, match=says):
        Asked.from_parameters(GIVEN | changed)


def test_a_machine_that_lacks_the_engine_is_told_before_the_first_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters themselves are refused, in place of one cell after the other that fails."""
    monkeypatch.delattr(preflight.select, "epoll")
    with pytest.raises(ParameterError, match="use engine='httpx'"):
        Asked.from_parameters({**GIVEN, "engine": "epoll"})


def test_an_earlier_search_that_is_not_there_is_refused() -> None:
    """A wrong `compare_to` is found with the parameters, an hour before it is read."""
    with pytest.raises(RecordError, match="nowhere"):
        Asked.from_parameters(GIVEN | {"compare_to": "nowhere"})


def test_a_name_that_papermill_injected_must_be_a_parameter() -> None:
    """A typing error is not ignored."""
    with pytest.raises(ParameterError, match="did you mean 'smallest'"):
        Own.given({**GIVEN, "smalest": 5, "In": ["# Parameters\nsmalest = 5"]})


@pytest.mark.parametrize("given", ["1,2,4", "[1, 2, 4]", [1, 2, 4], "4, 2,1,2", (4, 2, 1)], ids=str)
def test_a_list_is_taken_as_it_comes(given: Any) -> None:
    """As text through `-p`, with or without brackets, or as a list; each number once."""
    assert Asked.from_parameters(GIVEN | {"workers": given}).workers == (1, 2, 4)


def test_one_number_needs_no_list() -> None:
    """papermill turns `-p workers 2` into a number."""
    assert Asked.from_parameters(GIVEN | {"workers": 2}).workers == (2,)


def test_the_budget_is_not_part_of_the_question() -> None:
    """A search may be gone on with under another one; another level or grid is another search."""
    plan = Asked.from_parameters(GIVEN).plan
    assert Asked.from_parameters(GIVEN | {"max_hours": 9, "cool_down_s": 1, "strict": True}).plan == plan
    for changed in ({"slo_devices_pct": 90}, {"step_pct": 3}, {"workers": "1,2"}, {"minutes": 0.1}):
        assert Asked.from_parameters(GIVEN | changed).plan != plan
