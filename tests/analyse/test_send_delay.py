"""What a generator's send delay adds to responses is told apart from what the server does."""

from pathlib import Path

import polars as pl
import pytest

from experiments.analyse.polls import arrange, measured
from experiments.analyse.send_delay import with_send_delay
from experiments.scenario import Scenario
from experiments.schedule import TICK_S
from tests.support.made_up import SMALL, Answer, Lag, Poll, Server, ideal, late, made_up, stalling

FIXED = SMALL
AFTER = SMALL.model_copy(update={"pacing": "after"})


def send_delays(folder: Path, scenario: Scenario, server: Server, lag: Lag) -> pl.DataFrame:
    rows = arrange(made_up(folder, scenario, server=server, lag=lag))
    return measured(with_send_delay(rows, scenario.pacing))


@pytest.mark.parametrize("scenario", [FIXED, AFTER], ids=["fixed", "after"])
def test_a_punctual_generator_adds_nothing(tmp_path: Path, scenario: Scenario) -> None:
    """All of the response is the server's, which may stall for seconds."""
    late_by = send_delays(tmp_path, scenario, stalling(5, 3), late(0.0))
    assert late_by["added_s"].abs().max() < 20 * TICK_S
    assert late_by["punctual_s"].max() > 2.5


def test_a_stall_of_the_generator_is_the_generators(tmp_path: Path) -> None:
    """The polls that queue up behind a late one are added too, though their own lag is none."""
    late_by = send_delays(tmp_path, FIXED, ideal(), late(0.0, stall_at=10, lasting=3))
    assert late_by["punctual_s"].max() < 0.02
    assert (late_by["added_s"] > 0.5).mean() == pytest.approx(2.5 / 30, abs=0.01)


def test_the_punctual_responses_are_those_of_a_punctual_run(tmp_path: Path) -> None:
    """The same server under a late and under a punctual generator: what remains without lag is the same."""

    def server(poll: Poll) -> Answer:
        return Answer(0.05 if poll.round % 3 else 0.4)

    by_late = send_delays(tmp_path / "late", FIXED, server, late(0.004))
    by_punctual = send_delays(tmp_path / "punctual", FIXED, server, late(0.0))
    difference = by_late["punctual_s"] - (by_punctual["punctual_s"] + by_punctual["added_s"])
    assert difference.abs().max() < 200 * TICK_S
    assert by_late["added_s"].max() > 0.01
    assert by_late["punctual_s"].max() > 0.4


def test_under_after_pacing_lag_delays_its_own_poll_only(tmp_path: Path) -> None:
    """Each poll is due by the one before, so what is added to a poll is its own lag."""
    late_by = send_delays(tmp_path, AFTER, ideal(), late(0.3))
    assert late_by["added_s"].min() == pytest.approx(0.3, abs=4 * TICK_S)
    assert late_by["added_s"].max() == pytest.approx(0.3, abs=4 * TICK_S)
