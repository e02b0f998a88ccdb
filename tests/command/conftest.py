"""What tests of the command line share with those of the pages."""

from tests.present.conftest import shell

__all__ = ["shell"]
