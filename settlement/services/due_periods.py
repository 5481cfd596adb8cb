"""Which periods are due for their next reckoning, and everything that it goes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from exchange.foundation.arrays import spelled
from exchange.foundation.rows import named_rows
from settlement.models import Dispute, DisputeState, PeriodState, RunKind, SettlementRun
from settlement.postings import Metered, Postings, Terms
from settlement.queries.agreed_terms import agreed_terms
from settlement.queries.delivered import Delivered, delivered_in
from settlement.services.excused import excused_in

BATCH_MAX = 5_000
LOTS_PER_ACCELERATOR = 1_000
_MILLISECOND = timedelta(milliseconds=1)
_STATES = {state.value: state for state in PeriodState}
_RUNS = {int(kind): kind for kind in RunKind}

# A period that is over waits for late readings until its provisional run.
END = """
UPDATE settlement_deliveryperiod AS period
SET state = 'metered',
    next_run_at = period.ends_at + contract.run_delays_minutes[1] * interval '1 minute'
FROM settlement_contract AS contract
WHERE contract.id = period.contract_id AND period.state = 'open' AND period.ends_at <= %s
  AND period.id IN (
      SELECT id FROM settlement_deliveryperiod
      WHERE state = 'open' AND ends_at <= %s FOR NO KEY UPDATE SKIP LOCKED)
"""
# While a dispute is undecided there is no final run. A resold period's run waits for that of the
# period it comes from.
CLAIM = """
SELECT period.id, period.contract_id, period.resold_from_id, period.state, period.next_run_no,
       period.starts_at, period.ends_at, period.quantity_lots,
       period.price_ticks, period.buyer_price, period.seller_price, period.congestion_price,
       period.power_price, period.policy_price, period.replacement_price,
       contract.buyer_id, contract.provider_id, contract.auction_id, contract.hold_key,
       contract.site_code, contract.region_code, contract.accelerator_code,
       contract.run_delays_minutes, contract.dispute_days,
       contract.tolerance_ppm, contract.penalty_factor_ppm,
       contract.buyer_fee_ppm, contract.seller_fee_ppm,
       contract.watts_micros, contract.pue_micros, contract.renewable_micros,
       grid.id AS grid_factor_id, grid.grams_per_mwh AS grid_grams_per_mwh
FROM settlement_deliveryperiod AS period
JOIN settlement_contract AS contract ON contract.id = period.contract_id
LEFT JOIN LATERAL (
    SELECT id, grams_per_mwh FROM settlement_gridfactor
    WHERE region_code IN (contract.region_code, '')
      AND year <= extract(year FROM period.starts_at)
    ORDER BY region_code = '', year DESC, id DESC LIMIT 1) AS grid ON true
WHERE period.state IN ('metered', 'provisional', 'disputed') AND period.next_run_at <= %s
  AND NOT (period.state = 'disputed' AND period.next_run_no = 4)
  AND (period.resold_from_id IS NULL OR EXISTS (
      SELECT FROM settlement_settlementrun AS first
      WHERE first.period_id = period.resold_from_id AND first.run_no = period.next_run_no))
ORDER BY period.next_run_at, period.id
LIMIT %s
FOR NO KEY UPDATE OF period SKIP LOCKED
"""
RUNS = """
SELECT * FROM settlement_settlementrun WHERE period_id = ANY(%s::bigint[]) ORDER BY run_no
"""
DISPUTES = "SELECT * FROM settlement_dispute WHERE period_id = ANY(%s::bigint[]) ORDER BY id"


class DuePeriod(NamedTuple):
    """A claimed period with its contract's terms. Only its claimer may settle it."""

    id: int
    contract_id: int
    resold_from_id: int | None
    state: PeriodState
    run_no: RunKind
    starts_at: datetime
    ends_at: datetime
    buyer_id: int
    provider_id: int
    auction_id: str
    hold_key: str
    site_code: str
    region_code: str
    accelerator_code: str
    run_delays_minutes: list[int]
    dispute_days: int
    grid_factor_id: int | None
    terms: Terms

    def next_run_at(self) -> datetime | None:
        """Return when the run after this one is due, None after the final one."""
        if self.run_no is RunKind.FINAL:
            return None
        if self.run_no is RunKind.R2:
            return self.ends_at + timedelta(days=self.dispute_days)
        return self.ends_at + timedelta(minutes=self.run_delays_minutes[self.run_no])


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was owed after the last run, and the most the buyer was ever charged."""

    last: Postings | None = None
    peak: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Disputes of a period: what was ruled, whether one is undecided, and whether any stood.

    One that the exchange opened for the meters and ended because they agreed did not stand: should
    they disagree again, another is opened.
    """

    ruled_ms: int | None = None
    is_undecided: bool = False
    is_by_meters: bool = False
    stood: bool = False


def end_periods(now: datetime) -> int:
    """Move periods that are over from open to metered; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(END, [now, now])
        ended: int = cursor.rowcount
        return ended


def claim_due(now: datetime, *, limit: int = BATCH_MAX) -> list[DuePeriod]:
    """Lock and return periods whose next run is due; others' claims are passed over."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [now, limit])
        return [_due_period(row) for row in named_rows(cursor)]


