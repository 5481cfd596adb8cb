"""An offer never promises more than its site has free."""

from typing import Any

import pytest

from accounts.models.callers import Caller
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS
from exchange.models import (
    Accelerator,
    Auction,
    MaintenanceWindow,
    MarketFreeze,
    Offer,
    OfferFill,
    OfferState,
    OfferVersion,
)
from exchange.services import offers
from exchange.services.faults import TermsRefused
from exchange.services.gates import MarketFrozen
from exchange.services.maintenance import (
    MaintenanceNotFound,
    call_off_maintenance,
    plan_maintenance,
)
from exchange.services.offers import CapacityExceeded, OfferChanged, OfferNotFound, OfferNotLive
from tests.exchange.markets import HOUR, Market, at, auction_of, market, offer_body
from tests.factories import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def seller(scene: Market) -> Caller:
    return caller(scene.provider)


def sell(offer: Offer, auction: Auction, *, hour: int, lots: int) -> None:
    """Let an auction that was cleared have sold some of an offer in one hour."""
    OfferFill.objects.create(
        auction=auction,
        offer=offer,
        period=hour,
        starts_at=auction.starts_at + hour * HOUR,
        ends_at=auction.starts_at + (hour + 1) * HOUR,
        quantity_lots=lots,
    )


def test_an_offer_is_listed_with_its_first_version(scene: Market, seller: Caller) -> None:
    offer = offers.create_offer(offer_body(scene.auction, label="hall B, row 4"), caller=seller)
    offer = Offer.objects.get(pk=offer.pk)
    assert (offer.state, offer.provider_id, offer.label) == (
        OfferState.ACTIVE,
        scene.provider.pk,
        "hall B, row 4",
    )
    assert offer.terms is not None
    assert (offer.terms.number, offer.terms.quantity_lots, offer.terms.price_ticks) == (
        1,
        10 * LOTS,
        2_000,
    )


def test_two_offers_share_what_the_site_has(scene: Market, seller: Caller) -> None:
    offers.create_offer(offer_body(scene.auction, quantity="60"), caller=seller)
    with pytest.raises(CapacityExceeded, match=r"40\.000 are free"):
        offers.create_offer(offer_body(scene.auction, quantity="40.001"), caller=seller)
    offers.create_offer(offer_body(scene.auction, quantity="40"), caller=seller)
    apart = {"starts_at": at(scene.auction, 4), "ends_at": at(scene.auction, 8)}
    offers.create_offer(offer_body(scene.auction, quantity="100", **apart), caller=seller)
    assert Offer.objects.count() == 3


def test_what_is_sold_stays_taken_after_the_offer_is_withdrawn(
    scene: Market, seller: Caller
) -> None:
    first = offers.create_offer(offer_body(scene.auction, quantity="60"), caller=seller)
    sold = auction_of(scene.series, state="published", closes_at=scene.auction.opens_at + HOUR / 2)
    sell(first, sold, hour=1, lots=50 * LOTS)
    offers.withdraw_offer(first.public_id, caller=seller, reason="sold elsewhere")
    with pytest.raises(CapacityExceeded, match=r"50\.000 are free"):
        offers.create_offer(offer_body(scene.auction, quantity="51"), caller=seller)
    offers.create_offer(offer_body(scene.auction, quantity="50"), caller=seller)


def test_an_offer_in_a_closed_book_counts_until_the_book_is_decided(
    scene: Market, seller: Caller
) -> None:
    first = offers.create_offer(offer_body(scene.auction, quantity="100"), caller=seller)
    scene.auction.offer_entries.create(version=first.versions.get())
    Auction.objects.update(state="closed")
    offers.withdraw_offer(first.public_id, caller=seller)
    with pytest.raises(CapacityExceeded):
        offers.create_offer(offer_body(scene.auction, quantity="1"), caller=seller)
    Auction.objects.update(state="published")
    offers.create_offer(offer_body(scene.auction, quantity="100"), caller=seller)


@pytest.mark.parametrize(
    ("down", "free"),
    [({}, "0"), ({"accelerator": "h100"}, "0"), ({"accelerator": "h100", "quantity": "30"}, "70"),
     ({"accelerator": "ascend"}, "100")],
)  # fmt: skip
def test_what_is_down_for_maintenance_cannot_be_promised(
    scene: Market, seller: Caller, down: dict[str, str], free: str
) -> None:
    window = {"starts_at": at(scene.auction, 1), "ends_at": at(scene.auction, 2)}
    planned = plan_maintenance(
        {"site": "bj-1", "reason": "new cooling (hall B)", **window, **down}, caller=seller
    )
    with pytest.raises(CapacityExceeded, match=rf"{free}\.000 are free"):
        offers.create_offer(offer_body(scene.auction, quantity="100.001"), caller=seller)
    call_off_maintenance(planned.public_id, caller=seller)
    offers.create_offer(offer_body(scene.auction, quantity="100"), caller=seller)
    with pytest.raises(MaintenanceNotFound):
        call_off_maintenance(planned.public_id, caller=seller)


