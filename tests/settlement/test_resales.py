"""Resold hours: a contract of their own, delivered by the first, each side settled for its own."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Caller, EventType, Organization, OutboxEvent
from exchange.foundation.states import IllegalMove
from settlement.models import (
    AccountKind,
    Contract,
    Dispute,
    DisputeEvidence,
    DisputeState,
    ExcusedOutage,
    Hold,
    Resale,
    SettlementRun,
)
from settlement.queries.resold import left_of
from settlement.services.contract_life import (
    curtail_contract,
    default_contract,
    lift_curtailment,
    reclaim_contract,
)
from settlement.services.contract_moves import advance_contracts
from settlement.services.disputes import open_dispute, rule_dispute
from settlement.services.holds import InsufficientFunds
from settlement.services.metering import ingest
from settlement.services.resales import (
    BadNewBuyer,
    HoursTaken,
    NotResellable,
    NotTheNewBuyer,
    NotTheReseller,
    ResaleLapsed,
    ResaleOutside,
    accept_resale,
    decline_resale,
    lapse_resales,
    open_resale,
    withdraw_resale,
)
from settlement.services.resold_moves import DeliveredUnderAnother
from settlement.services.settling import settle_due
from tests.factories import member, operator
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
    balance,
    broken,
    play_at,
)

pytestmark = pytest.mark.django_db
YUAN = 1_000_000
ALL_FINAL = timedelta(days=15)


@pytest.fixture
def new_buyer() -> Organization:
    organization = an_organization("New buyer")
    put_in(organization, MONEY)
    return organization


@pytest.fixture
def delivery() -> Delivery:
    """Two accelerators for three hours from ten o'clock, at ten yuan; it is nine now."""
    made = a_delivery(hours=3, lots=2_000)
    play_at(TEN - HOUR)
    return made


def offered(delivery: Delivery, buyer: Organization, **terms: Any) -> Resale:
    stated: dict[str, Any] = {"price_ticks": 8_000, "buyer": buyer} | terms
    return open_resale(delivery.contract, actor=member(delivery.buyer), **stated)


def sold(delivery: Delivery, buyer: Organization, **terms: Any) -> Contract:
    return accept_resale(offered(delivery, buyer, **terms), actor=member(buyer))


def delivered(delivery: Delivery, *hours_ms: int) -> None:
    """Report what the two accelerators were there for, hour by hour, once that is over."""
    play_at(TEN + len(hours_ms) * HOUR + MINUTE)
    ingest(
        delivery.meter,
        [
            an_event(delivery, seq=n + 1, starts=TEN + n * HOUR, total=sum(hours_ms[: n + 1]))
            for n in range(len(hours_ms))
        ],
    )


def runs(contract: Contract) -> list[SettlementRun]:
    last = SettlementRun.objects.filter(period__contract=contract)
    return list(last.order_by("period__starts_at", "-run_no").distinct("period__starts_at"))


def test_the_rest_of_a_contract_goes_to_its_new_buyer_and_each_side_is_settled_for_its_own(
    delivery: Delivery, new_buyer: Organization
) -> None:
    contract = sold(delivery, new_buyer, starts_at=TEN + HOUR)
    assert (contract.buyer_id, contract.provider_id) == (new_buyer.pk, delivery.buyer.pk)
    assert [p.starts_at for p in contract.periods.order_by("starts_at")] == [
        TEN + HOUR,
        TEN + 2 * HOUR,
    ]
    delivered(delivery, 2 * HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS)
    settle_at(TEN + 5 * HOUR)
    # The first buyer pays 3 x 2 x 10 and its fee to the provider, and gets 2 x 2 x 8 less its fee.
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - 60_600_000
    assert balance(delivery.buyer, AccountKind.PAYABLE) == 32 * YUAN - 640_000
    assert balance(delivery.provider, AccountKind.PAYABLE) == 60 * YUAN - 1_200_000
    assert balance(new_buyer, AccountKind.AVAILABLE) == MONEY - 32_320_000
    assert broken() == []
    settle_at(TEN + ALL_FINAL)
    assert {period.state for period in contract.periods.all()} == {"final"}
    assert not Hold.objects.get(key=contract.hold_key).open_micros
    assert broken() == []


