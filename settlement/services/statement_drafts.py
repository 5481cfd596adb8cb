"""A statement begins as a draft when the first run of a month concerns its organization."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from settlement.models import Side, Statement
from settlement.services.due_periods import DuePeriod

SERIES_OF_SIDE = {Side.BUYER: "B", Side.PROVIDER: "P"}
MONTHS = 12


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return the first moments of the month and of the next, by the market's wall clock."""
    zone = ZoneInfo(settings.MARKET_TIME_ZONE)
    local = moment.astimezone(zone)
    later = divmod(local.month, MONTHS)
    return (
        datetime(local.year, local.month, 1, tzinfo=zone),
        datetime(local.year + later[0], later[1] + 1, 1, tzinfo=zone),
    )


def open_drafts(periods: Iterable[DuePeriod], *, now: datetime) -> None:
    """See that each party to these periods has a statement for the month of ``now``."""
    starts_at, ends_at = month_of(now)
    parties = {(Side.BUYER, period.buyer_id) for period in periods} | {
        (Side.PROVIDER, period.provider_id) for period in periods
    }
    Statement.objects.bulk_create(
        [
            Statement(
                organization_id=organization_id,
                side=side,
                currency=settings.MARKET_CURRENCY,
                starts_at=starts_at,
                ends_at=ends_at,
                series=f"{SERIES_OF_SIDE[side]}{starts_at:%Y}",
            )
            for side, organization_id in sorted(parties)
        ],
        ignore_conflicts=True,
    )
