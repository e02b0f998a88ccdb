"""Django REST Framework, on a WSGI server: APIViews whose answers pass through a renderer of plain text."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from server.apps.django import project
from server.responses import Pages

_NOBODY: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
"""Devices do not log in, and no other system here checks who asks."""


def create_app() -> WSGIHandler:
    """Wires the application."""
    pages = Pages()
    project.configure(REST_FRAMEWORK=_NOBODY)

    def health(request: HttpRequest) -> HttpResponse:
        return project.health(pages)

    settings.ROOT_URLCONF = (path("hello", _hello(pages)), path("health", health))
    return WSGIHandler()


def _hello(pages: Pages) -> Any:
    # Imported here, since rest_framework reads Django's settings when it is imported.
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class Plain(BaseRenderer):
        media_type, charset = "text/plain", "utf-8"

        def render(self, data: bytes, accepted_media_type: object = None, renderer_context: object = None) -> bytes:
            return data

    class Hello(APIView):
        renderer_classes = (Plain,)

        def get(self, request: Request) -> Response:
            page = pages.find(request.query_params.get("page", ""))
            body, status = (pages.refusal.encode(), 404) if page is None else (page, 200)
            return Response(body, status, headers={"Content-Length": str(len(body))})

    return Hello.as_view()
