"""/metrics: for scrapers from addresses that are allowed, or with the token."""

import secrets
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from exchange.config.counting import counted_by_all
from exchange.config.gauges import Gauges

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer what all processes counted and what stands in the tables, as text for Prometheus."""
    if not may_scrape(request):
        return HttpResponse("not from here, and not without the token\n", "text/plain", 403)
    registry = counted_by_all()
    registry.register(Gauges())
    return HttpResponse(generate_latest(registry), CONTENT_TYPE_LATEST)


def may_scrape(request: HttpRequest) -> bool:
    """Return whether the request has the token, or comes straight from an allowed address.

    What a proxy forwards needs the token: its address says nothing of who asks.
    """
    said = request.headers.get("Authorization", "")
    token = settings.METRICS_TOKEN
    if token and secrets.compare_digest(said.encode(), f"Bearer {token}".encode()):
        return True
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(allowed) for allowed in settings.METRICS_ALLOWED)
