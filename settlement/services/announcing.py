"""What settlement tells the outbox: in the database transaction of the effect, as sets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.models import EventType
from accounts.services.events import NewEvent, listeners_for, write_events
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from settlement.models import Contract, Dispute, Payout, Resale, Statement, Transfer
from settlement.services.run_postings import Reckoned

MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A contract went from one state to the next."""

    contract_id: int
    was: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Parties:
    public_id: str
    buyer_id: int
    provider_id: int

    def roles(self) -> tuple[tuple[str, int], ...]:
        return ("buyer", self.buyer_id), ("provider", self.provider_id)


def tell_contracts_opened(contract_keys: Sequence[UUID], *, now: datetime) -> None:
    """Tell the parties of new contracts, by their keys, that they have them."""
    kind = EventType.CONTRACT_OPENED
    listening = listeners_for(kind)
    if not listening or not contract_keys:
        return
    contracts = Contract.objects.filter(key__in=contract_keys).order_by("pk")
    write_events(
        NewEvent(
            type=kind,
            organization_id=organization_id,
            about=contract.public_id,
            happened_at=now,
            data={
                "contract": contract.public_id,
                "role": role,
                "auction": contract.auction_id,
                "bid": contract.bid_id,
                "site": contract.site_code,
                "accelerator": contract.accelerator_code,
                "starts_at": told_at(contract.starts_at),
                "ends_at": told_at(contract.ends_at),
            },
        )
        for contract in contracts
        for role, organization_id in (
            ("buyer", contract.buyer_id),
            ("provider", contract.provider_id),
        )
        if organization_id in listening
    )


def tell_contracts_moved(moves: Sequence[Move], *, now: datetime) -> None:
    """Tell the parties of contracts that these moved on."""
    kind = EventType.CONTRACT_MOVED
    listening = listeners_for(kind)
    if not listening or not moves:
        return
    parties = _parties_of(move.contract_id for move in moves)
    write_events(
        NewEvent(
            type=kind,
            organization_id=organization_id,
            about=of.public_id,
            happened_at=now,
            data={
                "contract": of.public_id,
                "role": role,
                "was": move.was,
                "state": move.state,
                "reason": move.reason,
            },
        )
        for move in moves
        for of in (parties[move.contract_id],)
        for role, organization_id in of.roles()
        if organization_id in listening
    )


def tell_periods_settled(reckoned: Sequence[Reckoned], *, now: datetime) -> None:
    """Tell who listens what each run settled, and the parties of shortfalls of them."""
    listening = listeners_for(EventType.PERIOD_SETTLED)
    short = [each for each in reckoned if _has_grown_short(each)]
    if not listening and not short:
        return
    parties = _parties_of(each.period.contract_id for each in (reckoned if listening else short))
    write_events(_settled(reckoned, parties, listening, now=now))
    write_events(_shortfalls(short, parties, now=now))


def tell_disputes(disputes: Iterable[Dispute], *, now: datetime) -> None:
    """Tell the parties where their disputes stand now; their periods' contracts are looked up."""
    rows = Dispute.objects.filter(pk__in=[each.pk for each in disputes]).select_related(
        "period__contract"
    )
    write_events(
        NewEvent(
            type=EventType.DISPUTE_MOVED,
            organization_id=organization_id,
            about=dispute.public_id,
            happened_at=now,
            data={
                "dispute": dispute.public_id,
                "contract": dispute.period.contract.public_id,
                "role": role,
                "period_starts_at": told_at(dispute.period.starts_at),
                "state": dispute.state,
                "claimed_hours": hours(dispute.claimed_ms),
                "ruled_hours": None if dispute.ruled_ms is None else hours(dispute.ruled_ms),
                "reason": dispute.decision or dispute.reason,
            },
        )
        for dispute in rows
        for role, organization_id in (
            ("buyer", dispute.period.contract.buyer_id),
            ("provider", dispute.period.contract.provider_id),
        )
    )


def tell_resales(resales: Iterable[Resale], *, now: datetime) -> None:
    """Tell the reseller, and whom it is offered to, where resales stand now."""
    rows = Resale.objects.filter(pk__in=[each.pk for each in resales]).select_related("contract")
    write_events(
        NewEvent(
            type=EventType.RESALE_MOVED,
            organization_id=organization_id,
            about=resale.public_id,
            happened_at=now,
            data={
                "resale": resale.public_id,
                "role": role,
                "state": resale.state,
                "reason": resale.reason_code,
                "site": resale.contract.site_code,
                "accelerator": resale.contract.accelerator_code,
                "starts_at": told_at(resale.starts_at),
                "ends_at": told_at(resale.ends_at),
                "quantity": None
                if resale.quantity_lots is None
                else format_scaled(resale.quantity_lots, scale=LOTS),
                "price": format_scaled(resale.price_ticks, scale=TICKS),
                "currency": resale.contract.currency,
            },
        )
        for resale in rows
        for role, organization_id in (
            ("reseller", resale.contract.buyer_id),
            ("buyer", resale.buyer_id),
        )
        if organization_id is not None
    )


