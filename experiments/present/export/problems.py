"""An error that stopped a notebook, as a report says it on top: what it was, in the error's own words, and what to do now.

Name and message of an exception in, words out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One error."""

    headline: str
    sentences: list[str]
    """In the words of the error."""
    advice: str


_KNOWN = {
    "ParameterError": (
        "Refused before anything started",
        "Change what the sentence names, in the cell of parameters, the parameter file or with -p, and run again.",
    ),
    "ServerStartError": (
        "The server did not start, so nothing was measured",
        "Read the end of its log in the sentence above; start the server by hand, see it answer, and run again.",
    ),
    "ServerContractError": (
        "The server answers, but not what must be measured, so nothing was measured",
        "Compare its answer with what is expected of it (make try shows both), mend one of the two, and run again.",
    ),
    "GeneratorError": (
        "The load generator failed, which says nothing of the server",
        "Do what the sentence says, or take another engine or fewer devices, and run again.",
    ),
    "KernelEndedError": (
        "The notebook was ended from outside while it was measuring",
        "Give it more time (papermill's --execution-timeout), and run again.",
    ),
    "RecordError": (
        "A record cannot be read or written",
        "Check the folder that the sentence names: its name, its owner and the space left, and run again.",
    ),
    "VerdictError": (
        "Everything was measured, and strict says that it is not good enough",
        "Read the two boxes below: they say whether the server or the measurement is to be mended.",
    ),
    "KeyboardInterrupt": ("Interrupted", "Run again for a whole answer; what was measured until then is shown below."),
}
"""Name of an exception -> what it is called, and what to do."""
_OTHER = (
    "The notebook stopped with an error",
    "See where in the code, below. If it is the lab's own, report it with this page.",
)


def problem(name: str, message: str) -> Problem:
    """What to say of an exception."""
    headline, advice = _KNOWN.get(name, _OTHER)
    said = message if name in _KNOWN else f"{name}: {message}" if message else name
    return Problem(headline, [said], advice)
