"""Collateral of sellers: asked for with a contract, drawn on for penalties, given back."""

from datetime import timedelta

import pytest

from accounts.models import Caller, Organization
from settlement.models import AccountKind, Collateral, Hold
from settlement.services.collateral import (
    CollateralMissing,
    RateOutOfRange,
    move_collateral,
    refuse_uncovered_listing,
    set_collateral_rate,
)
from settlement.services.deposits import NotAnOperator
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.factories import OrganizationFactory, member, operator
from tests.settlement.books import money_of, put_in
from tests.settlement.deliveries import (
    HOUR,
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
LATER = TEN + timedelta(days=20)


@pytest.fixture
def actor() -> Caller:
    return member(operator())


def provider_with(money: int, actor: Caller) -> Organization:
    """Return a provider who puts up half of what it earns, and has so much to do it with."""
    provider = OrganizationFactory.create()
    if money:
        put_in(provider, money)
    set_collateral_rate(provider.pk, rate_ppm=500_000, reason="new here", actor=actor)
    return provider


def settled(delivery: Delivery, *, delivered: bool) -> None:
    now = play_at(TEN + 3 * HOUR)
    if delivered:
        ingest(delivery.meter, [an_event(delivery)])
    settle_due(now)
    move_collateral(now)


def test_a_contract_holds_its_share_of_the_providers_own_money(actor: Caller) -> None:
    provider = provider_with(100 * YUAN, actor)
    delivery = a_delivery(provider=provider)
    asked = Collateral.objects.get()
    assert (asked.contract, asked.required_micros, asked.hold) == (
        delivery.contract,
        5 * YUAN,
        None,
    )
    for _ in range(2):
        move_collateral(play_at(TEN))
    assert money_of(provider).available_micros == 95 * YUAN
    assert broken() == []


def test_without_a_rate_nothing_is_asked_for() -> None:
    a_delivery()
    assert not Collateral.objects.exists()


def test_a_penalty_beyond_what_is_owed_is_paid_from_it(actor: Caller) -> None:
    provider = provider_with(100 * YUAN, actor)
    delivery = a_delivery(provider=provider, penalty_factor_ppm=400_000)
    move_collateral(play_at(TEN))
    settled(delivery, delivered=False)
    assert balance(provider, AccountKind.PAYABLE) == 0
    hold = Hold.objects.get(key__startswith="collateral/")
    assert (hold.captured_micros, hold.open_micros) == (4 * YUAN, YUAN)
    settled(delivery, delivered=False)
    hold.refresh_from_db()
    assert hold.captured_micros == 4 * YUAN
    assert broken() == []


def test_a_provider_that_delivers_gets_all_of_it_back_once_final(actor: Caller) -> None:
    provider = provider_with(100 * YUAN, actor)
    delivery = a_delivery(provider=provider)
    move_collateral(play_at(TEN))
    settled(delivery, delivered=True)
    assert money_of(provider).available_micros == 95 * YUAN
    for day in (1, 2, 9, 20):
        settle_due(play_at(TEN + timedelta(days=day)))
    move_collateral(LATER)
    assert money_of(provider).available_micros == 100 * YUAN
    assert Collateral.objects.get().released_at == LATER
    assert broken() == []


def test_what_the_money_does_not_reach_for_is_called_and_bars_new_offers(actor: Caller) -> None:
    provider = provider_with(YUAN, actor)
    a_delivery(provider=provider)
    move_collateral(play_at(TEN))
    assert Collateral.objects.called().count() == 1
    with pytest.raises(CollateralMissing):
        refuse_uncovered_listing(provider.pk, 1)
    put_in(provider, 10 * YUAN, key="more")
    move_collateral(play_at(TEN))
    assert Collateral.objects.called().count() == 0
    refuse_uncovered_listing(provider.pk, 12 * YUAN)
    with pytest.raises(CollateralMissing):
        refuse_uncovered_listing(provider.pk, 12 * YUAN + 2)
    assert broken() == []


def test_only_an_operator_sets_a_rate_in_range(actor: Caller) -> None:
    provider = OrganizationFactory.create()
    with pytest.raises(NotAnOperator):
        set_collateral_rate(provider.pk, rate_ppm=1, reason="so", actor=member(provider))
    with pytest.raises(RateOutOfRange):
        set_collateral_rate(provider.pk, rate_ppm=10_000_001, reason="so", actor=actor)