def past_of(period_ids: Sequence[int]) -> dict[int, Past]:
    """Return what earlier runs left of these periods."""
    past: dict[int, Past] = {}
    for run in SettlementRun.objects.raw(RUNS, [spelled(period_ids)]) if period_ids else ():
        last = postings_of(run)
        peak = max(last.charge, past.get(run.period_id, Past()).peak)
        past[run.period_id] = Past(last=last, peak=peak)
    return past


def standings_of(period_ids: Sequence[int]) -> dict[int, Standing]:
    """Return what disputes say about these periods; the latest ruling stands."""
    standings: dict[int, Standing] = {}
    for dispute in Dispute.objects.raw(DISPUTES, [spelled(period_ids)]):
        before = standings.get(dispute.period_id, Standing())
        undecided = dispute.decided_at is None
        standings[dispute.period_id] = Standing(
            ruled_ms=before.ruled_ms if dispute.ruled_ms is None else dispute.ruled_ms,
            is_undecided=before.is_undecided or undecided,
            is_by_meters=before.is_by_meters or (undecided and dispute.opened_by_id is None),
            stood=before.stood or not _fell(dispute),
        )
    return standings


def _fell(dispute: Dispute) -> bool:
    return dispute.opened_by_id is None and dispute.state == DisputeState.WITHDRAWN


def metered_of(periods: Sequence[DuePeriod], standings: dict[int, Standing]) -> dict[int, Metered]:
    """Return what the meters (and rulings) say about each of these periods.

    Of a resold one it is its share of what the period that it comes from was settled at.
    """
    own = [period for period in periods if period.resold_from_id is None]
    ids = [period.id for period in own]
    counted, excused = delivered_in(ids), excused_in(ids)
    nothing = Delivered(0, None)
    metered = shares_of([each for each in periods if each.resold_from_id], standings)
    for period in own:
        provider = counted.get((period.id, "provider"), nothing)
        buyer = counted.get((period.id, "buyer"))
        metered[period.id] = Metered(
            provider_ms=provider.accel_ms,
            buyer_ms=None if buyer is None else buyer.accel_ms,
            ruled_ms=standings.get(period.id, Standing()).ruled_ms,
            excused_ms=excused.get(period.id, 0),
            energy_mj=provider.energy_mj,
        )
    return metered


def shares_of(periods: Sequence[DuePeriod], standings: dict[int, Standing]) -> dict[int, Metered]:
    """Return each resold period's share of what the same run of its first period said."""
    first_ids = [period.resold_from_id for period in periods]
    runs = {
        (run.period_id, run.run_no): run
        for run in SettlementRun.objects.filter(period__in=first_ids)
    }
    return {
        period.id: share_of(
            runs[period.resold_from_id or 0, period.run_no],
            period.terms.contracted_ms,
            ruled_ms=standings.get(period.id, Standing()).ruled_ms,
        )
        for period in periods
    }


def share_of(first: SettlementRun, contracted_ms: int, *, ruled_ms: int | None) -> Metered:
    """Return the share of ``contracted_ms`` in what a run of the first period was reckoned at.

    What was delivered is rounded down and what is excused up, so that rounding costs nobody a
    penalty.
    """
    energy = first.energy_mj
    return Metered(
        provider_ms=first.delivered_ms * contracted_ms // first.contracted_ms,
        ruled_ms=ruled_ms,
        excused_ms=-(-first.excused_ms * contracted_ms // first.contracted_ms),
        energy_mj=None if energy is None else energy * contracted_ms // first.contracted_ms,
    )


def postings_of(run: SettlementRun) -> Postings:
    """Return a run's amounts as they were reckoned."""
    return Postings(
        contracted_ms=run.contracted_ms,
        delivered_ms=run.delivered_ms,
        buyer_due=run.buyer_due_micros,
        seller_due=run.seller_due_micros,
        congestion=run.congestion_micros,
        power=run.power_micros,
        policy=run.policy_micros,
        rounding=run.rounding_micros,
        buyer_fee=run.buyer_fee_micros,
        seller_fee=run.seller_fee_micros,
        penalty=run.penalty_micros,
        energy_wh=run.energy_wh,
        co2_grams=run.co2_grams,
    )


def contracted_ms(quantity_lots: int, length: timedelta) -> int:
    """Return accelerator-milliseconds; periods are whole minutes, so this is exact."""
    total = quantity_lots * (length // _MILLISECOND)
    assert total % LOTS_PER_ACCELERATOR == 0, (quantity_lots, length)
    return total // LOTS_PER_ACCELERATOR


def _due_period(row: Any) -> DuePeriod:
    return DuePeriod(
        id=row.id,
        contract_id=row.contract_id,
        resold_from_id=row.resold_from_id,
        state=_STATES[row.state],
        run_no=_RUNS[row.next_run_no],
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        buyer_id=row.buyer_id,
        provider_id=row.provider_id,
        auction_id=row.auction_id,
        hold_key=row.hold_key,
        site_code=row.site_code,
        region_code=row.region_code,
        accelerator_code=row.accelerator_code,
        run_delays_minutes=row.run_delays_minutes,
        dispute_days=row.dispute_days,
        grid_factor_id=row.grid_factor_id,
        terms=agreed_terms(
            row,
            row,
            contracted_ms=contracted_ms(row.quantity_lots, row.ends_at - row.starts_at),
            replacement_price=row.replacement_price,
            grid_grams_per_mwh=row.grid_grams_per_mwh,
        ),
    )
