"""What the tests of statements and exports begin with: a settled hour and its statements."""

from typing import Any

from accounts.models import Organization
from settlement.models import Statement
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    TEN,
    Delivery,
    a_delivery,
    a_period,
    an_event,
    play_at,
)


def settled(*, bid: str = "bid_1", **more: Any) -> Delivery:
    """Three quarters of one hour were delivered; the provisional run was made in January."""
    delivery = a_delivery(bid=bid, periods=[a_period(0)])
    now = play_at(TEN + 3 * HOUR)
    ingest(
        delivery.meter,
        [an_event(delivery, ends=TEN + HOUR * 3 // 4, total=HOUR_MS * 3 // 4, **more)],
    )
    settle_due(now)
    return delivery


def statement_of(organization: Organization) -> Statement:
    """Return the organization's only statement that nothing replaced."""
    return Statement.objects.get(organization=organization, replaced_by=None)
