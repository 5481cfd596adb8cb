"""Whether an offer would be taken now, and what it would have sold; writes and locks nothing."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, format_scaled
from exchange.models import Accelerator, Offer, Site
from exchange.queries.capacity import holdings_at
from exchange.queries.offer_estimates import OfferEstimate, estimate_offer
from exchange.services.faults import Fault, Faults
from exchange.services.offer_terms import NewOffer, offer_rules, read_new_offer


class OfferCheck(NamedTuple):
    """What stands against an offer, the least that its site has free meanwhile, an estimate.

    ``free_lots`` and ``estimate`` are None for terms that cannot be read, and ``estimate`` also
    where no auction has priced such an offer yet.
    """

    faults: tuple[Fault, ...]
    free_lots: int | None = None
    estimate: OfferEstimate | None = None


def check_offer(
    body: Mapping[str, Any], *, caller: Caller, offer: Offer | None = None
) -> OfferCheck:
    """Return what would become of a body; of an edit's if ``offer`` is the one to be edited.

    An edit's own promise does not count against it, and what it has sold stays promised to it.
    """
    faults = Faults()
    new = read_new_offer(body, offer_rules(), caller.organization_id, faults)
    if new is None:
        return OfferCheck(tuple(faults.found))
    free_lots = _free_lots(new, offer)
    if new.terms.quantity_lots > free_lots:
        detail = f"{format_scaled(free_lots, scale=LOTS)} are free"
        faults.add("/quantity", "capacity_exceeded", detail)
    return OfferCheck(tuple(faults.found), free_lots, _estimate(new))


def _free_lots(new: NewOffer, offer: Offer | None) -> int:
    place, terms = (new.site_id, new.accelerator_id), new.terms
    but_for = None if offer is None else offer.pk
    holdings = holdings_at([place], terms.starts_at, terms.ends_at, but_for=but_for)[place]
    return min(
        segment.free
        + (holdings.most_sold(but_for, segment.starts_at, segment.ends_at) if but_for else 0)
        for segment in holdings.segments(terms.starts_at, terms.ends_at)
    )


def _estimate(new: NewOffer) -> OfferEstimate | None:
    terms = new.terms
    return estimate_offer(
        Site.objects.get(pk=new.site_id),
        Accelerator.objects.get(pk=new.accelerator_id),
        (terms.starts_at, terms.ends_at),
        quantity_lots=terms.quantity_lots,
        price_ticks=terms.price_ticks,
    )
