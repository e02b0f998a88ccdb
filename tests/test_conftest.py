"""The rule about skips in CI, and the browser that report tests rest on."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import allowed_skips

pytest_plugins = ["pytester"]

SKIPPING_TEST = """
    import pytest

    @pytest.mark.parametrize("n", [1])
    def test_needs_a_printer(n):
        pytest.skip("there is no printer")
"""

RunSuite = Callable[[str], pytest.RunResult]


@pytest.fixture
def run_suite(pytester: pytest.Pytester) -> RunSuite:
    """Runs a test file in a project of its own that keeps this project's rule about skips."""
    pytester.makeconftest("from tests.support.allowed_skips import *")

    def run(source: str) -> pytest.RunResult:
        pytester.makepyfile(test_printing=source)
        # PERF: loading hypothesis anew for each of these runs takes 0.9 s of 1.0.
        return pytester.runpytest_inprocess("-p", "no:hypothesispytest")

    return run


@pytest.mark.parametrize("ci", ["true", "1"])
def test_a_skip_in_ci_is_a_failure(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    """In CI a skipped test fails, and the report says why it was skipped and what to do."""
    monkeypatch.setenv("CI", ci)
    result = run_suite(SKIPPING_TEST)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*was skipped in CI (*there is no printer). Make it run there*")


def test_a_skipped_file_in_ci_is_a_failure(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that skips itself while it is imported fails in CI as a skipped test does."""
    monkeypatch.setenv("CI", "true")
    run_suite("import pytest; pytest.importorskip('no_such_package')").assert_outcomes(errors=1)


def test_an_allowed_skip_in_ci_stays_a_skip(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A skip that is on the list stays a skip in CI, whatever its parameters."""
    monkeypatch.setenv("CI", "true")
    key = "test_printing.py::test_needs_a_printer"
    monkeypatch.setitem(allowed_skips.ALLOWED_SKIPS, key, "CI has no printer")
    run_suite(SKIPPING_TEST).assert_outcomes(skipped=1)


def test_an_expected_failure_in_ci_is_no_skip(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is expected to fail, and does, is reported so in CI too."""
    monkeypatch.setenv("CI", "true")
    run_suite("import pytest\n@pytest.mark.xfail\ndef test(): assert False").assert_outcomes(xfailed=1)


def test_a_skip_on_a_users_machine_stays_a_skip(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where CI is not set, a missing browser must not fail the suite."""
    monkeypatch.delenv("CI", raising=False)
    run_suite(SKIPPING_TEST).assert_outcomes(skipped=1)


def test_the_list_of_allowed_skips_names_tests_that_exist(pytestconfig: pytest.Config) -> None:
    """An entry whose test was renamed or removed must go, or it would hide a later skip."""
    for test_id, reason in allowed_skips.ALLOWED_SKIPS.items():
        file, _, name = test_id.partition("::")
        assert name.rpartition("::")[2] in (pytestconfig.rootpath / file).read_text()
        assert reason


@pytest.mark.slow
def test_the_browser_starts_and_runs_scripts(chromium: str, tmp_path: Path) -> None:
    """The Chromium of the fixture opens a page without a screen and runs its script."""
    page = "data:text/html,<script>document.title = 6 * 7</script>"
    command = [chromium, "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}"]
    done = subprocess.run([*command, "--dump-dom", page], capture_output=True, text=True, timeout=60, check=True)
    assert "<title>42</title>" in done.stdout
