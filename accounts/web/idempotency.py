"""A repeated request creates nothing twice and gets the first answer again.

The answer is written in the database transaction of the effect: there is no moment at which one
stands without the other. Refusals roll back and are not kept; the same key may then try again.
"""

import hashlib
import json
import zlib
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.idempotency import KEY_LENGTH_MAX, SEAL_MARK
from accounts.services.sealing import seal, unseal
from accounts.web.caller import Caller, caller_of
from accounts.web.rendering import LongJSONRenderer

HEADER = "Idempotency-Key"
KEPT_HEADERS = ("Location", "ETag")
PLAIN_MAX = 8_192  # bytes of an answer that is kept as it is
ZLIB_MARK = b"\x78"


class SecretResponse(Response):
    """An answer that holds a secret: what is kept of it for repeats is sealed."""


class IdempotencyKeyMissing(APIException):
    status_code = 400
    default_code = "idempotency_key_missing"
    default_detail = f"Say {HEADER}: with a fresh value for each thing to create."


class IdempotencyKeyInvalid(APIException):
    status_code = 400
    default_code = "idempotency_key_invalid"
    default_detail = f"{HEADER} has 1 to {KEY_LENGTH_MAX} printable ASCII characters."


class IdempotencyKeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This key was used for another request."


class IdempotencyKeyRunning(APIException):
    status_code = 409
    default_code = "idempotency_key_running"
    default_detail = "The first request with this key is still running."
    wait = 1


P = ParamSpec("P")
Method = Callable[Concatenate[Any, Request, P], HttpResponseBase]


def idempotent(method: Method[P]) -> Method[P]:
    """Make a view's method that creates answer a repeat with its first answer.

    Same key and same verb, path and body -> the first answer, with ``Idempotency-Replayed: true``;
    another request under the key -> 422; the first still running -> 409; no key -> 400.
    The method runs inside the database transaction that keeps its answer.
    """

    @wraps(method)
    def once(self: Any, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key, caller = _key_of(request), caller_of(request)
        request_hash = _hash_of(request)
        try:
            with transaction.atomic():
                first = _first_answer(caller, key, request_hash)
                if first is not None:
                    return first
                given = method(self, request, *args, **kwargs)
                answer = _printed(given)
                if answer.status_code < HTTPStatus.BAD_REQUEST:
                    pack = _sealed if isinstance(given, SecretResponse) else _packed
                    _keep(
                        answer,
                        pack(answer.content),
                        caller=caller,
                        key=key,
                        request_hash=request_hash,
                    )
                else:
                    transaction.set_rollback(True)
                return answer
        except IntegrityError as wrong:
            if _is_second(wrong):
                raise IdempotencyKeyRunning from wrong
            raise

    once.is_idempotent = True  # type: ignore[attr-defined]
    return once


def is_idempotent(method: object) -> bool:
    """Return whether a view's method was decorated: OpenAPI says so of it."""
    return getattr(method, "is_idempotent", False)


def _key_of(request: Request) -> str:
    key = request.headers.get(HEADER)
    if key is None:
        raise IdempotencyKeyMissing
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    return key


def _hash_of(request: Request) -> bytes:
    said = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(said + request.body).digest()


def _first_answer(caller: Caller, key: str, request_hash: bytes) -> HttpResponse | None:
    """Take the key's lock until the end of the database transaction, and look for an answer.

    One round trip. The look may be older than the lock; then the UNIQUE constraint on keeping the
    answer finds out.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [f"{caller.api_key_id}/{key}", caller.api_key_id, key])
        is_alone, kept_hash, status, headers, body = cursor.fetchone()
    if not is_alone:
        raise IdempotencyKeyRunning
    if status is None:
        return None
    if bytes(kept_hash) != request_hash:
        raise IdempotencyKeyReused
    replayed = {**json.loads(headers), "Idempotency-Replayed": "true"}
    return HttpResponse(_unpacked(bytes(body)), "application/json", status, headers=replayed)


def _printed(answer: HttpResponseBase) -> HttpResponse:
    """Print the answer now: the first and its repeats are the same bytes."""
    assert isinstance(answer, Response), "an idempotent view answers with a Response"
    body = b"" if answer.data is None else LongJSONRenderer().render(answer.data)
    headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
    return HttpResponse(body, "application/json", answer.status_code, headers=headers)


def _keep(
    answer: HttpResponse, body: bytes, *, caller: Caller, key: str, request_hash: bytes
) -> None:
    assert caller.api_key_id is not None, "a door of the API is opened by keys alone"
    headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            [
                caller.organization_id,
                caller.api_key_id,
                key,
                request_hash,
                answer.status_code,
                json.dumps(headers),
                body,
            ],
        )


def _packed(body: bytes) -> bytes:
    """Return a long answer compressed: that of a bulk says a thousand times nearly the same."""
    return zlib.compress(body, level=1) if len(body) > PLAIN_MAX else body


def _sealed(body: bytes) -> bytes:
    return SEAL_MARK + seal(body)


def _unpacked(kept: bytes) -> bytes:
    """Return an answer as it was given; no JSON begins with one of the marks."""
    if kept.startswith(SEAL_MARK):
        return unseal(kept[1:])
    return zlib.decompress(kept) if kept.startswith(ZLIB_MARK) else kept


def _is_second(wrong: IntegrityError) -> bool:
    diag = getattr(wrong.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) == "idempotency_key_once"


LOOK = """
SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)),
       kept.request_hash, kept.status, kept.headers, kept.body
FROM (SELECT 1) AS one
LEFT JOIN accounts_idempotencyrecord AS kept ON kept.api_key_id = %s AND kept.key = %s
"""
KEEP = """
INSERT INTO accounts_idempotencyrecord
    (organization_id, api_key_id, key, request_hash, status, headers, body)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
