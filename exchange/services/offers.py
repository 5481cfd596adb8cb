"""Offers: listed by providers, never for more than the site has free.

Whoever writes offers of a site holds the lock on its row, so that two of them cannot both promise
the same accelerators. Terms never change: an edit adds a version, and what was sold stays sold.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, cost_micros, format_scaled, round_up
from exchange.foundation.states import LostRace, move
from exchange.models import OFFER_MOVES, MarketFreeze, Offer, OfferState, OfferVersion, Site
from exchange.models.offers import OFFER_STATES_LIVE
from exchange.queries.capacity import Holdings, Segment, holdings_at
from exchange.queries.halts import halt_of_places
from exchange.services.auctions import actor_name
from exchange.services.body_fields import Fields
from exchange.services.faults import Fault, Faults, TermsRefused
from exchange.services.gates import MarketFrozen, PartHalted
from exchange.services.offer_terms import (
    LABEL_MAX,
    TERM_FIELDS,
    NewOffer,
    OfferTerms,
    offer_rules,
    read_new_offer,
    read_terms,
    said_terms,
)
from settlement.services.collateral import refuse_uncovered_listing

DAY: Final = timedelta(days=1)
WITHDRAWN: Final = "withdrawn_by_provider"
EDITABLE: Final = frozenset((*TERM_FIELDS, "label"))


class OfferNotFound(Exception):
    """There is no such offer, or it is not the caller's."""


class OfferChanged(Exception):
    """Somebody has edited the offer since the caller read it."""


class OfferNotLive(Exception):
    """The offer's state does not allow this."""


class CapacityExceeded(Exception):
    """The site has not that much free; ``errors`` say when, and how much it has."""

    def __init__(self, segment: Segment, asked_lots: int) -> None:
        """Name the moment with least free."""
        free = format_scaled(segment.free, scale=LOTS)
        asked = format_scaled(asked_lots, scale=LOTS)
        said = f"{free} are free from {segment.starts_at.isoformat()}, not {asked}"
        super().__init__(said)
        self.errors = [Fault("/quantity", "capacity_exceeded", said).as_error()]


@transaction.atomic
def create_offer(body: object, *, caller: Caller, draft: bool = False) -> Offer:
    """List an offer from a body as the API takes it; active at once unless it is a draft.

    Raises TermsRefused, CapacityExceeded, MarketFrozen, PartHalted.
    """
    refuse_in_freeze()
    faults = Faults()
    new = read_new_offer(_mapping(body), offer_rules(), caller.organization_id, faults)
    if new is None:
        raise TermsRefused(faults.found)
    refuse_in_halted_places([(new.site_id, new.accelerator_id)])
    lock_sites([new.site_id])
    if not draft:
        refuse_uncovered([new.terms], caller)
        refuse_beyond_free(_holdings(new.site_id, new.accelerator_id, new.terms), new.terms)
    state = OfferState.DRAFT if draft else OfferState.ACTIVE
    (offer,) = write_offers([new], caller=caller, state=state)
    return offer


@transaction.atomic
def edit_offer(public_id: str, changes: object, *, version: int | None, caller: Caller) -> Offer:
    """Add a version with some terms changed; ``version`` is the one that the caller read.

    Raises OfferNotFound, OfferNotLive, OfferChanged, TermsRefused, CapacityExceeded, MarketFrozen.
    """
    refuse_in_freeze()
    offer = _locked(public_id, caller)
    assert offer.terms is not None
    if version is not None and version != offer.terms.number:
        raise OfferChanged(f"the offer is at version {offer.terms.number}, not {version}")
    if offer.state not in OFFER_STATES_LIVE:
        raise OfferNotLive(f"the offer is {offer.state}")
    refuse_in_halted_places([(offer.site_id, offer.accelerator_id)])
    terms, label = _read_edit(offer, _mapping(changes))
    _refuse_edit(offer, terms)
    _add_version(offer, terms, offer.terms.number + 1, actor_name(caller))
    Offer.objects.filter(pk=offer.pk).update(label=label)
    offer.label = label
    return offer


def pause_offer(public_id: str, *, caller: Caller) -> Offer:
    """Keep an active offer out of the books that close from now on."""
    return _move(public_id, OfferState.PAUSED, caller)


def activate_offer(public_id: str, *, caller: Caller) -> Offer:
    """Let a draft or paused offer into the books; the site must have that much free now.

    Raises OfferNotFound, OfferNotLive, CapacityExceeded, MarketFrozen.
    """
    return _move(public_id, OfferState.ACTIVE, caller)


def withdraw_offer(public_id: str, *, caller: Caller, reason: str = "") -> Offer:
    """End an offer; what it sold stays sold, and a book that is closed keeps it."""
    why = {"reason_code": WITHDRAWN, "reason_detail": reason}
    return _move(public_id, OfferState.WITHDRAWN, caller, **why)


def refuse_in_freeze() -> None:
    """Raise MarketFrozen while an operator has halted the market."""
    halt = MarketFreeze.objects.live().of_all().first()
    if halt is not None:
        raise MarketFrozen(halt.reason)


def refuse_in_halted_places(places: Collection[tuple[int, int]]) -> None:
    """Raise PartHalted if the region or accelerator of any (site, accelerator) is halted."""
    halt = halt_of_places(places)
    if halt is not None:
        raise PartHalted(f"{halt.scope} {halt.part}", halt.reason)


