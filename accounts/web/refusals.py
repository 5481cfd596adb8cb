"""Refusals of the doors themselves, each with its status and stable code."""

from rest_framework.exceptions import APIException


class TryAgain(APIException):
    """The database could not finish: a deadlock, a timeout, a restart."""

    status_code = 503
    default_code = "try_again"
    default_detail = "This could not be finished now and left nothing behind. Try again."
    wait = 1


class BodyTooLarge(APIException):
    """A body of more bytes than anybody needs."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is too large."


class InternalError(APIException):
    """A fault of ours. Nothing of it is told."""

    default_code = "internal_error"
    default_detail = "The fault is ours and was written down."
