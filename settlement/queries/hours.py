"""One delivery period as a trace: from its readings to its runs, transfers and lines, and back.

A period is named by its contract and its start in UTC, such as ``20260105T100000Z``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Caller
from settlement.models import (
    Contract,
    DeliveryPeriod,
    Reading,
    ReadingEvent,
    SettlementRun,
    Side,
    Statement,
    StatementState,
    Transfer,
)
from settlement.queries.balances import transfers_shown
from settlement.queries.line_transfers import LinePlace, places_of_periods
from settlement.queries.statement_lines import given_of, lines_cte

READING_LONGEST = timedelta(days=1)  # how far beyond its hour a reading is looked for
_HOUR = re.compile(r"\d{8}T\d{6}Z")
FIRST_OF_PERIOD = """
SELECT min(line_no) FROM billed WHERE period_id = %(period)s
"""


@dataclass(frozen=True, slots=True)
class RunStory:
    """A run with the caller's transfers that it posted, and where they stand on paper."""

    run: SettlementRun
    transfers: Sequence[Transfer]
    lines: Sequence[LinePlace]
    drafts: Sequence[Statement]

    @property
    def inputs_hex(self) -> str:
        """The hash of what the run was reckoned from."""
        return bytes(self.run.inputs_sha256).hex()


def hour_of(starts_at: datetime) -> str:
    """Return the name of the period of a contract that starts then."""
    return f"{starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def period_named(contract: Contract, hour: str) -> DeliveryPeriod | None:
    """Return the contract's period of this name, or None."""
    if not _HOUR.fullmatch(hour):
        return None
    try:
        starts_at = datetime.strptime(hour, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return contract.periods.filter(starts_at=starts_at).first()


def readings_of(period: DeliveryPeriod) -> QuerySet[Reading]:
    """Return what meters said about the contract's devices in the hour.

    Of a resold hour: about the devices of the contract under which it is delivered.
    """
    source = period
    while source.resold_from is not None:
        source = source.resold_from
    return Reading.objects.filter(
        contract_id=source.contract_id,
        ends_at__gt=period.starts_at,
        ends_at__lte=period.ends_at + READING_LONGEST,
        starts_at__lt=period.ends_at,
    ).select_related("meter", "device")


def event_ids_of(readings: Sequence[Reading]) -> dict[int, str]:
    """Return the ids under which meters sent these readings."""
    events = ReadingEvent.objects.filter(pk__in=[reading.pk for reading in readings])
    return dict(events.values_list("pk", "event_id"))


def runs_of(period: DeliveryPeriod, caller: Caller) -> list[RunStory]:
    """Return the period's runs, each with what the caller may see of its consequences."""
    moved = list(transfers_shown(caller).filter(period=period).order_by("batch_id", "id"))
    places = places_of_periods([period.pk], caller)
    drafts = list(_drafts(period, caller))
    return [
        RunStory(
            run=run,
            transfers=[each for each in moved if each.run_no == run.run_no],
            lines=sorted(
                (
                    place
                    for (_period, run_no, _code), found in places.items()
                    if run_no == run.run_no
                    for place in found
                ),
                key=lambda place: (place.statement, place.line_no),
            ),
            drafts=[each for each in drafts if each.starts_at <= run.ran_at < each.ends_at],
        )
        for run in period.runs.select_related("grid_factor").order_by("run_no")
    ]


def line_of_hour(statement: Statement, period: DeliveryPeriod) -> int:
    """Return the number of the statement's first line about the period; 1 if there is none."""
    with connection.cursor() as cursor:
        given = given_of(statement) | {"period": period.pk}
        cursor.execute(lines_cte(statement) + FIRST_OF_PERIOD, given)
        found = cursor.fetchone()
    return int(found[0] or 1) if found else 1


def _drafts(period: DeliveryPeriod, caller: Caller) -> QuerySet[Statement]:
    """Return the parties' drafts that the caller may see."""
    contract = period.contract
    own = Statement.objects.visible_to(caller).filter(state=StatementState.DRAFT)
    return own.filter(organization_id=contract.buyer_id, side=Side.BUYER) | own.filter(
        organization_id=contract.provider_id, side=Side.PROVIDER
    )
