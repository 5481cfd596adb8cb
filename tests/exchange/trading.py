"""Steps that many tests take: sell, bid, close, clear, publish."""

from datetime import timedelta
from typing import Any

from accounts.models.callers import Caller
from exchange.foundation.market_time import set_market_time
from exchange.foundation.money import LOTS
from exchange.models import Accelerator, Auction, Bid, Offer, OfferVersion, Site
from exchange.services.auctions import close_auction
from exchange.services.bids import place_bid
from exchange.services.clearing import clear_auction
from exchange.services.publishing import publish_auction
from tests.exchange.markets import Market


def offer_of(
    scene: Market,
    *,
    quantity: int = 10,
    ticks: int = 2_000,
    chip: str = "h100",
    site: Site | None = None,
) -> Offer:
    """Sell accelerators in all hours of the auction and, so that others can take it, the next."""
    where = site or scene.site
    offer = Offer.objects.create(
        provider=where.provider,
        site=where,
        accelerator=Accelerator.objects.get(code=chip),
        state="active",
    )
    version = OfferVersion.objects.create(
        offer=offer,
        number=1,
        starts_at=scene.auction.starts_at,
        ends_at=scene.auction.ends_at,
        quantity_lots=quantity * LOTS,
        price_ticks=ticks,
        actor="a test",
    )
    Offer.objects.filter(pk=offer.pk).update(terms=version)
    return Offer.objects.get(pk=offer.pk)


def bid(body: dict[str, Any], who: Caller) -> Bid:
    """Place a bid through its service."""
    return Bid.objects.get(public_id=place_bid(body, caller=who).public_id)


def close(auction: Auction) -> None:
    """Let the gate come, and close it."""
    set_market_time(auction.closes_at + timedelta(minutes=10))
    assert close_auction(auction.pk)


def hold_through(auction: Auction) -> None:
    """Close, clear and publish."""
    close(auction)
    assert clear_auction(auction.pk), Auction.objects.get(pk=auction.pk).alarm_detail
    assert publish_auction(auction.pk)
