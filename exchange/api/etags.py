"""ETag and If-Match, where two could edit the same thing."""

import re

from rest_framework.exceptions import APIException
from rest_framework.request import Request

_VERSION = re.compile(r'"v([1-9]\d{0,8})"', re.ASCII)


class VersionMissing(APIException):
    status_code = 428
    default_code = "if_match_missing"
    default_detail = "Say If-Match: with the ETag of what you read, so that no edit is lost."


class VersionInvalid(APIException):
    status_code = 412
    default_code = "if_match_unknown"
    default_detail = "If-Match names no version of this."


def etag_of(version: int) -> str:
    """Return the tag of a version."""
    return f'"v{version}"'


def version_of(request: Request) -> int:
    """Return the version that the caller read. Raises VersionMissing (428), VersionInvalid (412).

    ``*`` is not taken: whoever edits has read what they edit.
    """
    said = request.headers.get("If-Match")
    if said is None:
        raise VersionMissing
    found = _VERSION.fullmatch(said.strip())
    if found is None:
        raise VersionInvalid
    return int(found[1])
