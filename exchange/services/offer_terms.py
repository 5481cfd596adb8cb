"""Read the terms of an offer, from a body or a row of a CSV file, and check them alone.

Whether the site has that much free is asked under its lock, by the services that write.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Max

from exchange.engine import layout
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import AuctionSeries, OfferVersion
from exchange.queries.catalogue import Catalogue, catalogue_now
from exchange.services.body_fields import Fields, Number
from exchange.services.faults import Faults

HOUR: Final = timedelta(hours=1)
WINDOW_MAX: Final = timedelta(days=366)
AHEAD_MAX: Final = timedelta(days=3 * 366)
LABEL_MAX: Final = 120
QUANTITY: Final = Number(LOTS, layout.QUANTITY_LOTS_MAX, 1, "off_lot")
PRICE: Final = Number(TICKS, layout.PRICE_CAP_TICKS_MAX, 0, "off_tick")
PLACE_FIELDS: Final = ("site", "accelerator")
TERM_FIELDS: Final = ("starts_at", "ends_at", "quantity", "price")
FIELDS: Final = frozenset((*PLACE_FIELDS, *TERM_FIELDS, "label"))


class OfferTerms(NamedTuple):
    """What a version of an offer says; units as in the model OfferVersion."""

    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    price_ticks: int


class NewOffer(NamedTuple):
    """An offer that kept all rules but the one that counts what is free."""

    site_id: int
    accelerator_id: int
    label: str
    terms: OfferTerms


class OfferRules(NamedTuple):
    """What offers are checked against."""

    now: datetime
    catalogue: Catalogue
    price_cap_ticks: int


def offer_rules() -> OfferRules:
    """Return the rules as they are now; the cap is the highest of any series."""
    series = AuctionSeries.objects.filter(active=True)
    cap = series.aggregate(most=Max("price_cap_ticks"))["most"]
    return OfferRules(market_now(), catalogue_now(), cap or layout.PRICE_CAP_TICKS_MAX)


def read_new_offer(
    given: Mapping[str, Any], rules: OfferRules, provider_id: int, faults: Faults
) -> NewOffer | None:
    """Return the offer in ``given``, or None with every fault noted."""
    count = len(faults.found)
    fields = Fields(given, faults)
    fields.refuse_unknown(FIELDS)
    site_id = read_site(fields, rules, provider_id)
    accelerator_id = read_accelerator(fields, rules)
    label = fields.words("label", most=LABEL_MAX)
    terms = read_terms(fields, rules)
    if len(faults.found) > count or not (site_id and accelerator_id and terms):
        return None
    return NewOffer(site_id, accelerator_id, label, terms)


def read_terms(fields: Fields, rules: OfferRules) -> OfferTerms | None:
    """Return the four terms that an edit may change, or None with every fault noted."""
    window = read_window(fields, rules)
    quantity = fields.decimal("quantity", QUANTITY)
    price = fields.decimal("price", PRICE)
    if price is not None and price > rules.price_cap_ticks:
        cap = format_scaled(rules.price_cap_ticks, scale=TICKS)
        fields.fault("price", "price_above_cap", f"no auction sells above {cap}")
        price = None
    if window is None or quantity is None or price is None:
        return None
    return OfferTerms(*window, quantity, price)


def said_terms(version: OfferVersion) -> dict[str, str]:
    """Return the terms of a version as a body says them."""
    return {
        "starts_at": version.starts_at.isoformat(),
        "ends_at": version.ends_at.isoformat(),
        "quantity": format_scaled(version.quantity_lots, scale=LOTS),
        "price": format_scaled(version.price_ticks, scale=TICKS),
    }


def read_site(fields: Fields, rules: OfferRules, provider_id: int) -> int | None:
    """Return the number of the named site, which must be the provider's own."""
    code = fields.text("site")
    if code is None:
        return None
    site = rules.catalogue.sites.get(code)
    if site is None:
        fields.fault("site", "site_unknown", "there is no such site")
        return None
    if site.provider_id != provider_id:
        fields.fault("site", "site_not_yours", "the site is another provider's")
        return None
    return site.pk


def read_accelerator(fields: Fields, rules: OfferRules, *, needed: bool = True) -> int | None:
    """Return the number of the named accelerator, which must be traded."""
    code = fields.text("accelerator", needed=needed)
    if code is None:
        return None
    chip = rules.catalogue.accelerators.get(code)
    if chip is None:
        fields.fault("accelerator", "accelerator_unknown", "there is no such accelerator")
        return None
    if not chip.tradable:
        detail = "its figures are unverified, so it is not traded"
        fields.fault("accelerator", "accelerator_not_traded", detail)
        return None
    return chip.pk


def read_window(fields: Fields, rules: OfferRules) -> tuple[datetime, datetime] | None:
    """Return when something starts and ends: on the hour, not over, not too far or too long."""
    starts_at, ends_at = fields.instant("starts_at"), fields.instant("ends_at")
    for name, at in (("starts_at", starts_at), ("ends_at", ends_at)):
        if at is not None and (at.minute or at.second or at.microsecond):
            fields.fault(name, f"{name}_off_hour", "offers start and end on the hour")
    if starts_at is None or ends_at is None:
        return None
    if starts_at >= ends_at:
        fields.fault("ends_at", "window_empty", "it ends before it starts")
    elif ends_at - starts_at > WINDOW_MAX:
        fields.fault("ends_at", "window_too_long", f"at most {WINDOW_MAX.days} days")
    elif ends_at <= rules.now:
        fields.fault("ends_at", "window_past", "it is over")
    elif starts_at > rules.now + AHEAD_MAX:
        fields.fault("starts_at", "window_too_far", f"at most {AHEAD_MAX.days} days ahead")
    return starts_at, ends_at
