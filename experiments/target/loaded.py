"""A target file that was read: its values, its lines, and what it names in other files. Reading is `loading`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import ParameterError
from experiments.target.file.lines import Lines
from experiments.target.file.model import Target
from experiments.target.table import Table


@dataclass(frozen=True)
class Loaded:
    """A target file that was read and found right."""

    target: Target
    path: Path
    """The file."""
    text: str
    """What stands in it; with `path` it makes the same target in another process on this machine."""
    lines: Lines
    table: Table
    """Devices by row; without columns if there is no table."""
    files: Mapping[str, bytes]
    """Bodies that lie in files, by the path that names them."""

    @property
    def name(self) -> str:
        """What the target is called: its file's name."""
        return self.path.stem

    def beside(self, path: str) -> Path:
        """A path that counts from the target file's folder."""
        return self.path.parent / path

    def check_clients(self, clients: int) -> None:
        """Refuses more devices than the table has rows.

        Raises:
            ParameterError: it has fewer.
        """
        if self.table.columns and clients > len(self.table.rows):
            raise ParameterError(
                f"{self.lines.at(('devices', 'table'))}: {self.target.devices.table} has {len(self.table.rows):,} rows for "
                f"{clients:,} devices; add rows, or ask for fewer devices."
            )
