"""Several connections at once: budgets, credit, limits and collateral keep their bounds."""

import pytest

from accounts.models import Organization
from exchange.services.bids import place_bid
from exchange.services.position_limits import PositionLimitExceeded, set_position_limit
from settlement.models import AccountKind, BudgetAlert, Hold, Project
from settlement.services.budgets import BudgetExceeded
from settlement.services.collateral import move_collateral, set_collateral_rate
from settlement.services.credit_lines import CreditInUse, set_credit_line
from settlement.services.holds import (
    HoldRequest,
    InsufficientFunds,
    place_hold,
    place_holds,
    release_holds,
)
from settlement.services.projects import open_project, set_budget
from settlement.services.settling import settle_due
from tests.exchange.markets import bid_body, buyer, market
from tests.factories import OrganizationFactory, member, operator
from tests.races.test_ledger_races import at_once, broken
from tests.settlement.books import money_of, put_in
from tests.settlement.deliveries import HOUR, TEN, a_delivery, balance, play_at

pytestmark = pytest.mark.django_db(transaction=True)


def test_bids_race_for_the_rest_of_a_budget_and_never_exceed_it() -> None:
    owner = OrganizationFactory.create()
    put_in(owner, 10_000)
    who = member(owner)
    project = open_project("llm", budget_micros=100, caller=who)
    place_hold(HoldRequest("old", owner.pk, 30, "llm"))

    def single(n: int) -> int:
        try:
            place_hold(HoldRequest(f"single_{n}", owner.pk, 40, "llm"))
        except BudgetExceeded:
            return 0
        return 1

    def bulk(n: int) -> int:
        requests = [HoldRequest(f"bulk_{n}_{k}", owner.pk, 40, "llm") for k in range(2)]
        return sum(place_holds(requests))

    def free() -> int:
        release_holds(["old"], "cancelled")
        return 0

    def lower() -> int:
        set_budget(project.public_id, budget_micros=99, caller=who)
        return 0

    at_once([lambda: single(0), lambda: bulk(0), free, lambda: single(1), lambda: bulk(1), lower])

    assert Project.objects.get().committed_micros in (40, 80)
    alerts = list(BudgetAlert.objects.values_list("budget_no", "threshold_ppm"))
    assert len(set(alerts)) == len(alerts)
    assert broken() == []


def test_credit_is_lowered_while_it_is_spent_and_one_of_them_wins() -> None:
    owner, actor = OrganizationFactory.create(), member(operator())
    set_credit_line(owner.pk, amount_micros=100, reason="trust", actor=actor)

    def spend() -> str:
        try:
            place_hold(HoldRequest("bid_1", owner.pk, 80))
        except InsufficientFunds:
            return ""
        return "spent"

    def lower() -> str:
        try:
            set_credit_line(owner.pk, amount_micros=50, reason="less", actor=actor)
        except CreditInUse:
            return ""
        return "lowered"

    assert len([each for each in at_once([spend, lower]) if each]) == 1
    assert broken() == []


def test_bids_race_for_the_rest_of_a_position_limit_and_one_gets_it() -> None:
    scene, who = market(), buyer()
    set_position_limit(
        Organization.objects.get(pk=who.organization_id),
        lot_minutes_max=12 * 60_000,
        cost_micros_max=None,
        reason="new here",
        actor=member(operator()),
    )

    def bid() -> bool:
        try:
            place_bid(bid_body(scene.auction), caller=who)
        except PositionLimitExceeded:
            return False
        return True

    assert at_once([bid] * 4).count(True) == 1


def test_collateral_is_held_and_drawn_once_by_workers_at_once() -> None:
    provider = OrganizationFactory.create()
    put_in(provider, 100_000_000)
    set_collateral_rate(provider.pk, rate_ppm=500_000, reason="new", actor=member(operator()))
    a_delivery(provider=provider)
    now = play_at(TEN + 3 * HOUR)
    at_once([lambda: move_collateral(now)] * 3)
    assert money_of(provider).debits_pending == 5_000_000
    settle_due(now)
    at_once([lambda: move_collateral(now)] * 3)
    assert balance(provider, AccountKind.PAYABLE) == 0
    assert Hold.objects.get(key__startswith="collateral/").captured_micros == 5_000_000
    assert broken() == []
