"""Django with asynchronous views, on an ASGI server."""

from __future__ import annotations

import os

from django.core.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from server import django_project
from server.database.access import Access
from server.pages import Pages


def create_app() -> ASGIHandler:
    """Wires the application; with a database, if the environment names one."""
    access = Access.from_environment(os.environ)
    if access is None:
        _wire_static()
    else:
        _wire_rows(access)
    return ASGIHandler()


def _wire_static() -> None:
    pages = Pages()

    async def hello(request: HttpRequest) -> HttpResponse:
        return django_project.hello(pages, request)

    async def health(request: HttpRequest) -> HttpResponse:
        return django_project.health(pages)

    django_project.configure(path("hello", hello), path("health", health))


def _wire_rows(access: Access) -> None:
    from server import django_database

    pages, rows = Pages(), django_database.DjangoRows(access)

    async def hello(request: HttpRequest) -> HttpResponse:
        return await django_database.ahello(pages, rows, request)

    async def health(request: HttpRequest) -> HttpResponse:
        return django_database.health(pages, rows)

    django_project.configure(path("hello", hello), path("health", health), DATABASES=rows.databases(keep=False))
    rows.prepare()
