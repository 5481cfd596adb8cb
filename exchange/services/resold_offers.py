"""Hours that buyers offer back of their contracts go into the books as offers of their own."""

from collections.abc import Iterable, Sequence

from django.db.models import Max

from exchange.foundation.market_time import market_now
from exchange.models import Accelerator, Auction, Offer, OfferState, OfferVersion, Site
from settlement.models import DeliveryPeriod, Resale
from settlement.services.resales import RESELLABLE

ACTOR = "resale"


def list_resales(auction: Auction) -> list[int]:
    """Return the open resales that go into the book of a closing auction, each with its offer.

    They stay locked until the gate's database transaction ends: whoever withdraws one waits.
    """
    rows = Resale.objects.open().filter(
        buyer=None,
        starts_at__lt=auction.ends_at,
        ends_at__gt=auction.starts_at,
        contract__state__in=RESELLABLE,
    )
    locked = rows.order_by("pk").select_for_update(of=["self"], no_key=True)
    due = list(locked.select_related("contract"))
    listed = Offer.objects.filter(resale__in=[resale.pk for resale in due])
    known = set(listed.values_list("resale_id", flat=True))
    _list([resale for resale in due if resale.pk not in known])
    return [resale.pk for resale in due]


def _list(resales: Sequence[Resale]) -> None:
    """Write an offer of the reseller for each, at the contract's site, at the resale's floor."""
    if not resales:
        return
    sites = _ids(Site, {resale.contract.site_code for resale in resales})
    chips = _ids(Accelerator, {resale.contract.accelerator_code for resale in resales})
    most = dict(
        DeliveryPeriod.objects.filter(contract__in=[resale.contract_id for resale in resales])
        .values_list("contract_id")
        .annotate(most=Max("quantity_lots"))
    )
    offers = Offer.objects.bulk_create(
        Offer(
            provider_id=resale.contract.buyer_id,
            site_id=sites[resale.contract.site_code],
            accelerator_id=chips[resale.contract.accelerator_code],
            resale=resale,
            state=OfferState.ACTIVE,
            actor=ACTOR,
            moved_at=market_now(),
        )
        for resale in resales
    )
    versions = OfferVersion.objects.bulk_create(
        OfferVersion(
            offer=offer,
            number=1,
            starts_at=resale.starts_at,
            ends_at=resale.ends_at,
            quantity_lots=resale.quantity_lots or most[resale.contract_id],
            price_ticks=resale.price_ticks,
            actor=ACTOR,
        )
        for offer, resale in zip(offers, resales, strict=True)
    )
    for offer, version in zip(offers, versions, strict=True):
        offer.terms = version
    Offer.objects.bulk_update(offers, ["terms"])


def _ids(model: type[Site | Accelerator], codes: Iterable[str]) -> dict[str, int]:
    return dict(model._default_manager.filter(code__in=codes).values_list("code", "pk"))
