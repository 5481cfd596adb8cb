"""Every error of the API is a problem document (RFC 9457, application/problem+json).

The domain's refusals are exceptions; ``settings.REFUSALS`` names a table that says for each which
status and stable code it has. A refusal may carry ``errors``: what is wrong where, as
``{"pointer": "/limit", "code": "...", "detail": "..."}`` with JSON pointers into the body (or
``/name`` of a query parameter).
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.utils.module_loading import import_string
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ErrorResponse
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.web.pointers import escape
from accounts.web.refusals import BodyTooLarge, InternalError, TryAgain

CONTENT_TYPE = "application/problem+json"
Refusals = dict[type[Exception], tuple[HTTPStatus, str]]


class PointedError(TypedDict):
    """One thing that is wrong, and where."""

    pointer: str
    code: str
    detail: str


class Problem(TypedDict):
    """The members of a problem document."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[PointedError]


class Refused(APIException):
    """A refusal of the domain on its way out."""

    def __init__(self, status: HTTPStatus, code: str, said: Exception) -> None:
        super().__init__(str(said) or title_of(code), code)
        self.status_code = int(status)
        self.errors: list[PointedError] = list(getattr(said, "errors", ()))


class ProblemHandler(ExceptionHandler):
    """Turns exceptions into answers."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Give the domain's refusals, and the few faults that are no bugs, their status."""
        row = refusal_of(exc)
        if row is not None:
            return Refused(*row, exc)
        for kind, answer in FAULTS.items():
            if isinstance(exc, kind):
                return answer()
        converted: Exception = super().convert_known_exceptions(exc)
        return converted

    def convert_unhandled_exceptions(self, exc: Exception) -> APIException:
        """Say nothing of what broke inside."""
        return exc if isinstance(exc, APIException) else InternalError()

    def get_response(self, exc: APIException, data: dict[str, Any]) -> Response:
        """Return the answer, of the type that RFC 9457 registered."""
        return Response(
            data, status=exc.status_code, headers=self.get_headers(exc), content_type=CONTENT_TYPE
        )


class ProblemFormatter(ExceptionFormatter):
    """Words an exception as a problem document."""

    def format_error_response(self, error_response: ErrorResponse) -> Problem:
        """Return the document for the exception that this formatter was made for."""
        errors = pointed_errors(self.exc)
        codes = self.exc.get_codes()
        code = codes if isinstance(codes, str) else "validation_failed"
        detail, request = self.exc.detail, self.context.get("request")
        return problem(
            status=self.exc.status_code,
            code=code,
            detail=str(detail) if isinstance(detail, str) else _summary(errors),
            instance=request.path if request else "",
            errors=errors,
        )


def problem(
    *, status: int, code: str, detail: str, instance: str, errors: list[PointedError] | None = None
) -> Problem:
    """Return a problem document; its type is the code's place in the API's documentation."""
    return Problem(
        type=f"/api/problems#{code}",
        title=title_of(code),
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        errors=errors or [],
    )


def title_of(code: str) -> str:
    """Return a code in words."""
    return code.replace("_", " ").capitalize()


def refusal_of(exc: Exception) -> tuple[HTTPStatus, str] | None:
    """Return the status and code of an exception, by the row of its nearest ancestor."""
    table: Refusals = import_string(settings.REFUSALS)
    return next((table[kind] for kind in type(exc).__mro__ if kind in table), None)


def pointed_errors(exc: APIException) -> list[PointedError]:
    """Return what is wrong where: what a refusal carries, or the flattened validation errors."""
    if isinstance(exc, ValidationError):
        return list(_flatten(exc.detail, ""))
    return list(getattr(exc, "errors", ()))


FAULTS: dict[type[Exception], type[APIException]] = {
    RequestDataTooBig: BodyTooLarge,
    OperationalError: TryAgain,
}


def _flatten(detail: Any, pointer: str) -> Iterator[PointedError]:
    if isinstance(detail, ErrorDetail | str):
        code = getattr(detail, "code", None) or "invalid"
        yield PointedError(pointer=pointer, code=code, detail=str(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _flatten(inner, pointer if whole else f"{pointer}/{escape(name)}")
    else:
        for number, inner in enumerate(detail):
            is_leaf = isinstance(inner, ErrorDetail | str)
            yield from _flatten(inner, pointer if is_leaf else f"{pointer}/{number}")


def _summary(errors: list[PointedError]) -> str:
    if len(errors) != 1:
        return f"{len(errors)} things are wrong; errors says where."
    where = errors[0]["pointer"]
    return f"{where}: {errors[0]['detail']}" if where else errors[0]["detail"]
