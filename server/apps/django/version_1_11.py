"""Django 1.11 with synchronous views, where the author began. Runs on Python 3.7: nothing newer may stand here."""

from __future__ import annotations

from django.conf.urls import url
from django.core.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse

from server.apps.django import project
from server.responses import Pages


def create_app() -> WSGIHandler:
    """Wires the application."""
    pages = Pages()

    def hello(request: HttpRequest) -> HttpResponse:
        return project.hello(pages, request)

    def health(request: HttpRequest) -> HttpResponse:
        return project.health(pages)

    project.configure(url("^hello$", hello), url("^health$", health))
    return WSGIHandler()