def lock_sites(site_ids: Iterable[int]) -> None:
    """Let one writer at a time promise what these sites have, until the transaction's end."""
    rows = Site.objects.filter(pk__in=set(site_ids)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def refuse_beyond_free(holdings: Holdings, terms: OfferTerms) -> None:
    """Raise CapacityExceeded if the site has less free at some moment than the terms promise."""
    least = holdings.least_free(terms.starts_at, terms.ends_at)
    if terms.quantity_lots > least.free:
        raise CapacityExceeded(least, terms.quantity_lots)


def refuse_uncovered(listed: Iterable[OfferTerms], caller: Caller) -> None:
    """Raise CollateralMissing if the provider could not put up collateral for a day of them."""
    refuse_uncovered_listing(caller.organization_id, sum(map(day_value, listed)))


def day_value(terms: OfferTerms) -> int:
    """Return what an offer would earn in a day (or in all of its time) at its own price."""
    minutes = min(terms.ends_at - terms.starts_at, DAY) // timedelta(minutes=1)
    cost = cost_micros(
        price_ticks=terms.price_ticks, lots=terms.quantity_lots, period_minutes=minutes
    )
    return round_up(cost)


def write_offers(news: list[NewOffer], *, caller: Caller, state: str) -> list[Offer]:
    """Write offers with their first versions; the caller has checked them and holds the locks."""
    actor, now = actor_name(caller), market_now()
    offers = Offer.objects.bulk_create(
        Offer(
            provider_id=caller.organization_id,
            site_id=new.site_id,
            accelerator_id=new.accelerator_id,
            label=new.label,
            state=state,
            actor=actor,
            moved_at=now,
        )
        for new in news
    )
    versions = OfferVersion.objects.bulk_create(
        OfferVersion(offer=offer, number=1, actor=actor, **new.terms._asdict())
        for offer, new in zip(offers, news, strict=True)
    )
    for offer, version in zip(offers, versions, strict=True):
        offer.terms = version
    Offer.objects.bulk_update(offers, ["terms"], batch_size=1_000)
    return offers


def _mapping(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise TermsRefused([Fault("", "body_not_object", "an offer is a JSON object")])
    return body


def _locked(public_id: str, caller: Caller) -> Offer:
    """Return the caller's offer with its site's lock held, as it stands under the lock."""
    own = Offer.objects.visible_to(caller).of_sites().filter(provider_id=caller.organization_id)
    site_id = own.filter(public_id=public_id).values_list("site_id", flat=True).first()
    if site_id is None:
        raise OfferNotFound(f"there is no offer {public_id}")
    lock_sites([site_id])
    return own.with_terms().get(public_id=public_id)


def _holdings(
    site_id: int, accelerator_id: int, terms: OfferTerms, *, but_for: int | None = None
) -> Holdings:
    place = (site_id, accelerator_id)
    return holdings_at([place], terms.starts_at, terms.ends_at, but_for=but_for)[place]


def _read_edit(offer: Offer, changes: Mapping[str, Any]) -> tuple[OfferTerms, str]:
    assert offer.terms is not None
    faults = Faults()
    fields = Fields({**said_terms(offer.terms), "label": offer.label, **changes}, faults)
    fields.refuse_unknown(EDITABLE)
    terms = read_terms(fields, offer_rules())
    label = fields.words("label", most=LABEL_MAX)
    if terms is None or faults:
        raise TermsRefused(faults.found)
    return terms, label


def _refuse_edit(offer: Offer, terms: OfferTerms) -> None:
    holdings = _holdings(offer.site_id, offer.accelerator_id, terms, but_for=offer.pk)
    sold = holdings.most_sold(offer.pk, terms.starts_at, terms.ends_at)
    if terms.quantity_lots < sold:
        detail = f"{format_scaled(sold, scale=LOTS)} are sold"
        raise TermsRefused([Fault("/quantity", "quantity_below_sold", detail)])
    if offer.state == OfferState.ACTIVE:
        refuse_uncovered_listing(offer.provider_id, day_value(terms))
        _refuse_promise(offer, holdings, terms)


def _refuse_promise(offer: Offer, holdings: Holdings, terms: OfferTerms) -> None:
    """Check what the offer would promise beside what it has sold itself."""
    for segment in holdings.segments(terms.starts_at, terms.ends_at):
        own = holdings.most_sold(offer.pk, segment.starts_at, segment.ends_at)
        if terms.quantity_lots - own > segment.free:
            raise CapacityExceeded(segment, terms.quantity_lots - own)


def _add_version(offer: Offer, terms: OfferTerms, number: int, actor: str) -> None:
    version = OfferVersion.objects.create(
        offer=offer, number=number, actor=actor, **terms._asdict()
    )
    Offer.objects.filter(pk=offer.pk).update(terms=version, actor=actor)
    offer.terms = version


@transaction.atomic
def _move(public_id: str, to: str, caller: Caller, **changes: str) -> Offer:
    offer = _locked(public_id, caller)
    if to not in OFFER_MOVES[offer.state]:
        raise OfferNotLive(f"the offer is {offer.state}")
    if to == OfferState.ACTIVE:
        refuse_in_freeze()
        refuse_in_halted_places([(offer.site_id, offer.accelerator_id)])
        _refuse_again(offer)
    try:
        stamp: dict[str, Any] = {"actor": actor_name(caller), "moved_at": market_now()}
        move(offer, to=to, moves=OFFER_MOVES, **(stamp | changes))
    except LostRace as wrong:
        raise OfferNotLive(f"the offer is {offer.state}") from wrong
    return offer


def _refuse_again(offer: Offer) -> None:
    """Check a draft or paused offer as if it were new: others may have promised meanwhile."""
    version = offer.terms
    assert version is not None
    terms = OfferTerms(
        version.starts_at, version.ends_at, version.quantity_lots, version.price_ticks
    )
    refuse_uncovered_listing(offer.provider_id, day_value(terms))
    holdings = _holdings(offer.site_id, offer.accelerator_id, terms, but_for=offer.pk)
    _refuse_promise(offer, holdings, terms)
