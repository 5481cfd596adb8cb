"""Halts of a part of the market, and measures that one operator asks for and another approves."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import AuditRow
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.foundation.states import IllegalMove
from exchange.models import (
    Accelerator,
    Auction,
    AuctionSeries,
    BidFill,
    MarketFreeze,
    Measure,
    PositionLimit,
)
from exchange.queries.control.stuck import stuck_auctions
from exchange.services import clearing
from exchange.services.auctions import close_auction, open_auction
from exchange.services.bids import cancel_bid, place_bid
from exchange.services.bulk_bids import place_bids
from exchange.services.clearing import clear_auction
from exchange.services.freezes import (
    MarketAlreadyFrozen,
    MarketNotFrozen,
    freeze_market,
    lift_freeze,
)
from exchange.services.gates import MarketFrozen, PartHalted
from exchange.services.measures import (
    MeasureMalformed,
    MeasureNotFound,
    approve_measure,
    ask_halt,
    ask_position_limit,
    ask_price_cap,
    ask_resume,
    measure_of,
    refuse_measure,
)
from exchange.services.offer_imports import import_offers
from exchange.services.offers import create_offer
from exchange.services.previews import preview_bid
from exchange.services.publishing import publish_auction
from exchange.services.results import Result
from settlement.services.deposits import NotAnOperator
from settlement.services.four_eyes import OwnRequest
from tests.exchange.markets import (
    Market,
    auction_of,
    bid_body,
    buyer,
    market,
    offer_body,
    region_of,
    series_of,
    standing_body,
)
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import OrganizationFactory, caller, member, operator

pytestmark = pytest.mark.django_db
WHY = "prices look wrong"


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def halt(**scope: object) -> MarketFreeze:
    return freeze_market(reason=WHY, actor=caller(operator()), **scope)  # type: ignore[arg-type]


def h100() -> Accelerator:
    return Accelerator.objects.get(code="h100")


# --- what a halt holds back ----------------------------------------------------------------


def test_a_halted_market_says_why(scene: Market) -> None:
    halt()
    with pytest.raises(MarketFrozen, match=WHY):
        place_bid(bid_body(scene.auction), caller=buyer())
    with pytest.raises(MarketFrozen, match=WHY):
        create_offer(offer_body(scene.auction), caller=caller(scene.provider))


def test_a_halted_series_takes_no_bids_and_others_do(scene: Market) -> None:
    other = auction_of(series_of("other"))
    early = bid(bid_body(scene.auction), buyer())
    halt(series=scene.series)
    who = buyer()
    with pytest.raises(PartHalted, match=WHY):
        place_bid(bid_body(scene.auction), caller=who)
    with pytest.raises(PartHalted, match=WHY):
        preview_bid(bid_body(scene.auction), caller=who)
    (refused, placed) = place_bids(
        [bid_body(scene.auction), bid_body(other)], caller=who, atomic=False
    )
    assert isinstance(refused, PartHalted)
    assert not isinstance(placed, Exception)
    place_bid(standing_body(scene.auction), caller=who)
    create_offer(offer_body(scene.auction), caller=caller(scene.provider))
    cancel_bid(early.public_id, caller=caller(early.organization))


def test_a_halted_series_opens_closes_clears_and_publishes_nothing(scene: Market) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    coming = auction_of(scene.series, state="scheduled", closes_at=scene.auction.starts_at)
    stop = halt(series=scene.series)
    assert not open_auction(coming.pk)
    set_market_time(scene.auction.closes_at + timedelta(minutes=10))
    assert not close_auction(scene.auction.pk)
    assert stuck_auctions(scene.auction.closes_at + timedelta(minutes=10)) == []
    lift_freeze(reason="over", actor=caller(operator()), halt=stop)
    assert close_auction(scene.auction.pk)

    stop = halt(series=scene.series)
    assert not clear_auction(scene.auction.pk)
    lift_freeze(reason="over", actor=caller(operator()), halt=stop)
    assert clear_auction(scene.auction.pk)

    stop = halt()
    assert not publish_auction(scene.auction.pk)
    lift_freeze(reason="over", actor=caller(operator()))
    assert publish_auction(scene.auction.pk)


def test_nothing_is_sold_in_a_halted_region(scene: Market) -> None:
    offer_of(scene)
    kept = bid(bid_body(scene.auction), buyer())
    halt(region=region_of("beijing"))
    who = buyer()
    with pytest.raises(PartHalted, match="region beijing is halted: prices look wrong"):
        place_bid(bid_body(scene.auction, regions=["beijing"]), caller=who)
    place_bid(bid_body(scene.auction, regions=["beijing", "guizhou"]), caller=who)
    place_bid(bid_body(scene.auction), caller=who)
    with pytest.raises(PartHalted):
        create_offer(offer_body(scene.auction, quantity="1"), caller=caller(scene.provider))
    hold_through(scene.auction)
    assert not BidFill.objects.exists()
    kept.refresh_from_db()
    assert kept.state == "unfilled"


def test_nothing_is_sold_of_a_halted_accelerator(scene: Market) -> None:
    halt(accelerator=h100())
    body = bid_body(scene.auction)
    with pytest.raises(PartHalted, match="accelerator h100"):
        place_bid(body, caller=buyer())
    both = [{"accelerator": chip, "factor": "1"} for chip in ("h100", "ascend")]
    place_bid(body | {"accelerators": both}, caller=buyer())
    header = "site,accelerator,starts_at,ends_at,quantity,price\n"
    cells = offer_body(scene.auction, quantity="1")
    row = ",".join(str(cells[name]) for name in header.strip().split(","))
    with pytest.raises(PartHalted):
        import_offers(f"{header}{row}\n".encode(), caller=caller(scene.provider))


def test_a_closed_book_with_something_halted_in_it_waits(scene: Market) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    close(scene.auction)
    stop = halt(accelerator=h100())
    elsewhere = halt(accelerator=Accelerator.objects.get(code="ascend"))
    assert not clear_auction(scene.auction.pk)
    lift_freeze(reason="over", actor=caller(operator()), halt=stop)
    assert clear_auction(scene.auction.pk)
    assert publish_auction(scene.auction.pk)
    assert elsewhere.lifted_at is None


def test_a_halt_during_the_computation_keeps_the_result_out(
    scene: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    close(scene.auction)
    compute = clearing.compute

    def and_halt(auction: Auction) -> Result:
        found = compute(auction)
        halt()
        return found

    monkeypatch.setattr(clearing, "compute", and_halt)
    assert not clear_auction(scene.auction.pk)
    assert Auction.objects.get(pk=scene.auction.pk).state == "closed"
    monkeypatch.setattr(clearing, "compute", compute)
    lift_freeze(reason="over", actor=caller(operator()))
    assert clear_auction(scene.auction.pk)


def test_a_series_that_a_halt_keeps_open_does_not_hold_up_others(scene: Market) -> None:
    later = auction_of(series_of("other"), closes_at=scene.auction.closes_at + timedelta(minutes=5))
    offer_of(scene)
    halt(series=scene.series)
    bid(bid_body(later), buyer())
    hold_through(later)
    assert BidFill.objects.filter(auction=later).exists()


def test_each_part_is_halted_once(scene: Market) -> None:
    halt(region=region_of("beijing"))
    halt(region=region_of("guizhou"))
    halt()
    for scope in ({"region": region_of("beijing")}, {}):
        with pytest.raises(MarketAlreadyFrozen):
            halt(**scope)


# --- four eyes -----------------------------------------------------------------------------


def test_a_halt_is_done_when_another_operator_approves_it(scene: Market) -> None:
    who, other = member(operator()), member(operator())
    measure = ask_halt(reason=WHY, actor=who, region=region_of("beijing"))
    assert not MarketFreeze.objects.exists()
    approve_measure(measure, reason="seen", actor=other)
    found = MarketFreeze.objects.get()
    assert (found.region, found.reason, found.scope, found.part) == (
        region_of("beijing"),
        WHY,
        "region",
        "beijing",
    )
    kept = measure_of(measure.public_id, caller=other)
    assert (kept.state, kept.halt, kept.decision) == ("approved", found, "seen")
    assert (kept.asked_by_id, kept.decided_by_id) == (who.user_id, other.user_id)

    back = ask_resume(found, reason="a false alarm", actor=other)
    approve_measure(back, reason="yes", actor=who)
    found.refresh_from_db()
    assert found.lifted_at is not None
    verbs = list(AuditRow.objects.about(measure).values_list("verb", flat=True))
    assert verbs == ["approved", "ask"]


def test_nobody_approves_what_they_asked_for_and_a_key_of_nobody_neither(scene: Market) -> None:
    house = operator()
    who = member(house)
    measure = ask_halt(reason=WHY, actor=who)
    with pytest.raises(OwnRequest):
        approve_measure(measure, reason="me", actor=who)
    with pytest.raises(OwnRequest):
        approve_measure(measure, reason="a key", actor=caller(house))
    with pytest.raises(OwnRequest):
        ask_halt(reason=WHY, actor=caller(house))
    assert not MarketFreeze.objects.exists()


def test_only_operators_ask_approve_and_refuse_and_give_a_reason(scene: Market) -> None:
    who, stranger = member(operator()), member()
    with pytest.raises(NotAnOperator):
        ask_halt(reason=WHY, actor=stranger)
    with pytest.raises(ReasonMissing):
        ask_halt(reason=" ", actor=who)
    measure = ask_halt(reason=WHY, actor=who)
    with pytest.raises(NotAnOperator):
        approve_measure(measure, reason="x", actor=stranger)
    with pytest.raises(NotAnOperator):
        refuse_measure(measure, reason="x", actor=stranger)
    with pytest.raises(ReasonMissing):
        refuse_measure(measure, reason="", actor=who)
    with pytest.raises(MeasureNotFound):
        measure_of(measure.public_id, caller=stranger)
    refuse_measure(measure, reason="taken back", actor=who)
    with pytest.raises(IllegalMove):
        approve_measure(measure, reason="late", actor=member(operator()))


def test_a_measure_that_the_market_overtook_is_not_done(scene: Market) -> None:
    who, other = member(operator()), member(operator())
    first, second = (ask_halt(reason=WHY, actor=who) for _ in range(2))
    approve_measure(first, reason="yes", actor=other)
    with pytest.raises(MarketAlreadyFrozen):
        approve_measure(second, reason="yes", actor=other)
    assert Measure.objects.get(pk=second.pk).state == "asked"
    with pytest.raises(MarketAlreadyFrozen):
        ask_halt(reason=WHY, actor=who)
    stop = MarketFreeze.objects.get()
    backs = [ask_resume(stop, reason="over", actor=who) for _ in range(2)]
    approve_measure(backs[0], reason="yes", actor=other)
    with pytest.raises(MarketNotFrozen):
        approve_measure(backs[1], reason="yes", actor=other)
    stop.refresh_from_db()
    with pytest.raises(MarketNotFrozen):
        ask_resume(stop, reason="again", actor=who)


def test_limits_are_set_by_approval(scene: Market) -> None:
    who, other = member(operator()), member(operator())
    buying = OrganizationFactory.create(provides=False)
    cap = ask_price_cap(scene.series, price_cap_ticks=5_000, reason=WHY, actor=who)
    position = ask_position_limit(
        buying, lot_minutes_max=60_000, cost_micros_max=None, reason=WHY, actor=who
    )
    assert not PositionLimit.objects.exists()
    for measure in (cap, position):
        approve_measure(measure, reason="yes", actor=other)
    assert AuctionSeries.objects.get(pk=scene.series.pk).price_cap_ticks == 5_000
    assert PositionLimit.objects.get().lot_minutes_max == 60_000
    assert Auction.objects.get().price_cap_ticks == scene.auction.price_cap_ticks


def test_what_makes_no_sense_is_not_asked_for(scene: Market) -> None:
    who = member(operator())
    with pytest.raises(MeasureMalformed):
        ask_halt(reason=WHY, actor=who, region=region_of("beijing"), accelerator=h100())
    with pytest.raises(MeasureMalformed):
        ask_price_cap(scene.series, price_cap_ticks=0, reason=WHY, actor=who)
    with pytest.raises(MeasureMalformed):
        ask_position_limit(
            scene.provider, lot_minutes_max=1, cost_micros_max=1, reason=WHY, actor=who
        )
