"""The states of an auction, its gate, and what happens when workers die or race."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from accounts.models import AuditRow
from accounts.services.organizations import ReasonMissing, suspend_organization
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.foundation.states import LostRace
from exchange.models import (
    AUCTION_MOVES,
    Accelerator,
    Auction,
    Bid,
    BidFill,
    BidState,
    ClearingResult,
    OfferEntry,
)
from exchange.services import clearing, publishing
from exchange.services.auctions import (
    AuctionNotVoidable,
    close_auction,
    open_auction,
    void_auction,
    void_late_auctions,
)
from exchange.services.bids import place_bid
from exchange.services.clearing import clear_auction
from exchange.services.freezes import freeze_market, lift_freeze
from exchange.services.gates import AuctionNotOpen
from exchange.services.publishing import publish_auction
from exchange.tasks import KNOCK_SECONDS, clear_one, move_auctions
from settlement.models import Contract, Hold
from settlement.queries.audit import audit_books
from tests.exchange.markets import (
    HOUR,
    Market,
    auction_of,
    bid_body,
    buyer,
    capacity_of,
    market,
)
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import OrganizationFactory, caller, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def state_of(auction: Auction) -> str:
    return Auction.objects.values_list("state", flat=True).get(pk=auction.pk)


def held(one: Bid) -> int:
    return Hold.objects.get(key=Bid.objects.get(pk=one.pk).hold_key).open_micros


def broken() -> list[str]:
    """Return the rules of the books that do not hold, each with its first rows."""
    return [f"{each.invariant}: {each.first}" for each in audit_books() if not each.holds]


def test_the_moves_are_those_of_the_rules() -> None:
    assert {was: set(to) for was, to in AUCTION_MOVES.items()} == {
        "scheduled": {"open", "voided"},
        "open": {"closed", "voided"},
        "closed": {"cleared", "voided"},
        "cleared": {"published", "voided"},
        "published": set(),
        "voided": set(),
    }


def test_it_opens_when_its_time_has_come_and_only_once(scene: Market) -> None:
    later = auction_of(
        scene.series,
        state="scheduled",
        opens_at=market_now() + HOUR,
        closes_at=market_now() + 2 * HOUR,
    )
    assert not open_auction(later.pk)
    set_market_time(later.opens_at + timedelta(minutes=10))
    assert open_auction(later.pk)
    assert not open_auction(later.pk)


def test_it_does_not_close_before_its_gate(scene: Market) -> None:
    assert not close_auction(scene.auction.pk)
    assert state_of(scene.auction) == "open"


def test_a_closed_auction_takes_no_bid(scene: Market) -> None:
    who = buyer()
    close(scene.auction)
    with pytest.raises(AuctionNotOpen):
        place_bid(bid_body(scene.auction), caller=who)


def test_only_active_offers_of_active_providers_at_or_below_the_cap_go_into_the_book(
    scene: Market,
) -> None:
    good, paused, dear, idle = (offer_of(scene) for _ in range(4))
    type(paused).objects.filter(pk=paused.pk).update(state="paused")
    assert dear.terms is not None
    Auction.objects.filter(pk=scene.auction.pk).update(price_cap_ticks=2_500)
    costly = offer_of(scene, ticks=2_501)
    close(scene.auction)
    entered = OfferEntry.objects.values_list("version__offer", flat=True)
    assert set(entered) == {good.pk, dear.pk, idle.pk}
    assert costly.pk not in entered


def test_a_book_does_not_change_when_an_offer_is_edited_after_the_gate(scene: Market) -> None:
    offer = offer_of(scene)
    one = bid(bid_body(scene.auction), buyer())
    close(scene.auction)
    type(offer).objects.filter(pk=offer.pk).update(state="withdrawn", reason_code="a test")
    assert clear_auction(scene.auction.pk)
    assert BidFill.objects.filter(bid=one).count() == 4


def test_who_was_suspended_at_the_gate_gets_nothing_and_its_money_back(scene: Market) -> None:
    offer_of(scene)
    who = buyer()
    one = bid(bid_body(scene.auction), who)
    suspend_organization(one.organization, reason="a test", actor=caller(operator()))
    close(scene.auction)
    one.refresh_from_db()
    assert (one.state, one.reason_code, held(one)) == ("rejected", "organization_suspended", 0)


def test_nobody_buys_from_itself(scene: Market) -> None:
    offer_of(scene)
    group = {"owner_group": "one owner"}
    type(scene.provider).objects.filter(pk=scene.provider.pk).update(**group)
    sister = OrganizationFactory.create(**group)
    one = bid(bid_body(scene.auction), buyer(organization=sister))
    other = bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    one.refresh_from_db()
    assert (one.state, one.reason_code, held(one)) == ("rejected", "own_capacity", 0)
    assert set(BidFill.objects.values_list("bid", flat=True)) == {other.pk}


def test_a_result_that_fails_its_audit_is_not_written_and_alarms(
    scene: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    close(scene.auction)

    class Unclean:
        is_clean = False
        counts = {"supply_differs": 1}
        failures = ("a cell",)

    monkeypatch.setattr(clearing, "clear_audited", lambda *_, **__: (None, Unclean()))
    assert not clear_auction(scene.auction.pk)
    scene.auction.refresh_from_db()
    assert (scene.auction.state, scene.auction.alarm_code) == ("closed", "audit_failed")
    assert not ClearingResult.objects.exists()
    assert not BidFill.objects.exists()
    monkeypatch.undo()
    assert not clear_auction(scene.auction.pk), "it waits before it tries again"
    Auction.objects.update(retry_at=None)
    assert clear_auction(scene.auction.pk)
    assert Auction.objects.get(pk=scene.auction.pk).alarm_code == ""


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


STEPS = [
    (clearing, "read_book"),
    (clearing, "archive_book"),
    (clearing, "clear_audited"),
    (clearing, "archive_result"),
    (clearing, "write_result_rows"),
    (publishing, "contract_terms"),
    (publishing, "open_contracts"),
    (publishing, "settle_standing_holds"),
    (publishing, "resize_holds"),
]


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_killed_at_any_step_costs_one_knock(
    scene: Market, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, *, after: bool
) -> None:
    offer_of(scene)
    one, other = (bid(bid_body(scene.auction, quantity=q), buyer()) for q in ("2", "7"))
    close(scene.auction)
    real = getattr(module, step)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(module, step, dying)
    with pytest.raises(Killed), transaction.atomic():
        clear_one(scene.auction.pk)
    monkeypatch.undo()
    clear_one(scene.auction.pk)
    clear_one(scene.auction.pk)
    assert state_of(scene.auction) == "published"
    assert [BidFill.objects.filter(bid=each).count() for each in (one, other)] == [4, 4]
    assert Contract.objects.count() == 2
    assert held(one) == 4 * 4_040_000
    assert broken() == []


def test_only_the_first_of_two_results_is_written(scene: Market) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    close(scene.auction)
    auction = Auction.objects.get(pk=scene.auction.pk)
    results = [clearing.compute(auction) for _ in range(2)]
    assert results[0].result_sha256 == results[1].result_sha256
    clearing.write(Auction.objects.get(pk=auction.pk), results[0])
    with pytest.raises(LostRace):
        clearing.write(auction, results[1])
    assert BidFill.objects.count() == 4


def test_published_twice_it_is_published_once(scene: Market) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    assert not publish_auction(scene.auction.pk)
    assert Contract.objects.count() == 1


def test_an_auction_waits_for_the_one_whose_gate_was_earlier(scene: Market) -> None:
    offer_of(scene)
    later = auction_of(scene.series, closes_at=scene.auction.closes_at + HOUR)
    first = bid(bid_body(scene.auction, quantity="10"), buyer())
    second = bid(bid_body(later, quantity="10"), buyer())
    close(scene.auction)
    close(later)
    assert not clear_auction(later.pk)
    assert clear_auction(scene.auction.pk)
    assert not clear_auction(later.pk), "cleared is not published: what it sold may yet be voided"
    assert publish_auction(scene.auction.pk)
    assert clear_auction(later.pk)
    assert publish_auction(later.pk)
    assert BidFill.objects.filter(bid=first).count() == 4
    second.refresh_from_db()
    assert (second.state, second.reason_code) == ("unfilled", "no_acceptable_capacity")
    assert broken() == []


def test_what_maintenance_takes_is_not_sold(scene: Market) -> None:
    offer_of(scene, quantity=100)
    scene.site.maintenance_windows.create(
        starts_at=scene.auction.starts_at + HOUR,
        ends_at=scene.auction.starts_at + 2 * HOUR,
        quantity_lots=99_000,
        accelerator=Accelerator.objects.get(code="h100"),
        reason="a test",
        actor="a test",
    )
    one = bid(bid_body(scene.auction, quantity="3"), buyer())
    hold_through(scene.auction)
    got = BidFill.objects.filter(bid=one).order_by("period").values_list("quantity_lots", flat=True)
    assert list(got) == [3_000, 1_000, 3_000, 3_000]
    one.refresh_from_db()
    assert one.state == BidState.PARTIALLY_FILLED


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_voiding_frees_every_hold(scene: Market, steps: int) -> None:
    offer_of(scene)
    one = bid(bid_body(scene.auction), buyer())
    actor = caller(operator())
    for step in (close, lambda auction: clear_auction(auction.pk))[:steps]:
        step(scene.auction)
    void_auction(Auction.objects.get(pk=scene.auction.pk), reason="a wrong cap", actor=actor)
    one.refresh_from_db()
    assert (one.state, one.reason_code, held(one)) == ("cancelled", "auction_voided", 0)
    assert AuditRow.objects.filter(verb="void", reason="a wrong cap").count() == 1
    assert not publish_auction(scene.auction.pk)
    assert not BidFill.objects.visible_to(None).exists()
    assert broken() == []


def test_voiding_needs_a_reason_and_comes_before_publication(scene: Market) -> None:
    actor = caller(operator())
    with pytest.raises(ReasonMissing):
        void_auction(scene.auction, reason=" ", actor=actor)
    hold_through(scene.auction)
    with pytest.raises(AuctionNotVoidable):
        void_auction(Auction.objects.get(pk=scene.auction.pk), reason="late", actor=actor)


def test_an_auction_that_missed_its_delivery_is_voided(scene: Market) -> None:
    one = bid(bid_body(scene.auction), buyer())
    set_market_time(scene.auction.starts_at + timedelta(minutes=10))
    assert void_late_auctions() == 1
    assert void_late_auctions() == 0
    assert state_of(scene.auction) == "voided"
    assert held(one) == 0


def test_while_the_market_is_frozen_gates_wait(scene: Market) -> None:
    actor = caller(operator())
    freeze_market(reason="a drill", actor=actor)
    set_market_time(scene.auction.closes_at + timedelta(minutes=10))
    assert not close_auction(scene.auction.pk)
    lift_freeze(reason="over", actor=actor)
    assert close_auction(scene.auction.pk)
    assert set(AuditRow.objects.values_list("verb", flat=True)) >= {"freeze", "lift"}


def test_a_knock_takes_every_auction_on_and_a_second_changes_nothing(
    scene: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear_one, "apply_async", lambda args, **_: clear_one(*args))
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    set_market_time(scene.auction.closes_at + timedelta(minutes=10))
    for _ in range(3):
        move_auctions()
    assert state_of(scene.auction) == "published"
    assert Contract.objects.count() == 1


def test_the_same_orders_in_another_order_give_the_same_prices(scene: Market) -> None:
    sizes = ["1", "2", "3", "2.5"]
    offer_of(scene, quantity=4)
    capacity_of(scene.site, Accelerator.objects.get(code="ascend"))
    for quantity in sizes:
        bid(bid_body(scene.auction, quantity=quantity), buyer())
    twin = auction_of(scene.series, closes_at=scene.auction.closes_at + timedelta(minutes=5))
    for quantity in reversed(sizes):
        bid(bid_body(twin, quantity=quantity), buyer())
    hold_through(scene.auction)
    first = sorted(BidFill.objects.values_list("period", "quantity_lots"))
    Auction.objects.filter(pk=scene.auction.pk).update(state="cleared")  # frees what it sold
    Auction.objects.filter(pk=scene.auction.pk).update(
        state="voided", voided_at=market_now(), reason_code="a test", actor="a test"
    )
    hold_through(twin)
    assert sorted(BidFill.objects.filter(auction=twin).values_list("period", "quantity_lots")) == (
        first
    )


def test_the_knock_to_clear_outlives_those_that_it_waits_behind(settings: LazySettings) -> None:
    beats: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    waits = [tick["options"]["expires"] for tick in beats.values()]

    assert waits
    assert max(waits) < KNOCK_SECONDS
