"""Is it alive, is it ready: two pages for a proxy, and one command for each container.

``python -m exchange.config.health web|worker|clearer|courier|beat`` ends with 0 when that process
does its work: web answers its readiness page, worker, clearer and courier answer Celery's ping,
beat has knocked a minute ago or less.
"""

import sys
import urllib.error
import urllib.request
from http import HTTPStatus

import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from exchange.config.celery import KNOCKED_KEY, app

PORT = 8000
ANSWER_SECONDS = 5.0


def live(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process can answer at all."""
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database and Redis answer, 503 naming what does not."""
    found = {"database": database_answers(), "redis": redis_answers()}
    status = HTTPStatus.OK if all(found.values()) else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse(found, status=status)


def database_answers() -> bool:
    """Return whether the database answers a question."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except OperationalError:
        return False


def redis_answers() -> bool:
    """Return whether Redis answers a ping."""
    try:
        return bool(_redis().ping())
    except redis.RedisError:
        return False


def beat_knocks() -> bool:
    """Return whether beat has sent anything within the last minute."""
    try:
        return bool(_redis().exists(KNOCKED_KEY))
    except redis.RedisError:
        return False


def worker_answers(name: str = "celery") -> bool:
    """Return whether a worker of this kind answers Celery's ping."""
    answers = app.control.inspect(timeout=ANSWER_SECONDS).ping() or {}
    return any(who.startswith(f"{name}@") for who in answers)


def courier_answers() -> bool:
    """Return whether a courier answers Celery's ping."""
    return worker_answers("courier")


def clearer_answers() -> bool:
    """Return whether a clearer answers Celery's ping."""
    return worker_answers("clearer")


def web_answers() -> bool:
    """Return whether the web process on this host says it is ready."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/health/ready",
        headers={"X-Forwarded-Proto": "https", "Host": "localhost"},
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


CHECKS = {
    "web": web_answers,
    "worker": worker_answers,
    "clearer": clearer_answers,
    "courier": courier_answers,
    "beat": beat_knocks,
}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
