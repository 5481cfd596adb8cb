"""Several connections at once: contracts move, disputes end and hours are resold once each."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings

from accounts.models import Organization
from exchange.foundation.market_time import market_now, set_market_time
from exchange.foundation.states import IllegalMove, LostRace
from exchange.models import OfferEntry
from exchange.services.auctions import close_auction
from settlement.models import (
    Contract,
    ContractMove,
    Dispute,
    DisputeState,
    ExcusedOutage,
    Resale,
    SettlementRun,
)
from settlement.services.contract_life import (
    NothingToReclaim,
    curtail_contract,
    default_contract,
    reclaim_contract,
)
from settlement.services.contract_moves import advance_contracts
from settlement.services.disputes import (
    AlreadyDisputed,
    DisputeTooLate,
    NotDisputable,
    open_dispute,
    rule_dispute,
    withdraw_dispute,
)
from settlement.services.metering import ingest
from settlement.services.resales import (
    HoursTaken,
    NotResellable,
    ResaleInBook,
    ResaleLapsed,
    accept_resale,
    lapse_resales,
    open_resale,
    withdraw_resale,
)
from settlement.services.settling import settle_due
from tests.exchange.markets import HOUR as AUCTION_HOUR
from tests.exchange.markets import auction_of, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import member, operator
from tests.races.test_ledger_races import at_once, broken
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    MONEY,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    hourly,
    play_at,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_readings")]
LOST = (
    *(IllegalMove, LostRace, HoursTaken, ResaleLapsed, NotResellable, ResaleInBook),
    *(AlreadyDisputed, NotDisputable, DisputeTooLate),
)
Step = Callable[[], object]


def won(step: Step) -> Callable[[], bool]:
    """Return a step that says whether it was done, or lost to another."""

    def do() -> bool:
        try:
            step()
        except LOST:
            return False
        return True

    return do


def rich(name: str) -> Organization:
    organization = an_organization(name)
    put_in(organization, MONEY)
    return organization


def some_hours(hours: int = 3) -> Delivery:
    made = a_delivery(hours=hours, lots=2_000)
    play_at(TEN - HOUR)
    return made


def running() -> Delivery:
    """Return a delivery whose contract runs since a minute."""
    made = some_hours()
    advance_contracts(TEN)
    play_at(TEN + MINUTE)
    made.contract = Contract.objects.get(pk=made.contract.pk)
    return made


def test_the_same_hours_are_put_on_sale_once() -> None:
    delivery, taker = some_hours(), rich("New buyer")
    actor = member(delivery.buyer)

    def sell(lots: int) -> Step:
        return lambda: open_resale(
            delivery.contract, price_ticks=1_000, buyer=taker, quantity_lots=lots, actor=actor
        )

    done = at_once([won(sell(lots)) for lots in (1_500, 1_500, 1_100, 1_200)])

    assert done.count(True) == 1
    assert Resale.objects.count() == 1
    assert broken() == []


def test_one_offer_is_taken_once_and_not_withdrawn_as_well() -> None:
    delivery, taker = some_hours(), rich("New buyer")
    seller, actor = member(delivery.buyer), member(taker)
    resale = open_resale(delivery.contract, price_ticks=1_000, buyer=taker, actor=seller)

    def take() -> object:
        return accept_resale(Resale.objects.get(pk=resale.pk), actor=actor)

    def withdraw() -> None:
        withdraw_resale(Resale.objects.get(pk=resale.pk), actor=seller)

    done = at_once([won(take), won(take), won(withdraw), won(take)])

    assert done.count(True) == 1
    resale.refresh_from_db()
    assert Contract.objects.filter(resale=resale).count() == (resale.state == "sold")
    assert broken() == []


def test_an_offer_is_taken_while_the_contract_defaults_and_the_new_buyer_knows_it() -> None:
    delivery, taker = running(), rich("New buyer")
    seller, actor = member(delivery.buyer), member(taker)
    resale = open_resale(delivery.contract, price_ticks=1_000, buyer=taker, actor=seller)
    authority = member(operator())

    taken, ended = at_once(
        [
            won(lambda: accept_resale(resale, actor=actor)),
            won(lambda: default_contract(delivery.contract, reason="gone", actor=authority)),
        ]
    )

    assert ended
    made = Contract.objects.filter(resale=resale)
    assert [contract.state for contract in made] == (["defaulted"] if taken else [])
    lapse_resales(market_now())
    resale.refresh_from_db()
    assert resale.state == ("sold" if taken else "lapsed")
    settle_due(play_at(TEN + 5 * HOUR))
    assert broken() == []


def test_hours_are_resold_while_others_are_settled_by_several_workers() -> None:
    delivery, taker, later = running(), rich("New buyer"), rich("Later buyer")
    seller = member(delivery.buyer)

    def offer(to: Organization, **terms: object) -> Resale:
        return open_resale(delivery.contract, price_ticks=900, buyer=to, actor=seller, **terms)  # type: ignore[arg-type]

    accept_resale(offer(taker, quantity_lots=700), actor=member(taker))
    waiting = offer(later, quantity_lots=800, starts_at=TEN + 2 * HOUR)
    play_at(TEN + 2 * HOUR - MINUTE)
    readings = [
        an_event(delivery, total=2 * HOUR_MS),
        an_event(
            delivery,
            seq=2,
            starts=TEN + HOUR,
            ends=TEN + HOUR + 55 * MINUTE,
            total=3 * HOUR_MS,
        ),
    ]
    ingest(delivery.meter, readings)
    now = TEN + 3 * HOUR + MINUTE  # the workers' clock is ahead of the market's
    at_once(
        [
            lambda: settle_due(now),
            won(lambda: accept_resale(waiting, actor=member(later))),
            lambda: settle_due(now),
            lambda: settle_due(now),
        ]
    )
    settle_due(now)

    resold = Contract.objects.filter(buyer=taker).get()
    runs = SettlementRun.objects.filter(period__contract=resold, run_no=1)
    assert list(runs.values_list("delivered_ms", flat=True)) == [HOUR_MS * 7 // 20]
    for days in (1, 8, 15):
        at_once([lambda at=TEN + timedelta(days=days): settle_due(at)] * 2)  # type: ignore[misc]
        settle_due(TEN + timedelta(days=days))
    assert broken() == []


def test_a_contract_is_moved_by_one_of_those_who_would() -> None:
    delivery, authority = running(), member(operator())
    provider, power = member(delivery.provider), ExcusedOutage.Cause.POWER
    Contract.objects.filter(pk=delivery.contract.pk).update(reason="")

    def current() -> Contract:
        return Contract.objects.get(pk=delivery.contract.pk)

    steps: list[Step] = [
        lambda: curtail_contract(current(), cause=power, reason="grid", actor=authority),
        lambda: curtail_contract(current(), cause=power, reason="grid", actor=authority),
        lambda: default_contract(current(), reason="gone", actor=authority),
        lambda: reclaim_contract(current(), reason="own use", actor=provider),
    ]
    before = ContractMove.objects.count()
    done = at_once([_quietly(step) for step in steps])

    moves = list(ContractMove.objects.order_by("id").values_list("was", "state"))[before:]
    assert len(moves) == done.count(True) >= 1
    assert [was for was, _ in moves] == ["active", *(state for _, state in moves[:-1])]
    assert current().state == moves[-1][1]
    assert ExcusedOutage.objects.filter(ends_at=None).count() <= 1
    assert broken() == []


def _quietly(step: Step) -> Callable[[], bool]:
    """As ``won``, where a contract may also be too short to be reclaimed."""

    def do() -> bool:
        try:
            return won(step)()
        except NothingToReclaim:
            return False

    return do


def test_workers_at_once_make_each_move_of_the_clock_once() -> None:
    deliveries = [a_delivery(bid=f"bid_{n}") for n in range(5)]
    at_once([lambda: advance_contracts(TEN)] * 4)
    at_once([lambda: advance_contracts(TEN + 2 * HOUR)] * 4)

    moves = ContractMove.objects.order_by("contract", "id").values_list("contract", "state")
    life = ("provisioning", "active", "ended")
    assert list(moves) == [(each.contract.pk, state) for each in deliveries for state in life]


def settled() -> Delivery:
    """Return a delivery of two hours that were settled once."""
    made = a_delivery(hours=2)
    play_at(TEN + 2 * HOUR + MINUTE)
    ingest(made.meter, hourly(made, 2))
    settle_due(TEN + 4 * HOUR)
    made.period.refresh_from_db()
    return made


def test_both_parties_object_at_once_and_one_dispute_is_open() -> None:
    delivery = settled()

    def objection(who: Organization) -> Step:
        actor, period = member(who), delivery.contract.periods.get(starts_at=TEN)
        return lambda: open_dispute(
            period, claimed_ms=0, reason="no", now=TEN + 5 * HOUR, actor=actor
        )

    parties = (delivery.buyer, delivery.provider, delivery.buyer)
    done = at_once([won(objection(who)) for who in parties])

    assert done.count(True) == 1
    assert Dispute.objects.get().state == "open"
    assert broken() == []


def test_a_dispute_ends_once_while_workers_settle() -> None:
    delivery, now = settled(), TEN + 5 * HOUR
    who, authority = member(delivery.buyer), member(operator())
    dispute = open_dispute(
        delivery.period, claimed_ms=HOUR_MS // 2, reason="no", now=now, actor=who
    )

    def again() -> Dispute:
        return Dispute.objects.get(pk=dispute.pk)

    def rule(verdict: DisputeState) -> Step:
        return lambda: rule_dispute(again(), verdict, decision="so", now=now, actor=authority)

    at = TEN + timedelta(days=1, hours=3)
    done = at_once(
        [
            won(rule(DisputeState.UPHELD)),
            won(rule(DisputeState.REJECTED)),
            won(lambda: withdraw_dispute(again(), now=now, actor=who)),
            won(lambda: settle_due(at)),
            won(lambda: settle_due(at)),
        ]
    )
    assert done[:3].count(True) <= 1
    if not any(done[:3]):  # each lost to a worker that moved the period meanwhile
        assert again().decided_at is None
        rule_dispute(again(), DisputeState.UPHELD, decision="so", now=now, actor=authority)
    settle_due(at)
    settle_due(TEN + timedelta(days=8))

    last = SettlementRun.objects.filter(period=delivery.period).latest("run_no")
    upheld = again().state == "upheld"
    assert last.delivered_ms == (HOUR_MS // 2 if upheld else HOUR_MS)
    assert broken() == []


def test_an_objection_races_with_the_final_run_and_a_final_hour_is_not_disputed() -> None:
    delivery, deadline = settled(), TEN + HOUR + timedelta(days=14)
    for days in (2, 8):
        settle_due(TEN + timedelta(days=days))
    period, who = delivery.contract.periods.get(starts_at=TEN), member(delivery.buyer)

    objected, _, _ = at_once(
        [
            won(
                lambda: open_dispute(
                    period, claimed_ms=0, reason="no", now=deadline - MINUTE, actor=who
                )
            ),
            won(lambda: settle_due(deadline)),
            won(lambda: settle_due(deadline)),
        ]
    )

    period.refresh_from_db()
    assert period.state == ("disputed" if objected else "final")
    assert Dispute.objects.count() == objected
    assert broken() == []


def test_a_resale_is_withdrawn_or_in_the_book_whose_gate_closes(
    settings: LazySettings, tmp_path: object
) -> None:
    settings.ARCHIVE_DIR = tmp_path
    play_at(market_now())
    scene = market()
    offer_of(scene)
    who = buyer()
    bid(bid_body(scene.auction, quantity="6"), who)
    hold_through(scene.auction)
    contract = Contract.objects.get()
    for _ in range(3):
        resale = open_resale(contract, price_ticks=1_000, actor=who)
        now = market_now()
        auction = auction_of(
            scene.series,
            opens_at=now - AUCTION_HOUR,
            closes_at=now + MINUTE,
            starts_at=scene.auction.starts_at,
            ends_at=scene.auction.ends_at,
        )
        set_market_time(now + 2 * MINUTE)
        withdrawn, closed = at_once(
            [
                won(lambda each=resale: withdraw_resale(each, actor=who)),  # type: ignore[misc]
                lambda pk=auction.pk: close_auction(pk),  # type: ignore[misc]
            ]
        )
        assert closed
        in_book = OfferEntry.objects.filter(auction=auction, version__offer__resale=resale)
        assert in_book.exists() is not withdrawn
        if not withdrawn:
            break
