"""What a server answered where the answer was not the right one: how often which status, and what the first looked like.

Every engine tells of each such answer here, and of no other, so that right answers cost nothing. Plain values out, as they
stand in run.json under the generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from experiments.measure.engines.masking import body_text, headers_text
from experiments.record.schema import Outcome

MOST_KINDS = 3
"""Of one endpoint: of how many kinds (reason and status) the first answer is kept."""
MOST_WHY = 500
"""Letters of the sentence that says what is wrong with it."""
MOST_CODES = 10
"""How many codes a report names."""
_OURS = (Outcome.INTERRUPTED, Outcome.GENERATOR_ERROR)
"""Half an answer, and not by the server's doing."""


class WrongAnswers:
    """Of one shard, in the measured window.

    Args:
        endpoints: their names.
    """

    def __init__(self, endpoints: tuple[str, ...]) -> None:
        self._endpoints = endpoints
        self._codes: Counter[int] = Counter()
        self._first: dict[tuple[int, Outcome, int, str | None], dict[str, Any]] = {}

    def note(
        self,
        endpoint: int,
        outcome: Outcome,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        first_bytes: bytes,
        failed_check: str | None = None,
        explain: Callable[[], str] | None = None,
        mask: Callable[[str], str] = str,
        **poll: Any,
    ) -> None:
        """Takes an answer in.

        Args:
            endpoint: its place among the names.
            first_bytes: of its body; empty where nobody looked at it.
            failed_check: the expectation that failed, if one did.
            explain: a sentence for people; asked for only where the answer is kept.
            mask: hides the device's own secrets.
            poll: what else is to be known of it.
        """
        if outcome == Outcome.HTTP_ERROR:
            self._codes[status] += 1
        if outcome in _OURS:
            return
        kind = endpoint, outcome, status, failed_check
        known = self._first.get(kind)
        if known is None and sum(place == endpoint for place, *_ in self._first) >= MOST_KINDS:
            return
        # The bytes of most bodies are counted and thrown away: one that was looked at tells more than the very first.
        if known is None or (first_bytes and not known["first_bytes"]):
            self._first[kind] = {
                "endpoint": self._endpoints[endpoint],
                "outcome": outcome.label,
                "status": status,
                **poll,
                **({"failed_check": failed_check} if failed_check else {}),
                **({"why": mask(explain())[:MOST_WHY]} if explain else {}),
                "headers": [[name, mask(value)] for name, value in headers_text(headers)],
                "first_bytes": mask(body_text(first_bytes)),
            }

    def codes(self) -> dict[str, int]:
        """Status code -> how many complete answers had it, the most frequent ones; never 200."""
        return {str(code): count for code, count in self._codes.most_common(MOST_CODES)}

    def first(self) -> list[dict[str, Any]]:
        """The first answer of each kind, by when its poll was due."""
        return sorted(self._first.values(), key=lambda answer: answer["due_s"])