def test_a_shortfall_passes_through_by_share_and_each_leg_has_its_own_penalty(
    delivery: Delivery, new_buyer: Organization
) -> None:
    contract = sold(delivery, new_buyer, quantity_lots=500, ends_at=TEN + HOUR, price_ticks=16_000)
    delivered(delivery, HOUR_MS + 1)  # of two accelerator-hours
    settle_at(TEN + 2 * HOUR)
    first, resold = runs(delivery.contract)[0], runs(contract)[0]
    assert (first.delivered_ms, resold.delivered_ms) == (HOUR_MS + 1, HOUR_MS // 4)
    assert resold.contracted_ms == HOUR_MS // 2
    assert resold.penalty_micros == 2 * YUAN  # a quarter of an hour at 16 x one half
    assert broken() == []


def test_a_late_reading_and_a_ruling_on_the_first_contract_reach_the_resold_hours(
    delivery: Delivery, new_buyer: Organization
) -> None:
    contract = sold(delivery, new_buyer, quantity_lots=1_000, ends_at=TEN + HOUR)
    settle_at(TEN + 2 * HOUR)
    assert runs(contract)[0].delivered_ms == 0
    delivered(delivery, 2 * HOUR_MS)
    settle_at(TEN + 30 * HOUR)
    assert runs(contract)[0].delivered_ms == HOUR_MS
    assert broken() == []
    period = delivery.contract.periods.get(starts_at=TEN)
    now = play_at(TEN + 40 * HOUR)
    dispute = open_dispute(
        period, claimed_ms=HOUR_MS, reason="slow", now=now, actor=member(delivery.buyer)
    )
    settle_at(TEN + ALL_FINAL)
    assert runs(contract)[0].run_no == 3  # no final run while the first hour is disputed
    rule_dispute(dispute, DisputeState.UPHELD, decision="half", now=now, actor=member(operator()))
    settle_at(TEN + ALL_FINAL + HOUR)
    assert (runs(contract)[0].run_no, runs(contract)[0].delivered_ms) == (4, HOUR_MS // 2)
    assert broken() == []


def test_the_new_buyer_disputes_its_own_hour_and_the_first_contract_keeps_its_figure(
    delivery: Delivery, new_buyer: Organization
) -> None:
    contract = sold(delivery, new_buyer, ends_at=TEN + HOUR)
    delivered(delivery, 2 * HOUR_MS)
    now = settle_at(TEN + 2 * HOUR)
    dispute = open_dispute(
        contract.periods.get(), claimed_ms=HOUR_MS, reason="x", now=now, actor=member(new_buyer)
    )
    assert DisputeEvidence.objects.filter(dispute=dispute).count() == 1
    rule_dispute(dispute, DisputeState.UPHELD, decision="y", now=now, actor=member(operator()))
    settle_at(TEN + 30 * HOUR)
    assert runs(contract)[0].delivered_ms == HOUR_MS
    assert runs(delivery.contract)[0].delivered_ms == 2 * HOUR_MS
    assert broken() == []


def settle_at(at: datetime) -> datetime:
    now = play_at(at + MINUTE)
    settle_due(now)
    return now


def test_meters_that_disagree_open_one_dispute_and_not_another_about_the_resold_hour(
    delivery: Delivery, new_buyer: Organization
) -> None:
    contract = sold(delivery, new_buyer, ends_at=TEN + HOUR)
    delivered(delivery, 2 * HOUR_MS)
    buyers = delivery.add_buyers_meter()
    ingest(buyers, [an_event(delivery, meter=buyers, total=HOUR_MS)])
    settle_at(TEN + 2 * HOUR)
    assert Dispute.objects.get().period.contract_id == delivery.contract.pk
    assert runs(contract)[0].delivered_ms == HOUR_MS
    assert broken() == []


def test_what_was_resold_can_be_resold_again(delivery: Delivery, new_buyer: Organization) -> None:
    second = sold(delivery, new_buyer)
    last_buyer = an_organization("Last buyer")
    put_in(last_buyer, MONEY)
    resale = open_resale(
        second, price_ticks=9_000, buyer=last_buyer, quantity_lots=300, actor=member(new_buyer)
    )
    third = accept_resale(resale, actor=member(last_buyer))
    delivered(delivery, 2 * HOUR_MS, HOUR_MS, 0)
    settle_at(TEN + 5 * HOUR)
    assert [run.delivered_ms for run in runs(third)] == [HOUR_MS * 3 // 10, HOUR_MS * 3 // 20, 0]
    settle_at(TEN + ALL_FINAL)
    assert broken() == []


def test_no_more_is_put_on_sale_than_is_left(delivery: Delivery, new_buyer: Organization) -> None:
    offered(delivery, new_buyer, quantity_lots=1_500, ends_at=TEN + HOUR)
    with pytest.raises(HoursTaken):
        offered(delivery, new_buyer, quantity_lots=501, ends_at=TEN + 2 * HOUR)
    sold(delivery, new_buyer, quantity_lots=500, ends_at=TEN + 2 * HOUR)
    with pytest.raises(HoursTaken):
        offered(delivery, new_buyer)
    rest = offered(delivery, new_buyer, starts_at=TEN + HOUR)
    with pytest.raises(HoursTaken):
        offered(delivery, new_buyer, starts_at=TEN + HOUR, quantity_lots=1)
    taken = accept_resale(rest, actor=member(new_buyer))
    lots = taken.periods.order_by("starts_at").values_list("quantity_lots", flat=True)
    assert list(lots) == [1_500, 2_000]
    assert [left.free_lots for left in left_of([delivery.contract.pk])] == [0, 0, 0]
    assert broken() == []


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"starts_at": TEN + 30 * MINUTE}, ResaleOutside),
        ({"ends_at": TEN + 30 * MINUTE}, ResaleOutside),
        ({"ends_at": TEN + 4 * HOUR}, ResaleOutside),
        ({"starts_at": TEN - HOUR}, ResaleOutside),
        ({"quantity_lots": 2_001}, HoursTaken),
    ],
)
def test_only_whole_periods_ahead_are_resold(
    delivery: Delivery, new_buyer: Organization, terms: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        offered(delivery, new_buyer, **terms)
    assert not Resale.objects.exists()


def test_hours_that_have_begun_are_not_resold(delivery: Delivery, new_buyer: Organization) -> None:
    play_at(TEN + HOUR + MINUTE)
    assert offered(delivery, new_buyer).starts_at == TEN + 2 * HOUR
    play_at(TEN + 2 * HOUR + MINUTE)
    with pytest.raises(ResaleOutside):
        offered(delivery, new_buyer)


def test_strangers_neither_resell_nor_accept_nor_withdraw(
    delivery: Delivery, new_buyer: Organization
) -> None:
    stranger = member(an_organization("Stranger"))
    terms: dict[str, Any] = {"price_ticks": 1, "buyer": new_buyer}
    for actor in (stranger, member(delivery.provider), member(delivery.buyer, role="viewer")):
        with pytest.raises(NotTheReseller):
            open_resale(delivery.contract, actor=actor, **terms)
    resale = offered(delivery, new_buyer)
    for actor in (stranger, member(delivery.buyer), member(new_buyer, role="viewer")):
        with pytest.raises(NotTheNewBuyer):
            accept_resale(resale, actor=actor)
        with pytest.raises(NotTheNewBuyer):
            decline_resale(resale, actor=actor)
    with pytest.raises(NotTheReseller):
        withdraw_resale(resale, actor=member(new_buyer))
    for wrong in (delivery.buyer, Organization.objects.create(name="Seller", provides=True)):
        with pytest.raises(BadNewBuyer):
            offered(delivery, wrong)


def test_what_is_declined_withdrawn_or_lapsed_is_free_again_and_cannot_be_taken(
    delivery: Delivery, new_buyer: Organization
) -> None:
    reseller, taker = member(delivery.buyer), member(new_buyer)
    declined, withdrawn = offered(delivery, new_buyer, ends_at=TEN + HOUR), None
    decline_resale(declined, actor=taker)
    withdrawn = offered(delivery, new_buyer, ends_at=TEN + HOUR)
    withdraw_resale(withdrawn, actor=reseller)
    lapsed = offered(delivery, new_buyer, ends_at=TEN + HOUR)
    now = play_at(TEN + MINUTE)
    with pytest.raises(ResaleLapsed):
        accept_resale(lapsed, actor=taker)
    assert (lapse_resales(now), lapse_resales(now)) == (1, 0)
    lapsed.refresh_from_db()
    assert [each.state for each in (declined, withdrawn, lapsed)] == [
        "declined",
        "withdrawn",
        "lapsed",
    ]
    for resale in (declined, withdrawn, lapsed):
        with pytest.raises(IllegalMove):
            accept_resale(resale, actor=taker)
    assert Contract.objects.count() == 1
    assert broken() == []


def test_a_buyer_without_the_money_takes_nothing(delivery: Delivery) -> None:
    poor = an_organization("Poor")
    resale = offered(delivery, poor)
    with pytest.raises(InsufficientFunds):
        accept_resale(resale, actor=member(poor))
    resale.refresh_from_db()
    assert (resale.state, Contract.objects.count()) == ("open", 1)


def running(delivery: Delivery) -> Contract:
    """Start all contracts and return the first as it is now."""
    advance_contracts(TEN)
    play_at(TEN + MINUTE)
    return Contract.objects.get(pk=delivery.contract.pk)


def test_resold_hours_follow_the_first_contract_and_are_not_acted_on_alone(
    delivery: Delivery, new_buyer: Organization
) -> None:
    resold = sold(delivery, new_buyer, ends_at=TEN + HOUR)
    later = sold(delivery, new_buyer, starts_at=TEN + HOUR)
    first, power = running(delivery), ExcusedOutage.Cause.POWER
    actor = member(operator())
    resold.refresh_from_db()
    later.refresh_from_db()
    assert (resold.state, later.state) == ("active", "scheduled")
    with pytest.raises(DeliveredUnderAnother):
        curtail_contract(resold, cause=power, reason="no", actor=actor)
    with pytest.raises(DeliveredUnderAnother):
        default_contract(resold, reason="no", actor=actor)
    with pytest.raises(DeliveredUnderAnother):
        reclaim_contract(resold, reason="no", actor=member(delivery.buyer))
    curtail_contract(first, cause=power, reason="grid", actor=actor)
    with pytest.raises(NotResellable):
        offered(delivery, new_buyer)
    resold.refresh_from_db()
    assert (resold.state, resold.reason_code) == ("curtailed", "first_contract")
    lift_curtailment(first, reason="over", actor=actor)
    resold.refresh_from_db()
    assert resold.state == "active"
    default_contract(first, reason="bankrupt", actor=actor)
    for contract in (resold, later):
        contract.refresh_from_db()
        assert contract.state == "defaulted"
        assert contract.ended_at is not None
    settle_at(TEN + 5 * HOUR)
    assert [run.delivered_ms for run in runs(later)] == [0, 0]
    assert broken() == []


def test_what_is_excused_of_the_first_contract_is_excused_of_the_resold_hours(
    delivery: Delivery, new_buyer: Organization
) -> None:
    resold = sold(delivery, new_buyer, quantity_lots=700, ends_at=TEN + HOUR)
    first = running(delivery)
    play_at(TEN + 7 * MINUTE)
    curtail_contract(
        first, cause=ExcusedOutage.Cause.POWER, reason="grid", actor=member(operator())
    )
    delivered(delivery, 2 * 7 * 60_000)
    settle_at(TEN + 2 * HOUR)
    run = runs(resold)[0]
    assert (run.penalty_micros, run.delivered_ms) == (0, 294_000)
    assert runs(delivery.contract)[0].penalty_micros == 0
    assert broken() == []


def test_both_are_told_of_each_step(delivery: Delivery, new_buyer: Organization) -> None:
    sold(delivery, new_buyer)
    told = OutboxEvent.objects.filter(type=EventType.RESALE_MOVED).order_by("id")
    assert [(row.organization_id, row.data["role"], row.data["state"]) for row in told] == [
        (delivery.buyer.pk, "reseller", "open"),
        (new_buyer.pk, "buyer", "open"),
        (delivery.buyer.pk, "reseller", "sold"),
        (new_buyer.pk, "buyer", "sold"),
    ]


def test_resales_are_seen_by_both_sides_and_nobody_else(
    delivery: Delivery, new_buyer: Organization
) -> None:
    resale = offered(delivery, new_buyer)

    def sees(caller: Caller) -> bool:
        return resale in Resale.objects.visible_to(caller)

    assert sees(member(delivery.buyer))
    assert sees(member(new_buyer))
    assert sees(member(operator()))
    assert not sees(member(delivery.provider))
    assert not sees(member(an_organization("Stranger")))
