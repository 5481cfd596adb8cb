"""Settling: each due period is reckoned again, and what changed is posted.

A batch is one database transaction: claim (others pass over what is claimed), reckon, write the
runs, move the periods, post the transfers, free what holds no longer need. Killed anywhere it
leaves nothing; done twice it finds nothing to do. A batch in which somebody's money does not
reach is halved until only those periods wait that it does not reach for.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from exchange.foundation.arrays import spelled
from exchange.foundation.garbage import without_collecting
from settlement.models import Dispute, Hold, PeriodState, RunKind
from settlement.postings import Metered, greatest_charge, scaled_price, settle
from settlement.services.announcing import tell_periods_settled
from settlement.services.disputes import (
    METERS_DISAGREE,
    is_too_late,
    open_for_meters,
    withdraw_for_meters,
)
from settlement.services.due_periods import (
    BATCH_MAX,
    DuePeriod,
    Past,
    Standing,
    claim_due,
    end_periods,
    metered_of,
    past_of,
    standings_of,
)
from settlement.services.holds import resize_holds
from settlement.services.ledger import HoldOverdrawn, InsufficientFunds
from settlement.services.replacement import Wanted, quote_replacements
from settlement.services.run_postings import Reckoned, post_runs
from settlement.services.run_rows import write_runs
from settlement.services.statement_drafts import open_drafts

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(hours=1)

# Guarded: only a period that still waits for this very run is moved.
MOVE = """
UPDATE settlement_deliveryperiod AS period
SET state = given.state, next_run_no = least(given.run_no + 1, 4), next_run_at = given.next_run_at
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::smallint[], %s::timestamptz[])
    AS given (id, was, state, run_no, next_run_at)
WHERE period.id = given.id AND period.id = ANY(%s::bigint[])
  AND period.state = given.was AND period.next_run_no = given.run_no
"""
POSTPONE = "UPDATE settlement_deliveryperiod SET next_run_at = %s WHERE id = %s"


class ClaimBroken(Exception):
    """A claimed period was moved by somebody else; nothing of the batch stands."""


def settle_due(now: datetime) -> int:
    """End what is over and settle all that is due at ``now``; return how many runs there were."""
    end_periods(now)
    runs = 0
    while settled := settle_batch(now, limit=BATCH_MAX):
        runs += settled
    return runs


def settle_batch(now: datetime, *, limit: int) -> int:
    """Settle up to ``limit`` due periods in one database transaction; return how many."""
    with without_collecting(), transaction.atomic():
        due = claim_due(now, limit=limit)
        if due:
            _settle_or_halve(due, now)
    return len(due)


def _settle_or_halve(due: Sequence[DuePeriod], now: datetime) -> None:
    """Settle ``due``; where money does not reach, find whose and let those periods wait."""
    try:
        with transaction.atomic():
            _settle(due, now)
    except (InsufficientFunds, HoldOverdrawn) as short:
        if len(due) == 1:
            _postpone(due[0], now, short)
            return
        middle = len(due) // 2
        _settle_or_halve(due[:middle], now)
        _settle_or_halve(due[middle:], now)


def _postpone(period: DuePeriod, now: datetime, short: Exception) -> None:
    logger.error("period %s waits for its run %s: %s", period.id, period.run_no, short)
    with connection.cursor() as cursor:
        cursor.execute(POSTPONE, [now + RETRY_AFTER, period.id])


def _settle(due: Sequence[DuePeriod], now: datetime) -> None:
    ids = [period.id for period in due]
    past = past_of([period.id for period in due if period.run_no is not RunKind.PROVISIONAL])
    standings = standings_of(ids)
    metered = metered_of(due, standings)
    reckoned = _with_replacements(
        [
            Reckoned(period, past.get(period.id, Past()), settle(period.terms, metered[period.id]))
            for period in due
        ],
        metered,
    )
    write_runs(reckoned, metered, now=now)
    disputed = _follow_disputes(reckoned, metered, standings, now=now)
    _move(reckoned, disputed)
    post_runs(reckoned, now=now)
    _free_holds([each for each in reckoned if each.period.run_no is RunKind.FINAL])
    open_drafts(due, now=now)
    tell_periods_settled(reckoned, now=now)


def _with_replacements(
    reckoned: Sequence[Reckoned], metered: dict[int, Metered]
) -> Sequence[Reckoned]:
    """Reckon those that first fall short again, with what their capacity costs elsewhere."""
    short = [
        _wanted(each.period)
        for each in reckoned
        if each.after.penalty and each.period.terms.replacement_price is None
    ]
    quotes = quote_replacements(short)
    if not quotes:
        return reckoned
    return [
        _at(each, quote, metered[each.period.id])
        if (quote := quotes.get(each.period.id)) is not None
        else each
        for each in reckoned
    ]


def _wanted(period: DuePeriod) -> Wanted:
    return Wanted(
        period_id=period.id,
        site_code=period.site_code,
        region_code=period.region_code,
        accelerator_code=period.accelerator_code,
        starts_at=period.starts_at,
    )


def _at(each: Reckoned, quote: Decimal, metered: Metered) -> Reckoned:
    terms = each.period.terms._replace(replacement_price=scaled_price(quote))
    return Reckoned(each.period._replace(terms=terms), each.past, settle(terms, metered))


def _follow_disputes(
    reckoned: Sequence[Reckoned],
    metered: dict[int, Metered],
    standings: dict[int, Standing],
    *,
    now: datetime,
) -> set[int]:
    """Open what meters dispute, end what they no longer do; return the disputed periods' ids."""
    opened, agreed, disputed = [], [], set()
    for each in reckoned:
        period, standing = each.period, standings.get(each.period.id, Standing())
        if each.after.disagree and not standing.stood and not is_too_late(period.run_no):
            opened.append(_dispute(period, metered[period.id], now))
            disputed.add(period.id)
        elif standing.is_by_meters and not each.after.disagree:
            agreed.append(period.id)
        elif standing.is_undecided:
            disputed.add(period.id)
    open_for_meters(opened, now=now)
    withdraw_for_meters(agreed, now=now)
    return disputed