def test_maintenance_is_planned_by_the_provider_alone(scene: Market) -> None:
    window = {"starts_at": at(scene.auction, 1), "ends_at": at(scene.auction, 2)}
    with pytest.raises(TermsRefused):
        plan_maintenance({"site": "bj-1", "reason": "sabotage", **window}, caller=caller())
    assert not MaintenanceWindow.objects.exists()


def test_an_edit_adds_a_version_and_leaves_the_old_one(scene: Market, seller: Caller) -> None:
    offer = offers.create_offer(offer_body(scene.auction), caller=seller)
    edited = offers.edit_offer(offer.public_id, {"price": "2.500"}, version=1, caller=seller)
    versions = OfferVersion.objects.filter(offer=offer).values_list("number", "price_ticks")
    assert list(versions) == [(1, 2_000), (2, 2_500)]
    assert edited.terms is not None
    assert edited.terms.number == 2
    with pytest.raises(OfferChanged):
        offers.edit_offer(offer.public_id, {"price": "9"}, version=1, caller=seller)


def test_an_edit_is_held_to_what_is_free_and_to_what_is_sold(scene: Market, seller: Caller) -> None:
    offer = offers.create_offer(offer_body(scene.auction, quantity="60"), caller=seller)
    offers.create_offer(offer_body(scene.auction, quantity="30"), caller=seller)
    sold = auction_of(scene.series, state="published", closes_at=scene.auction.opens_at + HOUR / 2)
    sell(offer, sold, hour=2, lots=20 * LOTS)
    edit: Any = lambda lots: offers.edit_offer(  # noqa: E731
        offer.public_id, {"quantity": lots}, version=None, caller=seller
    )
    edit("70")
    with pytest.raises(CapacityExceeded):
        edit("70.001")
    edit("20")
    with pytest.raises(TermsRefused) as refusal:
        edit("19.999")
    assert refusal.value.faults[0].code == "quantity_below_sold"


def test_a_paused_offer_promises_nothing_until_it_is_active_again(
    scene: Market, seller: Caller
) -> None:
    first = offers.create_offer(offer_body(scene.auction, quantity="60"), caller=seller)
    assert offers.pause_offer(first.public_id, caller=seller).state == OfferState.PAUSED
    second = offers.create_offer(offer_body(scene.auction, quantity="60"), caller=seller)
    with pytest.raises(CapacityExceeded):
        offers.activate_offer(first.public_id, caller=seller)
    offers.withdraw_offer(second.public_id, caller=seller)
    assert offers.activate_offer(first.public_id, caller=seller).state == OfferState.ACTIVE
    with pytest.raises(OfferNotLive):
        offers.activate_offer(second.public_id, caller=seller)


def test_a_draft_is_checked_when_it_becomes_active(scene: Market, seller: Caller) -> None:
    draft = offers.create_offer(
        offer_body(scene.auction, quantity="100.001"), caller=seller, draft=True
    )
    with pytest.raises(CapacityExceeded):
        offers.activate_offer(draft.public_id, caller=seller)
    assert Offer.objects.get().state == OfferState.DRAFT


def test_another_provider_cannot_touch_an_offer_or_a_site(scene: Market, seller: Caller) -> None:
    offer = offers.create_offer(offer_body(scene.auction), caller=seller)
    stranger = caller()
    with pytest.raises(OfferNotFound):
        offers.withdraw_offer(offer.public_id, caller=stranger)
    with pytest.raises(TermsRefused) as refusal:
        offers.create_offer(offer_body(scene.auction), caller=stranger)
    assert refusal.value.faults[0].code == "site_not_yours"


def test_only_what_stands_at_the_site_can_be_offered(scene: Market, seller: Caller) -> None:
    assert Accelerator.objects.filter(code="ascend").exists()
    with pytest.raises(CapacityExceeded, match=r"0\.000 are free"):
        offers.create_offer(offer_body(scene.auction, accelerator="ascend"), caller=seller)


def test_a_frozen_market_lists_nothing(scene: Market, seller: Caller) -> None:
    MarketFreeze.objects.create(reason="a fault", actor="a test", frozen_at=market_now())
    with pytest.raises(MarketFrozen):
        offers.create_offer(offer_body(scene.auction), caller=seller)
