"""Django with synchronous views, on a WSGI server or, at a thread per request, on an ASGI server."""

from __future__ import annotations

import os

from django.core.asgi import ASGIHandler
from django.core.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from server.apps.django import project
from server.database.access import Access
from server.responses import Pages


def create_app() -> WSGIHandler:
    """Wires the application; with a database, if the environment names one."""
    access = Access.from_environment(os.environ)
    if access is None:
        _wire_static()
    else:
        _wire_rows(access, keep=True)
    return WSGIHandler()


def create_asgi_app() -> ASGIHandler:
    """The same views on an ASGI server."""
    access = Access.from_environment(os.environ)
    if access is None:
        _wire_static()
    else:
        _wire_rows(access, keep=False)
    return ASGIHandler()


def _wire_static() -> None:
    pages = Pages()

    def hello(request: HttpRequest) -> HttpResponse:
        return project.hello(pages, request)

    def health(request: HttpRequest) -> HttpResponse:
        return project.health(pages)

    project.configure(path("hello", hello), path("health", health))


def _wire_rows(access: Access, *, keep: bool) -> None:
    from server.apps.django import database

    pages, rows = Pages(), database.DjangoRows(access)

    def hello(request: HttpRequest) -> HttpResponse:
        return database.hello(pages, rows, request)

    def health(request: HttpRequest) -> HttpResponse:
        return database.health(pages, rows)

    project.configure(path("hello", hello), path("health", health), DATABASES=rows.databases(keep=keep))
    rows.prepare()
