"""Which auctions and places a halt holds back."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from exchange.models import MarketFreeze, OfferEntry, Site

_WHOLE = Q(series=None, region=None, accelerator=None)


def gate_is_halted() -> Exists:
    """Return a condition on auctions: the market or their series is halted."""
    return Exists(MarketFreeze.objects.live().filter(_WHOLE | Q(series=OuterRef("series"))))


def book_is_halted() -> Q:
    """Return a condition on auctions: they, or anything offered in their closed book, is halted."""
    live = MarketFreeze.objects.live()
    entered = OfferEntry.objects.filter(auction=OuterRef("pk")).filter(
        Q(
            version__offer__accelerator__in=live.filter(accelerator__isnull=False).values(
                "accelerator"
            )
        )
        | Q(version__offer__site__region__in=live.filter(region__isnull=False).values("region"))
    )
    partly = live.exclude(_WHOLE).filter(series=None)
    return Q(gate_is_halted()) | Q(Exists(partly), Exists(entered))


def live_halts() -> list[MarketFreeze]:
    """Return the halts that are not lifted, the whole market's first."""
    named = MarketFreeze.objects.live().select_related("series", "region", "accelerator")
    return sorted(named, key=lambda halt: (halt.scope != "market", halt.pk))


def halt_of_codes(region_code: str, accelerator_code: str) -> MarketFreeze | None:
    """Return a live halt of the market, of this region or of this accelerator, or None."""
    scoped = MarketFreeze.objects.live().filter(
        _WHOLE | Q(region__code=region_code) | Q(accelerator__code=accelerator_code)
    )
    return scoped.select_related("series", "region", "accelerator").first()


def halt_of_places(places: Collection[tuple[int, int]]) -> MarketFreeze | None:
    """Return a live halt of the region or the accelerator of any (site, accelerator), or None."""
    scoped = MarketFreeze.objects.live().filter(
        Q(accelerator__in={chip for _, chip in places})
        | Q(region__in=Site.objects.filter(pk__in={site for site, _ in places}).values("region"))
    )
    return scoped.select_related("series", "region", "accelerator").first()
