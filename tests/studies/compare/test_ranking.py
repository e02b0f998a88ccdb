"""What may be claimed of systems beside Falcon: known ratios are found, few blocks claim nothing."""

import math
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from experiments.analyse.student import t975, two_sided_p
from experiments.studies.compare import error_rate, ranking
from experiments.studies.compare import text as words
from experiments.studies.compare.runs import Role, Run
from experiments.studies.compare.statistics import holm, ratio, variation
from tests.studies.compare.made_up_comparison import FALCON_US, TRUTH, asked, comparison, figures, run


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (4, 2.776), (9, 2.262), (30, 2.042)])
def test_the_p_value_agrees_with_the_table_of_t(freedom: int, quantile: float) -> None:
    """5 % of Student's t lies beyond the quantile of 97.5 %, as printed tables have it."""
    assert t975(freedom) == quantile
    assert two_sided_p(quantile, freedom) == pytest.approx(0.05, abs=1e-4)


def test_holm_raises_as_the_worked_example_does() -> None:
    """Smallest times three, next times two, and never less than the one before."""
    raised = holm({"a": 0.01, "b": 0.04, "c": 0.03})
    assert raised == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}


def test_the_ratio_of_five_pairs_has_the_interval_worked_by_hand() -> None:
    """Logarithms 0.1 to 0.3 in steps: mean 0.2, half a width of 2.776 times 0.0791 over the root of five."""
    found = ratio([(math.exp(log), 1.0) for log in (0.1, 0.15, 0.2, 0.25, 0.3)])
    assert found is not None
    assert found.value == pytest.approx(math.exp(0.2))
    half = 2.776 * math.sqrt(0.00625 / 5)
    assert (found.low, found.high) == pytest.approx((math.exp(0.2 - half), math.exp(0.2 + half)))
    assert ratio([]) is None


def test_a_coefficient_of_variation_is_the_spread_over_the_mean() -> None:
    """Two values 9 and 11 spread by 1.414 around 10; one alone has none."""
    assert variation([9, 11]) == pytest.approx(math.sqrt(2) / 10)
    assert variation([9]) is None


def _values(truth: Mapping[str, float], blocks: int = 5) -> dict[str, dict[int, float]]:
    chance = random.Random(3)
    drift = [chance.gauss(0, 0.3) for _ in range(blocks)]
    return {
        name: {block: known * math.exp(drift[block] + chance.gauss(0, 0.01)) for block in range(blocks)}
        for name, known in truth.items()
    }


def test_known_ratios_are_found_although_blocks_differ_more() -> None:
    """Within five times what chance moves their mean, in their order, with the difference in words."""
    found = ranking.standings(_values({"fastapi": 1.5, "falcon": 1.0, "nginx": 0.2}))
    assert [one.name for one in found] == ["nginx", "falcon", "fastapi"]
    assert [one.kind for one in found] == ["less", None, "more"]
    for one, known in zip(found[::2], (0.2, 1.5), strict=True):
        assert one.ratio is not None
        assert one.ratio.value == pytest.approx(known, rel=0.03)
    assert words.verdict(found[-1]).endswith("% more")


def test_what_is_equal_cannot_be_told_apart() -> None:
    """A ratio of 1 is given in words alone, without a percentage."""
    equal = next(one for one in ranking.standings(_values({"falcon": 1.0, "starlette": 1.0})) if one.name == "starlette")
    assert equal.kind == "cannot tell apart"
    assert words.verdict(equal) == "cannot tell apart"


def test_four_blocks_are_provisional_whatever_the_difference() -> None:
    """There is a ratio, and neither an interval nor a claim."""
    found = ranking.standings(_values({"falcon": 1.0, "nginx": 0.2}, blocks=4))[0]
    assert found.kind == "provisional"
    assert found.ratio is not None
    assert found.ratio.low is found.ratio.high is found.p is None
    assert words.verdict(found).startswith("provisional: ")


def test_falcon_again_has_no_part_in_holm() -> None:
    """Its p is its own, and those of the systems are raised by their number alone."""
    values = _values({"falcon": 1.0, ranking.AGAIN: 1.0, "nginx": 0.2, "fastapi": 1.5})
    found = {one.name: one for one in ranking.standings(values)}
    own = {name: one.ratio.p for name, one in found.items() if one.ratio and one.ratio.p is not None}
    assert found[ranking.AGAIN].p == own.pop(ranking.AGAIN)
    assert {name: found[name].p for name in own} == holm(own)
    assert set(own) == {"nginx", "fastapi"}


