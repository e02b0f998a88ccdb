"""What `lab.try_target` gives: what came of trying a target, which a notebook shows and a terminal prints."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.present import html
from experiments.present.html import Markup
from experiments.present.tables import tried as tables
from experiments.target.tried import Tried


@dataclass(frozen=True, repr=False)
class Trial:
    """A target that was tried."""

    tried: Tried | None
    """None where nothing was asked."""

    @property
    def right(self) -> bool:
        """Whether every answer is right, as far as any was asked for."""
        return self.tried is None or self.tried.right

    @property
    def markup(self) -> Markup:
        """As people see it."""
        if self.tried is None:
            return html.nothing("Nothing is tried: an earlier run is shown, or the answers are those of the article.")
        return tables.page(self.tried)

    def _repr_html_(self) -> str:
        return self.markup._repr_html_()

    def __repr__(self) -> str:
        return repr(self.markup) if self.tried is None else tables.text(self.tried)
