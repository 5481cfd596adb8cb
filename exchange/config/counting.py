"""What each process counts for the scraper: requests and tasks, and how long they took.

Several processes, and several containers with one folder in common, count into files of their own
below METRICS_DIR; whichever web process is scraped adds all of them up.
"""

import os
import socket
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram, multiprocess, values

REGISTRY: Final = CollectorRegistry()  # not the library's own, which others write into
HOST: Final = socket.gethostname().replace("_", "-")  # the files' names are parted by _

settings.METRICS_DIR.mkdir(parents=True, exist_ok=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)
values.ValueClass = values.MultiProcessValue(lambda: f"{HOST}-{os.getpid()}")

REQUESTS: Final = Histogram(
    "exchange_http_request_seconds",
    "Requests until their answer began, by route, method and class of status.",
    ["route", "method", "status"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)
TASKS: Final = Histogram(
    "exchange_task_seconds",
    "Tasks of worker and courier, by name and outcome.",
    ["task", "outcome"],
    buckets=(0.01, 0.1, 1, 10, 60, 300),
    registry=REGISTRY,
)


def count_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Time every request; the first of the middlewares, so that all of them are in it."""

    def counted(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = get_response(request)
        found = request.resolver_match
        route = f"/{found.route}" if found else "none"
        method = request.method if request.method in _METHODS else "other"
        status = f"{response.status_code // 100}xx"
        REQUESTS.labels(route, method, status).observe(time.perf_counter() - started)
        return response

    return counted


def counted_by_all() -> CollectorRegistry:
    """Return a registry that adds up what all processes have counted."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(settings.METRICS_DIR))
    return registry


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
