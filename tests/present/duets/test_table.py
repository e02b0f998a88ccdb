"""What people read of two servers beside each other."""

from pathlib import Path
from typing import Any

import pytest

from experiments.present.duets import table
from experiments.present.pages.run import Page
from experiments.scenario import Scenario
from tests.support.made_up import made_up

DUET = Scenario(clients=100, interval_ms=250, minutes=0.5, warmup_s=1, beside="starlette")


def told(kind: str, estimate: float, low: float | None, high: float | None, least: float | None) -> dict[str, Any]:
    cpu = {"kind": kind, "estimate": estimate, "low": low, "high": high, "pieces": 30}
    return {"a": "old", "b": "new", "cpu_ratio": cpu, "piece_s": 2.0, "smallest_detectable_pct": least}


@pytest.mark.parametrize(
    ("duet", "said"),
    [
        (
            told("more", 1.031, 1.012, 1.05, 3.1),
            "new needs 3.1 % more processor time for a request beside old (1.2 % more to 5.0 % more with 95 % confidence, "
            "30 pieces of 2 s); a difference of 3.1 % would have been seen in nine of ten such runs.",
        ),
        (
            told("cannot tell apart", 1.0, 0.98, 1.02, 3.4),
            "old and new cannot be told apart by processor time for a request (2.0 % less to 2.0 % more with 95 % "
            "confidence, 30 pieces of 2 s); a difference of 3.4 % would have been seen in nine of ten such runs.",
        ),
        (
            told("not measurable", 1.0, None, None, None),
            "new beside old: nothing can be told, since only 30 pieces of the run have the costs of both.",
        ),
    ],
)
def test_a_comparison_is_a_sentence(duet: dict[str, Any], said: str) -> None:
    """It says what was found, how sure that is, and what could have been found."""
    assert table.sentence(duet) == said


def test_a_page_shows_both_servers(tmp_path: Path) -> None:
    """The sentence stands on top, tables and a picture below; what the rest of the page is about is said."""
    page = Page(made_up(tmp_path, DUET))
    assert table.sentence(page.summary["duet"]) in repr(page.verdict())
    assert "2 servers were polled by one swarm: falcon, starlette." in repr(page.verdict())
    shown = repr(page.duet())
    assert "starlette : falcon" in shown
    assert "response p95" in shown
    assert "resident memory, peak" in shown
    chart: Any = page.duet_over_time()
    names = [trace.name for trace in chart.figure.data]
    assert names == ["95 % interval", "equal", "one piece", "mean"]
    assert len(chart.figure.data[2].x) == 20
    assert "beside it: starlette" in repr(page.provenance())


def test_a_page_of_one_server_says_how_to_get_a_second(tmp_path: Path) -> None:
    """Nothing is drawn of what was not measured, and no cell is empty."""
    page = Page(made_up(tmp_path, DUET.model_copy(update={"beside": ""})))
    assert "beside names no further server" in repr(page.duet())
    assert "no ratio to draw" in repr(page.duet_over_time())


def test_a_coarse_clock_is_told(tmp_path: Path) -> None:
    """Where CPU time comes in ticks, a reader must know; nanoseconds need no word."""
    duet = Page(made_up(tmp_path, DUET)).summary["duet"]
    for resolution, said in ((1e-9, False), (0.01, True)):
        shown = repr(table.duet({"duets": [duet | {"cpu_resolution_s": resolution}]}))
        assert ("in ticks of 10.0 ms" in shown) == said
