"""What the Django systems have in common: settings, and answers of constant bytes.

Django keeps its settings for the whole process, so a process is one system. Read by Django 1.11 on Python 3.7 too.
"""

from __future__ import annotations

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from server.responses import CONTENT_TYPE, Pages

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler", "level": "ERROR"}},
    "loggers": {"django": {"handlers": ["stderr"]}},
}
"""What goes wrong is in the server's log; a refused page is not."""


def configure(*routes: object, **more: object) -> None:
    """Makes the process's settings: the least that serves.

    No middleware, where a new project has seven: the answer has its Content-Length from the view.
    """
    settings.configure(
        ALLOWED_HOSTS=["*"],  # It listens on the loopback address only.
        ROOT_URLCONF=routes,
        MIDDLEWARE=[],
        LOGGING=_LOGGING,
        SECRET_KEY="signs nothing",
        USE_TZ=True,
        **more,
    )
    django.setup()


def hello(pages: Pages, request: HttpRequest) -> HttpResponse:
    """`GET /hello?page=1` (status) and `?page=200` (bulk)."""
    body = pages.find(request.GET.get("page", ""))
    if body is None:
        return answer(pages.refusal.encode(), 404)
    return answer(body)


def health(pages: Pages, **more: object) -> HttpResponse:
    """`GET /health`."""
    return answer(pages.health_json("django", django.get_version(), **more), content_type="application/json")


def answer(body: bytes, status: int = 200, content_type: str = CONTENT_TYPE) -> HttpResponse:
    """An answer with its length."""
    response = HttpResponse(body, content_type=content_type, status=status)
    # Without it, and without CommonMiddleware, the answer would come in chunks.
    response["Content-Length"] = str(len(body))
    return response
