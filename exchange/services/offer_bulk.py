"""Many offers changed alike: all of them or none, with what stands in the way of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, NamedTuple

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import Offer, OfferVersion
from exchange.services.faults import TermsRefused
from exchange.services.gates import PartHalted
from exchange.services.offers import (
    CapacityExceeded,
    OfferNotFound,
    OfferNotLive,
    activate_offer,
    edit_offer,
    lock_sites,
    pause_offer,
    refuse_in_freeze,
    withdraw_offer,
)
from settlement.services.collateral import CollateralMissing

OFFERS_MAX: Final = 500
PPM: Final = 1_000_000


class BulkVerb(StrEnum):
    """What is done to each of the offers, and what its amount counts."""

    SET_PRICE = "set_price"  # ticks
    ADD_TO_PRICE = "add_to_price"  # ticks, below none to lower it
    SCALE_PRICE = "scale_price"  # millionths more (or less) than before
    SET_QUANTITY = "set_quantity"  # lots
    SCALE_QUANTITY = "scale_quantity"  # millionths more (or less) than before
    PAUSE = "pause"
    RESUME = "resume"
    WITHDRAW = "withdraw"


EDITS: Final = frozenset(
    {
        BulkVerb.SET_PRICE,
        BulkVerb.ADD_TO_PRICE,
        BulkVerb.SCALE_PRICE,
        BulkVerb.SET_QUANTITY,
        BulkVerb.SCALE_QUANTITY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """One change for many offers; ``reason`` is for withdrawals alone."""

    verb: BulkVerb
    amount: int = 0
    reason: str = ""


class BulkFault(NamedTuple):
    """Why one of the offers could not be changed."""

    offer: Offer
    refusal: Exception


class OffersNotChanged(Exception):
    """Nothing was changed; ``faults`` say of each offer in the way what is wrong with it."""

    def __init__(self, faults: Sequence[BulkFault]) -> None:
        """Keep the faults; there is at least one."""
        assert faults
        self.faults = tuple(faults)
        super().__init__(f"nothing was changed: {len(faults)} offers stand in the way")


class TooManyOffers(Exception):
    """More offers than one change takes."""


_EXPECTED = (
    TermsRefused,
    CapacityExceeded,
    CollateralMissing,
    OfferNotFound,
    OfferNotLive,
    PartHalted,
)


@transaction.atomic
def change_offers(public_ids: Collection[str], change: BulkChange, *, caller: Caller) -> int:
    """Change the caller's offers of these ids; return how many there were.

    Ids of others are passed over, as if there were no such offers. Raises OffersNotChanged with
    every fault, TooManyOffers and MarketFrozen; nothing is changed then.
    """
    if change.verb in EDITS:
        refuse_in_freeze()
    offers = _own(public_ids, caller)
    lock_sites(offer.site_id for offer in offers)
    faults = [
        BulkFault(offer, refusal)
        for offer in offers
        if (refusal := _try_change(offer, change, caller)) is not None
    ]
    if faults:
        raise OffersNotChanged(faults)
    return len(offers)


def _own(public_ids: Collection[str], caller: Caller) -> list[Offer]:
    if len(public_ids) > OFFERS_MAX:
        raise TooManyOffers(f"at most {OFFERS_MAX} offers at once")
    own = Offer.objects.visible_to(caller).of_sites().filter(provider_id=caller.organization_id)
    return list(own.filter(public_id__in=public_ids).with_terms().order_by("pk"))


def _try_change(offer: Offer, change: BulkChange, caller: Caller) -> Exception | None:
    """Change one offer; return the refusal, of which nothing is left in the database."""
    try:
        _change(offer, change, caller)
    except _EXPECTED as refusal:
        return refusal
    return None


def _change(offer: Offer, change: BulkChange, caller: Caller) -> None:
    name, verb = offer.public_id, change.verb
    if verb in EDITS:
        assert offer.terms is not None, name
        terms = _changed_terms(offer.terms, change)
        edit_offer(name, terms, version=None, caller=caller)
    elif verb == BulkVerb.PAUSE:
        pause_offer(name, caller=caller)
    elif verb == BulkVerb.RESUME:
        activate_offer(name, caller=caller)
    else:
        withdraw_offer(name, caller=caller, reason=change.reason)


def _changed_terms(terms: OfferVersion, change: BulkChange) -> dict[str, Any]:
    """Return the one member of a body that the change gives an offer of these terms."""
    if change.verb in (BulkVerb.SET_QUANTITY, BulkVerb.SCALE_QUANTITY):
        lots = change.amount
        if change.verb == BulkVerb.SCALE_QUANTITY:
            lots = _scaled(terms.quantity_lots, change.amount)
        return {"quantity": format_scaled(lots, scale=LOTS)}
    ticks = {
        BulkVerb.ADD_TO_PRICE: terms.price_ticks + change.amount,
        BulkVerb.SCALE_PRICE: _scaled(terms.price_ticks, change.amount),
    }.get(change.verb, change.amount)
    return {"price": format_scaled(ticks, scale=TICKS)}


def _scaled(amount: int, more_ppm: int) -> int:
    """Return an amount with so many millionths more, in whole steps; a half goes to the even."""
    return round(Fraction(amount * (PPM + more_ppm), PPM))