def test_a_block_without_falcon_is_no_pair() -> None:
    """A value of zero has none either; where no pair is left there is no ratio, and the value stays."""
    one, falcon = ranking.standings({"falcon": {1: 10.0, 2: 0.0}, "nginx": {2: 3.0, 3: 4.0}})[::-1]
    assert (one.name, one.ratio, one.kind, one.value) == ("nginx", None, None, 3.5)
    assert falcon.name == "falcon"
    assert words.verdict(one) == "not held against it"


def test_the_made_up_comparison_is_ranked_as_it_was_made(tmp_path: Path) -> None:
    """Every system with another truth than Falcon's is told apart from it, in the right direction."""
    made = comparison(tmp_path)
    found = {one.name: one for one in ranking.ranked(ranking.by_block(made.runs, made.asked.first))}
    assert set(found) == {*TRUTH, ranking.AGAIN}
    for name, known in TRUTH.items():
        if known != 1:
            assert found[name].kind == ("more" if known > 1 else "less")


def test_a_pool_of_one_system_is_seldom_called_different_from_itself(tmp_path: Path) -> None:
    """Thirty runs in five blocks are split; fewer are not."""
    made = comparison(tmp_path)
    pool = ranking.pool(made.runs, made.asked.first)
    assert sum(map(len, pool.values())) == 30
    found = error_rate.resplit(pool)
    assert found is not None
    assert found.percent < 15
    assert error_rate.resplit({block: values[:2] for block, values in pool.items()}) is None


def test_a_pool_is_split_alike_by_a_report_made_again(tmp_path: Path) -> None:
    """The splits are drawn by a seed of their own; runs that do not differ at all are never called different."""
    made = comparison(tmp_path)
    pool = ranking.pool(made.runs, made.asked.first)
    assert error_rate.resplit(pool) == error_rate.resplit(pool)
    assert error_rate.resplit(dict.fromkeys(range(5), [1.0] * 6)) == error_rate.Rate(0, error_rate.SPLITS)


_THREE_ERRORS = 3 * 100 * math.sqrt(0.05 * 0.95 / 600)
"""Three standard errors of a rate of 5 % in 600 trials, in percent."""


def test_intervals_miss_the_truth_as_often_as_they_say() -> None:
    """5 %, within three standard errors of as many trials."""
    found = error_rate.missed_truth(trials=600)
    assert abs(found.percent - 5) < _THREE_ERRORS


@pytest.mark.parametrize("data", error_rate.DATA)
@pytest.mark.parametrize("systems", [2, 6])
def test_claims_of_many_equal_systems_together_stay_within_what_is_promised(systems: int, data: error_rate.Data) -> None:
    """After Holm at most 5 %, within three standard errors, also with outliers and on a machine that drifts."""
    found = error_rate.false_claims(systems, data, trials=600)
    assert found.percent < 5 + _THREE_ERRORS


def test_made_up_data_are_what_their_names_say() -> None:
    """Outliers only where tails are heavy, and a trend only where the machine drifts."""
    chance = random.Random(1)
    far = {data: sum(abs(error_rate.run_off(chance, data)) > 0.1 for _ in range(20_000)) for data in error_rate.DATA}
    assert far["normal"] == far["drifting"] == 0
    assert far["heavy tails"] == pytest.approx(20_000 * 0.0154, rel=0.2)
    drifts = {data: max(error_rate.drift(chance, data, 8)) for data in error_rate.DATA}
    assert drifts == {"normal": 0.0, "heavy tails": 0.0, "drifting": 0.1}


def test_all_of_falcons_runs_in_a_block_are_its_control(tmp_path: Path) -> None:
    """Others are held against the geometric mean of them; Falcon's second run against those that it is not itself."""
    asked_ = asked()

    def of(system: str, ratio: float, role: Role = "system") -> Run:
        return run(asked_, system, 1, figures(ratio), role)

    runs = [of("falcon", 1.0), of("falcon", 2.0, "again"), of("falcon", 4.0, "pool"), of("nginx", 1.0)]
    found = {one.name: one for one in ranking.ranked(ranking.by_block(runs, asked_.first))}
    values = {name: one.ratio.value for name, one in found.items() if one.ratio}
    assert values == pytest.approx({"nginx": 1 / 2, ranking.AGAIN: 2 / math.sqrt(1 * 4)})
    assert found["falcon"].value == pytest.approx(2 * FALCON_US)
