"""A buyer sells on what it will not use of a contract, whole periods that have not begun.

The first contract stays as it is: its buyer goes on paying for it and its provider goes on
delivering. What is sold becomes a contract of its own between the new buyer and the reseller;
each hour of it gets its share of what the first contract's hour is settled at, so a shortfall
passes through, and each side is settled by its own terms for its own periods.

Everything here holds the lock on the first contract's row, so that no two resales promise the same
hours and none is sold of a contract that is being ended.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import Caller, Organization, Scope
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move
from settlement.models import RESALE_MOVES, Contract, ContractState, Resale, ResaleState
from settlement.postings import Terms, greatest_charge
from settlement.queries.agreed_terms import agreed_terms
from settlement.queries.resold import Left, left_of, on_sale
from settlement.services.announcing import tell_resales
from settlement.services.contract_terms import ContractTerms, PeriodTerms
from settlement.services.contracts import open_contracts
from settlement.services.due_periods import contracted_ms
from settlement.services.holds import HoldRequest, place_hold
from settlement.services.resale_markets import is_promised, refuse_past_the_gate

RESELLABLE = (
    ContractState.SCHEDULED,
    ContractState.PROVISIONING,
    ContractState.ACTIVE,
    ContractState.DEGRADED,
)
OPEN_MAX = 100
QUANTITY_LOTS_MAX = 10**9
PRICE_TICKS_MAX = 10**8
LAPSE_AT_ONCE = 1_000


class NotTheReseller(Exception):
    """Only the buyer of a contract resells it, through a member or key that acts on contracts."""


class NotTheNewBuyer(Exception):
    """Only whom it is offered to takes or declines it, as an organization that buys."""


class NotResellable(Exception):
    """A contract is resold while it is about to run or runs as agreed."""


class ResaleOutside(Exception):
    """What is resold are whole periods of the contract that have not begun."""


class HoursTaken(Exception):
    """There is not that much left in every period: it is resold or on sale already."""


class BadNewBuyer(Exception):
    """The new buyer is another active organization that buys."""


class TooManyResales(Exception):
    """A contract has at most OPEN_MAX open resales."""


class ResaleLapsed(Exception):
    """The first of its periods has begun, or the contract is no longer to be resold."""


class ResaleInBook(Exception):
    """It stands in a book that is being cleared; once that auction is published it can end."""


def open_resale(
    contract: Contract,
    *,
    price_ticks: int,
    actor: Caller,
    buyer: Organization | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    quantity_lots: int | None = None,
) -> Resale:
    """Put hours on sale: to ``buyer``, or without one back into the auctions at this floor.

    Without times it is all that has not begun, without a quantity all that is left of it. Raises
    NotTheReseller, NotResellable, ResaleOutside, HoursTaken, BadNewBuyer, TooManyResales.
    """
    _refuse_stranger(contract.buyer_id, actor, NotTheReseller)
    if buyer is not None:
        _refuse_bad_buyer(buyer, actor)
    with transaction.atomic():
        contract = _locked(contract.pk)
        now = market_now()
        if Resale.objects.open().filter(contract=contract).count() >= OPEN_MAX:
            raise TooManyResales(f"at most {OPEN_MAX} at once")
        periods = _window(left_of([contract.pk]), now, starts_at, ends_at)
        _refuse_taken(periods, quantity_lots)
        resale = Resale.objects.create(
            contract=contract,
            buyer=buyer,
            starts_at=periods[0].starts_at,
            ends_at=periods[-1].ends_at,
            quantity_lots=quantity_lots,
            price_ticks=price_ticks,
            actor=actor.signature,
            opened_at=now,
        )
        record(actor, "resell", resale, contract.public_id)
        tell_resales([resale], now=now)
    return resale


def accept_resale(resale: Resale, *, actor: Caller, project: str = "") -> Contract:
    """Buy what is offered: the greatest cost is held, and a contract is opened.

    Raises NotTheNewBuyer, ResaleLapsed, IllegalMove, MarketRefuses, InsufficientFunds,
    UnknownProject, BudgetExceeded.
    """
    _refuse_stranger(resale.buyer_id, actor, NotTheNewBuyer)
    if not actor.buys:
        raise NotTheNewBuyer("the organization does not buy")
    with transaction.atomic():
        contract, now = _locked_for(resale), market_now()
        if resale.state == ResaleState.OPEN and now >= resale.starts_at:
            raise ResaleLapsed(f"it began at {resale.starts_at.isoformat()}")
        _close(resale, ResaleState.SOLD, code="accepted", actor=actor)
        terms = _terms(resale, contract)
        cost = sum(greatest_charge(_charged(period, terms)) for period in terms.periods)
        refuse_past_the_gate(terms, cost)
        place_hold(HoldRequest(resale.public_id, terms.buyer_id, cost, project))
        open_contracts([terms])
    return Contract.objects.get(key=terms.key)


def decline_resale(resale: Resale, *, actor: Caller) -> None:
    """Say no to what is offered. Raises NotTheNewBuyer, IllegalMove."""
    _refuse_stranger(resale.buyer_id, actor, NotTheNewBuyer)
    with transaction.atomic():
        _lock_first(resale)
        _close(resale, ResaleState.DECLINED, code="declined", actor=actor)


def withdraw_resale(resale: Resale, *, actor: Caller) -> None:
    """Take hours off sale; what was sold stays sold.

    Raises NotTheReseller, IllegalMove, ResaleInBook.
    """
    _refuse_stranger(resale.contract.buyer_id, actor, NotTheReseller)
    with transaction.atomic():
        _lock_first(resale)
        if is_promised(resale.pk):
            raise ResaleInBook(f"resale {resale.public_id}")
        _close(resale, ResaleState.WITHDRAWN, code="by_hand", actor=actor)


def lapse_resales(now: datetime) -> int:
    """End what can be sold no more: it has begun, or its contract ended; return how many."""
    due = Resale.objects.open().select_related("contract").order_by("pk")
    over = [
        resale
        for resale in due[:LAPSE_AT_ONCE]
        if now >= (resale.starts_at if resale.buyer_id else resale.ends_at)
        or resale.contract.ended_at is not None
    ]
    return sum(_lapse(resale) for resale in over)


def close_sold_out(resale_ids: Collection[int]) -> int:
    """Close resales at auctions that have nothing left to sell; return how many.

    Called in the database transaction that opened the contracts of what they sold.
    """
    now = market_now()
    left = {each.resale_id for each in on_sale(resale_ids) if each.lots and each.starts_at > now}
    sold_out = Resale.objects.open().filter(pk__in=set(resale_ids) - left).order_by("pk")
    for resale in sold_out:
        _close(resale, ResaleState.SOLD, code="sold_out")
    return len(sold_out)


def _lapse(resale: Resale) -> bool:
    with transaction.atomic():
        _lock_first(resale)
        if resale.state != ResaleState.OPEN or is_promised(resale.pk):
            return False
        _close(resale, ResaleState.LAPSED, code="time_over")
    return True


def _locked(contract_id: int) -> Contract:
    """Return the first contract with its row locked. Raises NotResellable."""
    contract = Contract.objects.select_for_update(no_key=True).get(pk=contract_id)
    if contract.state not in RESELLABLE:
        raise NotResellable(f"contract {contract.public_id} is {contract.state}")
    return contract


def _locked_for(resale: Resale) -> Contract:
    try:
        contract = _locked(resale.contract_id)
    except NotResellable as wrong:
        raise ResaleLapsed(str(wrong)) from wrong
    _lock_first(resale)
    return contract


def _lock_first(resale: Resale) -> None:
    """Lock the first contract, whatever its state, then the resale, and read how that stands.

    A gate that takes the resale into its book locks it too: whoever is second sees the first.
    """
    list(Contract.objects.select_for_update(no_key=True).filter(pk=resale.contract_id))
    locked = Resale.objects.select_for_update(no_key=True).only("state").get(pk=resale.pk)
    resale.state = locked.state


def _close(resale: Resale, to: ResaleState, *, code: str, actor: Caller | None = None) -> None:
    now, signed = market_now(), "clock" if actor is None else actor.signature
    move(resale, to=to, moves=RESALE_MOVES, reason_code=code, actor=signed, closed_at=now)
    if actor is not None:
        record(actor, to.value, resale)
    tell_resales([resale], now=now)


def _refuse_stranger(owner_id: int | None, actor: Caller, refusal: type[Exception]) -> None:
    if owner_id != actor.organization_id or not actor.has_scope(Scope.CONTRACTS_WRITE):
        raise refusal("this is another's, or needs an owner or a trader")


def _refuse_bad_buyer(buyer: Organization, actor: Caller) -> None:
    if buyer.pk == actor.organization_id:
        raise BadNewBuyer("nobody resells to themselves")
    if not buyer.buys or buyer.state != Organization.State.ACTIVE:
        raise BadNewBuyer(f"{buyer.public_id} does not buy")


def _window(
    left: Iterable[Left], now: datetime, starts_at: datetime | None, ends_at: datetime | None
) -> list[Left]:
    """Return the periods from ``starts_at`` until ``ends_at``, whole and yet to come."""
    ahead = [each for each in left if each.starts_at > now]
    periods = [
        each
        for each in ahead
        if (starts_at is None or each.starts_at >= starts_at)
        and (ends_at is None or each.ends_at <= ends_at)
    ]
    if not periods:
        raise ResaleOutside("no whole period of the contract lies ahead in that time")
    if starts_at not in (None, periods[0].starts_at) or ends_at not in (None, periods[-1].ends_at):
        raise ResaleOutside(
            f"whole periods, from {periods[0].starts_at.isoformat()} "
            f"until {periods[-1].ends_at.isoformat()}"
        )
    return periods


def _refuse_taken(periods: Iterable[Left], quantity_lots: int | None) -> None:
    for each in periods:
        if each.free_lots <= 0 or (quantity_lots or 0) > each.free_lots:
            raise HoursTaken(f"{each.free_lots} lots from {each.starts_at.isoformat()}")


def _terms(resale: Resale, first: Contract) -> ContractTerms:
    """Return what the new buyer agrees to: the first contract's terms, at the resale's price.

    The resale is closed by now, so that what it kept for itself counts as free.
    """
    assert resale.buyer_id is not None
    ahead = [
        each
        for each in left_of([first.pk])
        if resale.starts_at <= each.starts_at and each.ends_at <= resale.ends_at
    ]
    price = Decimal(resale.price_ticks).scaleb(-3)
    return ContractTerms(
        buyer_id=resale.buyer_id,
        provider_id=first.buyer_id,
        auction_id=resale.public_id,
        bid_id=resale.public_id,
        hold_key=resale.public_id,
        resale_id=resale.pk,
        **{name: getattr(first, name) for name in KEPT_TERMS},
        periods=[
            PeriodTerms(
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                quantity_lots=resale.quantity_lots or each.free_lots,
                price_ticks=resale.price_ticks,
                buyer_price=price,
                seller_price=price,
                resold_from_id=each.period_id,
            )
            for each in ahead
        ],
    )


KEPT_TERMS = (
    *("site_code", "region_code", "accelerator_code", "accelerator_kind", "domestic"),
    *("tflops_micros", "watts_micros", "pue_micros", "renewable_micros", "currency"),
    *("tolerance_ppm", "penalty_factor_ppm", "dispute_days", "notice_minutes"),
    *("buyer_fee_ppm", "seller_fee_ppm", "run_delays_minutes"),
)


def _charged(period: PeriodTerms, terms: ContractTerms) -> Terms:
    """Return a period's terms as settling will read them."""
    return agreed_terms(
        period,
        terms,
        contracted_ms=contracted_ms(period.quantity_lots, period.ends_at - period.starts_at),
    )
