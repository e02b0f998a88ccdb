"""What every test may use."""

import shutil
import sys

import pytest

from tests.support.allowed_skips import pytest_make_collect_report, pytest_runtest_makereport
from tests.support.earlier import earlier
from tests.support.postgres import postgresql

__all__ = ["chromium", "earlier", "postgresql", "pytest_make_collect_report", "pytest_runtest_makereport"]

# PERF: jsonschema, which every notebook needs, would build the grammars of 38 kinds of IRIs when it is imported, seconds of
# each process; no notebook's schema has one.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, which opens a report as its readers do."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    pytest.skip("there is no Chromium here: apt-get install chromium")
