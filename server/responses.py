"""What every application answers, and what it counts: one class for all, so that none does more or less than another.

Settings in; bodies by page, and what /health says, out. Frameworks are not known here.
"""

from __future__ import annotations

import itertools
import json
import os
from threading import Lock

from server import payloads
from server.settings import Settings

CONTENT_TYPE = "text/plain; charset=utf-8"
"""Of both pages, and of the refusal of any other."""


class Pages:
    """The pages of `/hello`, and how often this process was asked for one.

    Args:
        settings: None reads them from the environment, as a worker process must.

    Raises:
        ValueError: the environment holds settings that make no sense.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings.from_environment(os.environ)
        self._pages = {"1": payloads.body(settings.status_bytes), "200": payloads.body(settings.bulk_bytes)}
        pages = (f"?page={page} ({len(data)} bytes)" for page, data in self._pages.items())
        self.refusal = f"/hello has {' and '.join(pages)}."
        """What an application says, with 404, to who asks for another page."""
        # PERF: some servers call an application from several threads. Taking the next number is one step for them, where
        #   += is several; a lock instead would cost each request of every system 0.3 us (Python 3.11, 2 cores).
        self._asked, self._looked = itertools.count(), itertools.count()
        self._looking = Lock()

    @property
    def served(self) -> int:
        """Requests that came to `/hello`, whatever they asked for; each worker process counts its own."""
        with self._looking:
            return next(self._asked) - next(self._looked)  # A count can be read only by adding one to it.

    def find(self, page: str) -> bytes | None:
        """The body of a page, or None if there is none; counts either way."""
        next(self._asked)
        return self._pages.get(page)

    def health(self, framework: str, version: str, **more: object) -> dict[str, object]:
        """Which process answers, what it is, how often it was asked for `/hello`, and what it has to say besides."""
        return {"pid": os.getpid(), "framework": framework, "version": version, "served": self.served, **more}

    def health_json(self, framework: str, version: str, **more: object) -> bytes:
        """The same, as the body of `/health`."""
        return json.dumps(self.health(framework, version, **more)).encode()
