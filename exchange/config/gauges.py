"""What stands in the tables, as gauges: read when somebody scrapes, right in every process."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exchange.config.celery import KNOCKED_KEY
from exchange.foundation.market_time import market_now
from exchange.models import Auction, AuctionState, ClearingResult, MarketFreeze
from exchange.queries.control.stuck import FAILED, OVERDUE, SLOW, stuck_auctions
from settlement.queries.audit_results import last_audit
from settlement.queries.late_meters import late_meters
from settlement.queries.region_delivery import regions_now

SCOPES = ("market", "series", "region", "accelerator")
Samples = Iterable[tuple[list[str], float]]
SECONDS = 2  # that Redis has to answer

UNDECIDED = "SELECT state, count(*) FROM exchange_auction WHERE state = ANY(%s) GROUP BY 1"
CLEARINGS = """
SELECT DISTINCT ON (series.code) series.code, result.seconds,
       coalesce((bound_micros - welfare_micros) / nullif(bound_micros, 0), 0)
FROM exchange_auction AS auction
JOIN exchange_auctionseries AS series ON series.id = auction.series_id
JOIN exchange_clearingresult AS result ON result.auction_id = auction.id
WHERE auction.state = 'published' ORDER BY series.code, auction.published_at DESC
"""
CONTRACTS = """
SELECT state, count(*) FROM settlement_contract WHERE ended_at IS NULL GROUP BY 1
"""
SETTLING = """
SELECT count(*), coalesce(extract(epoch FROM market_now() - min(next_run_at)), 0)
FROM settlement_deliveryperiod
WHERE state IN ('metered', 'provisional', 'disputed') AND next_run_at <= market_now()
"""
WEBHOOKS = """
SELECT (SELECT count(*) FROM accounts_webhookendpoint
        WHERE failing_since IS NOT NULL AND state = 'enabled'),
       count(*), coalesce(extract(epoch FROM now() - min(delivery.created_at)), 0)
FROM accounts_webhookdelivery AS delivery
JOIN accounts_webhookendpoint AS endpoint
    ON endpoint.id = delivery.endpoint_id AND endpoint.state = 'enabled'
WHERE delivery.state = 'pending'
"""


class Gauges(Collector):
    """All gauges; a database or a Redis that does not answer is itself one."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge that can be read now."""
        try:
            found = [*_auctions(), *_clearings(), *_deliveries(), *_webhooks(), *_audit()]
        except DatabaseError:
            found = None
        yield gauge(
            "database_up", "Whether the database answered.", [([], float(found is not None))]
        )
        yield from found or ()
        yield from _machinery()