def tell_statement(statement: Statement, *, now: datetime) -> None:
    """Tell an organization that a statement of its is final."""
    write_events(
        [
            NewEvent(
                type=EventType.STATEMENT_FINALIZED,
                organization_id=statement.organization_id,
                about=statement.public_id,
                happened_at=now,
                data={
                    "statement": statement.public_id,
                    "side": statement.side,
                    "series": statement.series,
                    "number": statement.number,
                    "starts_at": told_at(statement.starts_at),
                    "ends_at": told_at(statement.ends_at),
                },
            )
        ]
    )


def tell_deposit(transfer: Transfer, *, organization_id: int) -> None:
    """Tell an organization that money of its arrived."""
    write_events(
        [
            NewEvent(
                type=EventType.DEPOSIT_POSTED,
                organization_id=organization_id,
                about=transfer.pk.hex,
                happened_at=transfer.event_at,
                data={
                    "transfer": str(transfer.pk),
                    "amount": money(transfer.amount_micros),
                    "currency": settings.MARKET_CURRENCY,
                },
            )
        ]
    )


def tell_payout(payout: Payout, *, now: datetime) -> None:
    """Tell an organization where a payout that it asked for stands now."""
    write_events(
        [
            NewEvent(
                type=EventType.PAYOUT_MOVED,
                organization_id=payout.organization_id,
                about=payout.public_id,
                happened_at=now,
                data={
                    "payout": payout.public_id,
                    "state": payout.state,
                    "amount": money(payout.amount_micros),
                    "currency": payout.currency,
                    "reason": payout.reason_code,
                },
            )
        ]
    )


def told_at(moment: datetime) -> str:
    """Return a moment as events say it."""
    return moment.isoformat().replace("+00:00", "Z")


def money(amount_micros: int) -> str:
    """Return an amount as events say it."""
    return format_scaled(amount_micros, scale=MICROS)


def hours(accel_ms: int) -> str:
    """Return accelerator-milliseconds as accelerator-hours, to a thousandth, rounded down."""
    return format_scaled(accel_ms * LOTS // MILLISECONDS_AN_HOUR, scale=LOTS)


def _settled(
    reckoned: Sequence[Reckoned],
    parties: dict[int, _Parties],
    listening: frozenset[int],
    *,
    now: datetime,
) -> Iterator[NewEvent]:
    for each in reckoned if listening else ():
        of, after = parties[each.period.contract_id], each.after
        told = {
            "contract": of.public_id,
            "period_ends_at": told_at(each.period.ends_at),
            "run": int(each.period.run_no),
            "contracted_hours": hours(after.contracted_ms),
            "delivered_hours": hours(after.delivered_ms),
            "penalty": money(after.penalty),
        }
        due = {"buyer": after.buyer_due, "provider": after.seller_due}
        for role, organization_id in of.roles():
            if organization_id in listening:
                yield NewEvent(
                    type=EventType.PERIOD_SETTLED,
                    organization_id=organization_id,
                    about=of.public_id,
                    happened_at=now,
                    data=told | {"role": role, "due": money(due[role])},
                )


def _shortfalls(
    short: Sequence[Reckoned], parties: dict[int, _Parties], *, now: datetime
) -> Iterator[NewEvent]:
    """Yield one event a contract and party, however many hours of it fell short."""
    by_contract: dict[int, list[Reckoned]] = defaultdict(list)
    for each in short:
        by_contract[each.period.contract_id].append(each)
    for contract_id, runs in by_contract.items():
        of = parties[contract_id]
        ends = [each.period.ends_at for each in runs]
        told = {
            "contract": of.public_id,
            "periods": len(runs),
            "first_period_ends_at": told_at(min(ends)),
            "last_period_ends_at": told_at(max(ends)),
            "shortfall_hours": hours(sum(_shortfall(each) for each in runs)),
            "penalty": money(sum(each.after.penalty for each in runs)),
        }
        for role, organization_id in of.roles():
            yield NewEvent(
                type=EventType.CONTRACT_SHORTFALL,
                organization_id=organization_id,
                about=of.public_id,
                happened_at=now,
                data=told | {"role": role},
            )


def _shortfall(each: Reckoned) -> int:
    return each.after.contracted_ms - each.after.delivered_ms


def _has_grown_short(each: Reckoned) -> bool:
    """Return whether this run found less delivered than contracted, and than the run before."""
    last = each.past.last
    before = 0 if last is None else last.contracted_ms - last.delivered_ms
    return _shortfall(each) > before


def _parties_of(contract_ids: Iterable[int]) -> dict[int, _Parties]:
    rows = Contract.objects.filter(pk__in=set(contract_ids))
    return {
        pk: _Parties(public_id, buyer_id, provider_id)
        for pk, public_id, buyer_id, provider_id in rows.values_list(
            "pk", "public_id", "buyer_id", "provider_id"
        )
    }
