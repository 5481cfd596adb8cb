"""A statement begins as a draft when the first run of a month concerns its organization."""

from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from settlement.models import Side, Statement
from settlement.services.due_periods import DuePeriod

SERIES_OF_SIDE = {Side.BUYER: "B", Side.PROVIDER: "P"}
MONTHS = 12
# Shared with other batches, against finalizing: a run never joins a month that was written down.
KEEP_OPEN = """
SELECT side, organization_id, public_id, state FROM settlement_statement
WHERE organization_id = ANY(%s) AND starts_at = %s AND currency = %s AND revision = 0
ORDER BY id FOR SHARE
"""
Party = tuple[str, int]  # side, organization


class MonthClosed(Exception):
    """A run dated in a month whose statements are finalized; made anew, it gets today's date."""


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
    """See that each party to these periods has a draft for the month of ``now`` until we commit.

    Raises MonthClosed where ``now`` is so old that the month's statement was finalized meanwhile.
    """
    starts_at, ends_at = month_of(now)
    parties: set[Party] = {(Side.BUYER, period.buyer_id) for period in periods} | {
        (Side.PROVIDER, period.provider_id) for period in periods
    }
    if missing := parties - _kept_open(parties, starts_at):
        Statement.objects.bulk_create(
            [
                Statement(
                    organization_id=organization_id,
                    side=side,
                    currency=settings.MARKET_CURRENCY,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    series=f"{SERIES_OF_SIDE[Side(side)]}{starts_at:%Y}",
                )
                for side, organization_id in sorted(missing)
            ],
            ignore_conflicts=True,
        )
        _kept_open(missing, starts_at)


def _kept_open(parties: Collection[Party], starts_at: datetime) -> set[Party]:
    """Return which of the parties have a draft, which stays one until we commit."""
    organizations = sorted({organization_id for _, organization_id in parties})
    with connection.cursor() as cursor:
        cursor.execute(KEEP_OPEN, [organizations, starts_at, settings.MARKET_CURRENCY])
        found = cursor.fetchall()
    if closed := [public_id for *_, public_id, state in found if state != "draft"]:
        raise MonthClosed(f"finalized meanwhile: {', '.join(closed[:5])}")
    return {(side, organization_id) for side, organization_id, *_ in found}