def _dispute(period: DuePeriod, metered: Metered, now: datetime) -> Dispute:
    higher = max(metered.provider_ms, metered.buyer_ms or 0)
    return Dispute(
        period_id=period.id,
        claimed_ms=min(higher, period.terms.contracted_ms),
        provider_ms=metered.provider_ms,
        buyer_ms=metered.buyer_ms,
        reason=METERS_DISAGREE,
        opened_at=now,
    )


def _move(reckoned: Sequence[Reckoned], disputed: set[int]) -> None:
    rows = [
        (
            each.period.id,
            each.period.state,
            _state_after(each.period, is_disputed=each.period.id in disputed),
            int(each.period.run_no),
            each.period.next_run_at(),
        )
        for each in reckoned
    ]
    with connection.cursor() as cursor:
        columns = [spelled(column) for column in zip(*rows, strict=True)]
        cursor.execute(MOVE, [*columns, columns[0]])
        if cursor.rowcount != len(rows):
            raise ClaimBroken(f"{len(rows) - cursor.rowcount} of {len(rows)} periods moved away")


def _state_after(period: DuePeriod, *, is_disputed: bool) -> PeriodState:
    if is_disputed:
        return PeriodState.DISPUTED
    return PeriodState.FINAL if period.run_no is RunKind.FINAL else PeriodState.PROVISIONAL


def _free_holds(finals: Sequence[Reckoned]) -> None:
    """Free what the holds kept for these periods and will never be captured.

    Until the final run the shortfall's part stays frozen: late readings may still claim it.
    """
    spare: dict[str, int] = {}
    for each in finals:
        charged = max(each.past.peak, each.after.charge, 0)
        left = max(0, greatest_charge(each.period.terms) - charged)
        spare[each.period.hold_key] = spare.get(each.period.hold_key, 0) + left
    holds = Hold.objects.filter(key__in=[key for key, amount in spare.items() if amount])
    resize_holds(
        {hold.key: max(0, hold.open_micros - spare[hold.key]) for hold in holds},
        "not delivered, and final",
    )
