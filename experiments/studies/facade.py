"""What a notebook holds of a study, whatever its kind: from its parameters to what its cells show.

study = lab.Sweep.from_notebook(globals())   # or Capacity, Compare, Calibration
study.asked()                                # what will be measured, and how long that takes
...                                          # cells that measure and show, each a method
... .enforce()                               # with `strict`, fails the notebook if the study deserves it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self

from experiments.present.html import Markup
from experiments.studies.study import AskedT, Study


class Facade(Generic[AskedT]):
    """One study in a notebook."""

    asks: ClassVar[type[Any]]
    """Kind of what it is asked."""
    bench: ClassVar[Any] = None
    """What measures its steps; None for runs of `run.ipynb`."""

    def __init__(self, study: Study[AskedT, Any, Any]) -> None:
        self.study = study

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: papermill injected a name that is no parameter.
            LabError: as `of`.
        """
        return cls.of(cls.asks.params.given(namespace))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Takes the parameters by name.

        Raises:
            LabError: a value is not allowed, it cannot be measured here, or there is nothing to be shown.
        """
        return cls(Study.of(cls.asks, given, cls.bench))

    def asked(self) -> Markup:
        """What will be measured, and how long that takes."""
        raise NotImplementedError
