"""A target file that was read: its values, its lines, and what it names in other files. Reading is `loading`'s."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.errors import ParameterError
from experiments.target import masking
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

    @property
    def digest(self) -> str:
        """Differs where the file differs, or what it names beside it: the devices' table, and bodies."""
        found = hashlib.sha256(self.text.encode())
        for path, content in sorted(self.files.items()):
            found.update(path.encode() + content)
        found.update(repr(self.table.rows).encode())
        return found.hexdigest()[:16]

    def beside(self, path: str) -> Path:
        """A path that counts from the target file's folder."""
        return self.path.parent / path

    def shown(self) -> dict[str, Any]:
        """What stands in the file, as it may be shown and recorded: as JSON, without secrets and without values of `env`."""
        told: dict[str, Any] = self.target.model_dump(mode="json", by_alias=True, exclude_unset=True)
        variables = told.pop("env", None)
        # A certificate's key and a field that is expected are named like secrets and are none.
        kept = {name: told.pop(name) for name in ("tls",) if name in told}
        masked = {name: masking.tree(value, name) for name, value in told.items()}
        return masked | kept | ({"env": sorted(variables)} if variables else {})

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
