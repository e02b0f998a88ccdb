"""Which tests CI may skip, and the hooks that make a failure of every other skip there.

A skip is silence: a suite that skips its only real run is green and proves nothing. On a user's
machine, where a browser may rightly be missing, a skip stays a skip.
"""

import os
from collections.abc import Generator

import pytest

_NO_NAMESPACES = "a container may be root and yet not be allowed network namespaces"
ALLOWED_SKIPS: dict[str, str] = {
    f"tests/faults/{name}": _NO_NAMESPACES
    for name in (
        "test_fleet_hosts.py::test_workers_on_hosts_of_their_own_poll_what_the_plan_says",
        "test_fleet_hosts.py::test_a_server_that_only_this_machine_reaches_is_refused",
        "test_machine_faults.py::test_a_machine_out_of_ports_fails_polls_by_its_own_fault",
        "test_machine_faults.py::test_more_devices_than_an_address_has_ports_connect_from_several",
    )
} | {
    f"tests/measure/test_shipped_targets.py::test_{name}_is_measured_as_its_file_says": (
        "the lab does not depend on other people's servers; its targets say how to install them"
    )
    for name in ("datasette", "httpbin")
} | {
    "tests/server/test_contract.py::test_a_system_of_an_older_python_keeps_the_contract": (
        "Django 1.11 and 3.2 need a Python 3.7 and 3.9 or 3.10, which Debian does not have any more"
    ),
}
"""Test id, without its parameters (or a whole file) -> why no CI machine can run it."""


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost, so that it sees xfail already settled
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the report of one test."""
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the report of one file: `importorskip` skips all of it."""
    report = yield
    forbid_skip(report)
    return report


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn the report of a skip into a failure, if this is CI and the skip is not on the list."""
    skipped = report.outcome == "skipped" and not hasattr(report, "wasxfail")
    if not skipped or not in_ci() or report.nodeid.partition("[")[0] in ALLOWED_SKIPS:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = (
        f"{report.nodeid} was skipped in CI ({reason}). "
        "Make it run there, or list it with its reason in tests/support/allowed_skips.py."
    )


def in_ci() -> bool:
    """Whether this is a CI machine, by the variable that they all set."""
    return os.environ.get("CI", "").lower() in {"1", "true"}
