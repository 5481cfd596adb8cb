"""A provider at its desk: a small market, a signed-in member, and offers to look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from accounts.models import Caller
from exchange.foundation.market_time import market_now
from exchange.models import Accelerator, Auction, CellPrice, Offer, OfferFill
from exchange.services.offers import create_offer
from tests.exchange.markets import Market, auction_of, market
from tests.factories import member, portal

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a test of the provider's pages stands on."""

    market: Market
    client: Client
    caller: Caller


def desk(*, role: str = "owner") -> Desk:
    """Return the desk of a member of the market's provider, with a hundred h100 at bj-1."""
    stage = market()
    return Desk(
        market=stage, client=portal(stage.provider, role=role), caller=member(stage.provider)
    )


def hour_ahead(hours: int) -> datetime:
    """Return a full hour of the market's near future."""
    return market_now().replace(minute=0, second=0, microsecond=0) + hours * HOUR


def offer_body(**changes: Any) -> dict[str, Any]:
    """Return the body of an offer: ten h100 for a day from a day ahead, at 2.500."""
    plain = {
        "site": "bj-1",
        "accelerator": "h100",
        "starts_at": hour_ahead(24).isoformat(),
        "ends_at": hour_ahead(48).isoformat(),
        "quantity": "10",
        "price": "2.500",
        "label": "night shift",
    }
    return plain | changes


def offer_of(caller: Caller, **changes: Any) -> Offer:
    """Return an offer that is listed through the service."""
    return create_offer(offer_body(**changes), caller=caller)


def form_time(at: datetime) -> str:
    """Return an instant as a browser's control sends it: by the market's clock."""
    return (at + 8 * HOUR).strftime("%Y-%m-%dT%H:%M")


def offer_form(**changes: str) -> dict[str, str]:
    """Return the fields of the form for a new offer."""
    plain = {
        "site": "bj-1",
        "accelerator": "h100",
        "starts_at": form_time(hour_ahead(24)),
        "ends_at": form_time(hour_ahead(48)),
        "quantity": "10",
        "price": "2.5",
        "label": "",
    }
    return plain | changes


def csv_of(*rows: dict[str, Any]) -> bytes:
    """Return a CSV file of offers with a header."""
    names = list(offer_body())
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    return "\n".join(lines).encode()


def publish(at: Desk) -> Auction:
    """Return a published auction of four hours in which the first offer sold three h100."""
    start = hour_ahead(24)
    auction = auction_of(
        at.market.series,
        state="published",
        closes_at=start - 20 * HOUR,
        published_at=start - 19 * HOUR,
    )
    offer = at.market.provider.offers.earliest("pk")
    h100, ascend = (Accelerator.objects.get(code=code) for code in ("h100", "ascend"))
    for period in range(4):
        first = auction.starts_at + period * HOUR
        OfferFill.objects.create(
            auction=auction,
            offer=offer,
            period=period,
            starts_at=first,
            ends_at=first + HOUR,
            quantity_lots=3_000,
        )
        for chip, ticks in ((h100, 2_500 + 100 * period), (ascend, 4_000)):
            CellPrice.objects.create(
                auction=auction,
                site=at.market.site,
                accelerator=chip,
                period=period,
                price_ticks=ticks,
            )
    return auction
