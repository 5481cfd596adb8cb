"""Rate limits per key, told in the RateLimit headers; counted in Redis, which may be absent."""

import math
import time
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models.callers import Caller

log = structlog.get_logger(__name__)
REDIS_TIMEOUT = 0.25  # seconds; a bid must not wait for a counter
REDIS_REST = 5.0  # seconds without counting after Redis failed to answer


class KeyRate(BaseThrottle):
    """So many requests in a stretch of time, per key; per address where there is no key.

    Counts in fixed windows (one round trip): across a window's edge a caller may briefly have
    twice its rate. If Redis does not answer, requests pass: the market goes on without counting.
    """

    silent_until = 0.0  # of the monotonic clock, for the whole process

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this request; leave what the headers say in ``request.rate_headers``."""
        name, rate = who_and_rate(request)
        limit = limit_of(rate)
        period = limit.get_expiry()
        now = time.time()
        self.reset = math.ceil(period - now % period)
        count = self._count(
            f"{connection.settings_dict['NAME']}/rate/{name}/{int(now // period)}", period
        )
        if count is None:
            return True
        request._request.rate_headers = rate_headers(limit, count, self.reset)  # type: ignore[attr-defined]
        return count <= limit.amount

    def wait(self) -> int:
        """Return the seconds until the next window: Retry-After."""
        return self.reset

    @classmethod
    def _count(cls, key: str, period: int) -> int | None:
        if time.monotonic() < cls.silent_until:
            return None
        try:
            return int(counters(settings.REDIS_URL).incr(key, period))
        except Exception:  # Whatever ails Redis, the market goes on.
            cls.silent_until = time.monotonic() + REDIS_REST
            log.warning("rate_not_counted", exc_info=True)
            return None


def who_and_rate(request: Request) -> tuple[str, str]:
    """Return whose requests are counted together, and how many there may be."""
    caller = request.auth
    if isinstance(caller, Caller):
        return caller.api_key_public_id, caller.rate or settings.API_RATE
    return f"address/{request.META.get('REMOTE_ADDR', '')}", settings.API_RATE


def rate_headers(limit: RateLimitItem, count: int, reset: int) -> dict[str, str]:
    """Return the fields of the IETF draft on RateLimit headers for HTTP."""
    return {
        "RateLimit-Limit": str(limit.amount),
        "RateLimit-Remaining": str(max(0, limit.amount - count)),
        "RateLimit-Reset": str(reset),
    }


@cache
def limit_of(rate: str) -> RateLimitItem:
    """Return the limit that a text such as ``600/minute`` states. Raises ValueError."""
    return parse(rate)


@cache
def counters(url: str) -> RedisStorage:
    """Return the connection to the counters, one pool in a process."""
    return RedisStorage(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
