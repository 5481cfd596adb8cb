"""Hours offered back: into the next auction at the buyer's floor, sold once, settled leg by leg."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models.callers import Caller
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.foundation.money import LOTS
from exchange.models import Auction, Offer, OfferEntry, OfferFill
from exchange.queries.capacity import holdings_at
from exchange.services.clearing import clear_auction
from exchange.services.offers import OfferNotFound, withdraw_offer
from exchange.services.publishing import publish_auction
from settlement.models import Contract, Resale
from settlement.services.resales import ResaleInBook, open_resale, withdraw_resale
from settlement.services.settling import settle_due
from tests.exchange.markets import HOUR, Market, auction_of, bid_body, block_body, buyer, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.settlement.deliveries import broken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive(settings: LazySettings, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path


@pytest.fixture
def scene() -> Market:
    mark_as_play()
    return market()


@pytest.fixture
def first(scene: Market) -> Caller:
    """A buyer of six h100 in all four hours, at two each, from the ten that there are."""
    offer_of(scene)
    who = buyer()
    bid(bid_body(scene.auction, quantity="6"), who)
    hold_through(scene.auction)
    return who


def the_contract(who: Caller) -> Contract:
    return Contract.objects.get(buyer_id=who.organization_id)


def offered_back(who: Caller, **terms: Any) -> Resale:
    return open_resale(the_contract(who), actor=who, **({"price_ticks": 1_000} | terms))


def next_auction(scene: Market, **changes: Any) -> Auction:
    """Return an auction of the same four hours, with its gate in two hours."""
    before = scene.auction
    now = market_now()
    return auction_of(
        scene.series,
        opens_at=now - HOUR,
        closes_at=now + 2 * HOUR,
        starts_at=before.starts_at,
        ends_at=before.ends_at,
        **changes,
    )


def test_unused_hours_are_sold_at_the_next_auction_and_delivered_under_the_first_contract(
    scene: Market, first: Caller
) -> None:
    resale = offered_back(first)
    auction, second = next_auction(scene), buyer()
    bid(bid_body(auction, quantity="9"), second)
    hold_through(auction)
    by_seller = {
        contract.provider_id: contract
        for contract in Contract.objects.filter(buyer_id=second.organization_id)
    }
    resold = by_seller[first.organization_id]
    assert resold.resale == resale
    assert {p.quantity_lots for p in resold.periods.all()} == {6 * LOTS}
    assert {p.resold_from.contract_id for p in resold.periods.all() if p.resold_from} == {
        the_contract(first).pk
    }
    own = by_seller[scene.provider.pk]
    assert {p.quantity_lots for p in own.periods.all()} == {3 * LOTS}
    resale.refresh_from_db()
    assert (resale.state, resale.reason_code) == ("sold", "sold_out")
    assert broken() == []


def test_nothing_is_sold_below_the_floor_and_it_is_offered_again(
    scene: Market, first: Caller
) -> None:
    resale = offered_back(first, price_ticks=2_500)
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="3", limit_price="2.400"), buyer())
    hold_through(auction)
    assert Contract.objects.filter(resale=resale).count() == 0
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="3", limit_price="2.600"), buyer())
    hold_through(auction)
    resold = Contract.objects.get(resale=resale)
    assert {p.quantity_lots for p in resold.periods.all()} == {2 * LOTS}  # one was there at two
    resale.refresh_from_db()
    assert resale.state == "open"
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="9", limit_price="2.600"), buyer())
    hold_through(auction)
    again = Contract.objects.filter(resale=resale).exclude(pk=resold.pk).get()
    assert {p.quantity_lots for p in again.periods.all()} == {4 * LOTS}
    assert broken() == []


def test_a_block_that_two_sellers_serve_is_paid_once_and_each_seller_has_its_part(
    scene: Market, first: Caller
) -> None:
    offered_back(first)
    auction, second = next_auction(scene), buyer()
    placed = bid(block_body(auction, quantity="8", limit_price="2.000"), second)
    hold_through(auction)
    contracts = Contract.objects.filter(buyer_id=second.organization_id, bid_id=placed.public_id)
    lots = sorted(
        (contract.provider_id == first.organization_id, period.quantity_lots)
        for contract in contracts
        for period in contract.periods.all()
    )
    assert lots == [(False, 2 * LOTS)] * 2 + [(True, 6 * LOTS)] * 2
    assert broken() == []


def test_what_stands_in_a_closed_book_is_not_withdrawn_before_it_is_published(
    scene: Market, first: Caller
) -> None:
    resale = offered_back(first)
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="9"), buyer())
    close(auction)
    with pytest.raises(ResaleInBook):
        withdraw_resale(resale, actor=first)
    hold_on(auction)
    resale.refresh_from_db()
    assert resale.state == "sold"
    assert broken() == []


def hold_on(auction: Auction) -> None:
    assert clear_auction(auction.pk)
    assert publish_auction(auction.pk)


def test_a_withdrawn_resale_is_in_no_book(scene: Market, first: Caller) -> None:
    withdraw_resale(offered_back(first), actor=first)
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="9"), buyer())
    hold_through(auction)
    assert not Offer.objects.exclude(resale=None).exists()
    assert OfferFill.objects.filter(auction=auction).count() == 4


def test_resold_capacity_is_not_counted_at_its_site_again(scene: Market, first: Caller) -> None:
    offered_back(first, quantity_lots=4 * LOTS)
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="8"), buyer())
    hold_through(auction)
    place = (scene.site.pk, Offer.objects.all()[0].accelerator_id)
    found = holdings_at([place], auction.starts_at, auction.ends_at)[place]
    assert {
        segment.contracted for segment in found.segments(auction.starts_at, auction.ends_at)
    } == {10 * LOTS}


def test_the_offer_of_a_resale_is_settled_by_the_resale_alone(scene: Market, first: Caller) -> None:
    offered_back(first)
    close(next_auction(scene))
    offer = Offer.objects.exclude(resale=None).get()
    with pytest.raises(OfferNotFound):
        withdraw_offer(offer.public_id, caller=first)


def test_hours_that_are_over_or_cut_off_are_not_offered(scene: Market, first: Caller) -> None:
    offered_back(first)
    Contract.objects.filter(pk=the_contract(first).pk).update(state="curtailed")
    auction = next_auction(scene)
    close(auction)
    assert not OfferEntry.objects.filter(
        auction=auction, version__offer__resale__isnull=False
    ).exists()


def test_all_legs_are_settled_to_the_end(scene: Market, first: Caller) -> None:
    offered_back(first)
    auction = next_auction(scene)
    bid(bid_body(auction, quantity="9"), buyer())
    hold_through(auction)
    for days in (0, 1, 8, 40):
        set_market_time(scene.auction.ends_at + timedelta(days=days, hours=2))
        settle_due(market_now())
    assert set(Contract.objects.values_list("periods__state", flat=True)) == {"final"}
    assert broken() == []