def gauge(name: str, says: str, samples: Samples, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    """Return one gauge, its name prefixed with ``exchange_``."""
    family = GaugeMetricFamily(f"exchange_{name}", says, labels=list(labels))
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _auctions() -> Iterator[GaugeMetricFamily]:
    now = market_now()
    states = [AuctionState.SCHEDULED, AuctionState.OPEN, AuctionState.CLOSED, AuctionState.CLEARED]
    counts = dict.fromkeys(map(str, states), 0) | dict(_rows(UNDECIDED, [list(map(str, states))]))
    by_state = [([state], count) for state, count in counts.items()]
    yield gauge("auctions", "Auctions not published yet, by state.", by_state, ["state"])
    stuck = [found.why for found in stuck_auctions(now)]
    by_why = [([why], stuck.count(why)) for why in (OVERDUE, SLOW, FAILED)]
    yield gauge("auctions_stuck", "Auctions that do not move on, by why.", by_why, ["why"])
    gates = Auction.objects.taking_bids().order_by("closes_at").values_list("closes_at", flat=True)
    until: Samples = [([], (closes_at - now).total_seconds()) for closes_at in gates[:1]]
    yield gauge("next_gate_seconds", "Until the next gate closes; absent without one.", until)
    scopes = [halt.scope for halt in MarketFreeze.objects.live()]
    by_scope = [([scope], scopes.count(scope)) for scope in SCOPES]
    yield gauge("halts", "Halts that are not lifted, by what they hold back.", by_scope, ["scope"])


def _clearings() -> Iterator[GaugeMetricFamily]:
    rows = _rows(CLEARINGS)
    seconds = [([series], float(took)) for series, took, _ in rows]
    gaps = [([series], float(gap)) for series, _, gap in rows]
    says = "What the last published clearing of each series took."
    yield gauge("clearing_seconds", says, seconds, ["series"])
    says = "Its proved gap: (bound - welfare) / bound."
    yield gauge("clearing_gap", says, gaps, ["series"])
    total = ClearingResult.objects.count()
    yield gauge("clearings", "Clearings that were ever written.", [([], total)])


def _deliveries() -> Iterator[GaugeMetricFamily]:
    now = market_now()
    heard_since = now - timedelta(minutes=settings.HEARTBEAT_MINUTES)
    states = [([state], count) for state, count in _rows(CONTRACTS)]
    yield gauge("contracts", "Contracts that have not ended, by state.", states, ["state"])
    late = len(late_meters(now, since=heard_since))
    yield gauge("meters_late", "Meters of running contracts that are silent.", [([], late)])
    regions = regions_now(now, heard_since=heard_since).values()
    contracted = [([row.region], row.contracted_lots / 1_000) for row in regions]
    yield gauge("accelerators_contracted", "Under contract now.", contracted, ["region"])
    reporting = [([row.region], row.reporting_lots / 1_000) for row in regions]
    yield gauge("accelerators_reporting", "Whose meters are heard.", reporting, ["region"])
    watts = [([row.region], float(row.watts)) for row in regions if row.watts is not None]
    yield gauge("power_watts", "Drawn by contracted devices, PUE included.", watts, ["region"])
    ((due, oldest),) = _rows(SETTLING)
    yield gauge("periods_due", "Delivery periods whose next run is due.", [([], due)])
    yield gauge("periods_due_seconds", "How long the oldest is due.", [([], float(oldest))])


def _webhooks() -> Iterator[GaugeMetricFamily]:
    ((failing, waiting, oldest),) = _rows(WEBHOOKS)
    yield gauge("webhooks_failing", "Enabled endpoints that fail.", [([], failing)])
    yield gauge("webhook_deliveries_waiting", "Not delivered yet.", [([], waiting)])
    yield gauge("webhook_oldest_seconds", "Age of the oldest of them.", [([], float(oldest))])


def _audit() -> Iterator[GaugeMetricFamily]:
    results = last_audit()
    broken = [([str(row.number), row.invariant], row.broken_count) for row in results]
    says = "Rows that broke an invariant in the last audit."
    yield gauge("audit_broken_rows", says, broken, ["number", "invariant"])
    now = timezone.now()
    ages: Samples = [([], (now - row.finished_at).total_seconds()) for row in results[:1]]
    yield gauge("audit_age_seconds", "Since the last audit ended; absent before the first.", ages)


def _machinery() -> Iterator[GaugeMetricFamily]:
    queues: Final = (settings.CELERY_TASK_DEFAULT_QUEUE, settings.COURIER_QUEUE)
    lengths: list[tuple[list[str], float]] = []
    beats: list[tuple[list[str], float]] = []
    try:
        server = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        beats = [([], float(bool(server.exists(KNOCKED_KEY))))]
        lengths = [([name], float(server.llen(name))) for name in queues]
    except redis.RedisError:
        lengths = []
    yield gauge("redis_up", "Whether Redis answered.", [([], float(bool(lengths)))])
    yield gauge("beat_up", "Whether beat knocked within the last minute.", beats)
    yield gauge("queue_length", "Knocks that wait for a worker.", lengths, ["queue"])


def _rows(query: str, asked: list[Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return list(cursor.fetchall())
