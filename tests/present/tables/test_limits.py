"""What held a run back is said on top, and stands in the table of costs."""

from typing import Any

from experiments.present.tables import limits

QUIET: dict[str, Any] = {"server": {"may_use": None, "throttled": None}, "generator": {"throttled": None}, "connecting": {}}
HELD = {"periods": 148.0, "throttled_periods": 133.0, "seconds": 6.6}


def test_a_run_that_nothing_held_back_has_no_word_of_it() -> None:
    """Neither one of an older lab, which did not look."""
    assert limits.sentences(QUIET) == []
    assert limits.sentences({"server": {}, "generator": {}}) == []
    assert limits.rows({"server": {}, "generator": {}}) == []
    idle = HELD | {"throttled_periods": 0.0}
    assert limits.sentences(QUIET | {"server": {"may_use": {"quota_cores": 2.0}, "throttled": idle}}) == []


def test_a_quota_that_was_used_up_is_named() -> None:
    """How large it is, how often it held the server back, for how long; and that the lab is held to it too."""
    may_use = {"cores": 0.5, "quota_cores": 0.5, "memory_bytes": 512_000_000, "quota_shared_with_lab": False}
    summary = QUIET | {"server": {"may_use": may_use, "throttled": HELD}}
    (said,) = limits.sentences(summary)
    assert "server" in said
    assert all(figure in said for figure in ("0.5 cores", "133 of 148 periods (89.9 %)", "6.60 s"))
    assert limits.rows(summary) == [
        ["server", "processor cores that it may use", "0.5 cores (CPU quota)"],
        ["server", "memory that it may use", "512 MB"],
        ["server", "held back by its CPU quota", "133 of 148 periods (89.9 %), 6.60 s in all, each processor counted"],
    ]
    shared = {"may_use": may_use | {"quota_shared_with_lab": True}, "throttled": HELD}
    (said,) = limits.sentences({"server": shared, "generator": {"throttled": HELD}})
    assert "0.5 cores; the lab is held to the same quota" in said


def test_a_lab_that_was_held_back_alone_is_named() -> None:
    """Its generators are late then, and the server is not to blame."""
    (said,) = limits.sentences(QUIET | {"generator": {"throttled": HELD}})
    assert "The lab, generators included" in said
    assert "133 of 148" in said
    assert "server" not in said.partition(".")[0]


def test_first_packets_that_were_sent_again_are_named() -> None:
    """By what devices saw and by what the kernel counted, with the server's own queue."""
    connecting = {"resent": {"1": 499, "3": 1}, "listen_overflows": 500, "syn_retransmits": 1, "backlog": 128}
    seen, counted = limits.sentences(QUIET | {"connecting": connecting})
    assert "sent again: 499 polls about 1 s, 1 poll about 3 s." in seen
    assert all(figure in counted for figure in ("500 times", "1 time,", "network namespace", "128 connections", "backlog"))
