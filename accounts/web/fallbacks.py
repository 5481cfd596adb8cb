"""Answers where no view of the API was reached: below /api/ they are problem documents too.

``exchange.config.urls`` names these as Django's handler400, handler403, handler404, handler500.
"""

import json

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from accounts.web.problems import CONTENT_TYPE, problem

API = "/api/"


def answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Return a problem document below /api/, a short text elsewhere."""
    if not is_api(request):
        return HttpResponse(detail, "text/plain; charset=utf-8", status)
    document = problem(status=status, code=code, detail=detail, instance=request.path)
    return HttpResponse(json.dumps(document), CONTENT_TYPE, status)


def is_api(request: HttpRequest) -> bool:
    """Return whether a program is asking."""
    return request.path.startswith(API)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django found suspicious."""
    if is_api(request):
        return answer(request, 400, "bad_request", "The request is not acceptable.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what a view outside REST framework forbade."""
    if is_api(request):
        return answer(request, 403, "permission_denied", "This is not allowed.")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer for an address that does not exist."""
    if is_api(request):
        return answer(request, 404, "not_found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer for a fault of ours."""
    if is_api(request):
        return answer(request, 500, "internal_error", "The fault is ours and was written down.")
    return defaults.server_error(request)
