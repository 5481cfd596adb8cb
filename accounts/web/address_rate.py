"""Rate limits of open pages, per address: so that a form cannot be used to flood or to guess."""

import time

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from accounts.web.throttling import counters, limit_of

log = structlog.get_logger(__name__)


def is_too_often(request: HttpRequest, what: str, rate: str) -> bool:
    """Count a try from this address; return whether there were too many in the stretch of time.

    If Redis does not answer, nothing is counted: people come in all the same.
    """
    limit = limit_of(rate)
    period = limit.get_expiry()
    address = request.META.get("REMOTE_ADDR", "")
    window = int(time.time() // period)
    key = f"{connection.settings_dict['NAME']}/{what}/{address}/{window}"
    try:
        count = int(counters(settings.REDIS_URL).incr(key, period))
    except Exception:  # Whatever ails Redis.
        log.warning("rate_not_counted", exc_info=True)
        return False
    return count > limit.amount
