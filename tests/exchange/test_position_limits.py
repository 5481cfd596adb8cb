"""Position limits: how much an organization may bid for in one auction."""

from typing import Any

import pytest

from accounts.models import AuditRow, Caller, Organization
from accounts.services.organizations import ReasonMissing
from exchange.models import Bid
from exchange.services.bids import cancel_bid, place_bid
from exchange.services.bulk_bids import BulkRefused, place_bids
from exchange.services.position_limits import PositionLimitExceeded, set_position_limit
from settlement.services.deposits import NotAnOperator
from settlement.services.projects import open_project
from tests.exchange.markets import Market, bid_body, block_body, buyer, market, standing_body
from tests.factories import member, operator

pytestmark = pytest.mark.django_db
HOUR_LOTS = 60_000


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def who() -> Caller:
    return buyer()


def limit(who: Caller, *, hours: int | None = None, micros: int | None = None) -> Any:
    return set_position_limit(
        Organization.objects.get(pk=who.organization_id),
        lot_minutes_max=None if hours is None else hours * HOUR_LOTS,
        cost_micros_max=micros,
        reason="new here",
        actor=member(operator()),
    )


def test_a_bid_beyond_the_hours_is_refused_and_a_cancelled_one_makes_room(
    scene: Market, who: Caller
) -> None:
    row = limit(who, hours=16)
    first = place_bid(bid_body(scene.auction), caller=who)
    place_bid(bid_body(scene.auction), caller=who)
    with pytest.raises(PositionLimitExceeded, match=r"24.000000 accelerator-hours"):
        place_bid(bid_body(scene.auction), caller=who)
    cancel_bid(first.public_id, caller=who)
    place_bid(bid_body(scene.auction), caller=who)
    assert Bid.objects.live().count() == 2
    assert "new here" in AuditRow.objects.about(row).get().reason


def test_money_at_risk_is_bounded_too(scene: Market, who: Caller) -> None:
    card = place_bid(bid_body(scene.auction), caller=who)
    limit(who, micros=card.terms.greatest_cost_micros * 2)
    place_bid(bid_body(scene.auction), caller=who)
    with pytest.raises(PositionLimitExceeded, match="money"):
        place_bid(bid_body(scene.auction, limit_price="0.100"), caller=who)


def test_factors_count_as_accelerators(scene: Market, who: Caller) -> None:
    limit(who, hours=24)
    many = [{"accelerator": "h100", "factor": "1"}, {"accelerator": "ascend", "factor": "3"}]
    place_bid(bid_body(scene.auction, accelerators=many), caller=who)
    with pytest.raises(PositionLimitExceeded):
        place_bid(bid_body(scene.auction, quantity="0.001"), caller=who)


def test_alternatives_count_once_and_standing_bids_in_every_auction(
    scene: Market, who: Caller
) -> None:
    limit(who, hours=12)
    for _ in range(3):
        place_bid(block_body(scene.auction, group="job"), caller=who)
    place_bid(standing_body(scene.auction), caller=who)
    with pytest.raises(PositionLimitExceeded):
        place_bid(block_body(scene.auction, quantity="1"), caller=who)


def test_others_are_not_bound(scene: Market, who: Caller) -> None:
    limit(who, hours=0)
    with pytest.raises(PositionLimitExceeded):
        place_bid(bid_body(scene.auction), caller=who)
    place_bid(bid_body(scene.auction), caller=buyer())


def test_a_bulk_is_filled_up_to_the_limit_and_budgets(scene: Market, who: Caller) -> None:
    limit(who, hours=24)
    cost = place_bid(bid_body(scene.auction), caller=who).terms.greatest_cost_micros
    open_project("llm", budget_micros=cost, caller=who)
    bodies = [
        bid_body(scene.auction, project="llm"),
        bid_body(scene.auction, project="typo"),
        block_body(scene.auction, project="llm", quantity="1"),
        bid_body(scene.auction),
    ]
    answers = place_bids(bodies, caller=who, atomic=False)
    names = [type(answer).__name__ for answer in answers]
    assert names == ["BidCard", "UnknownProject", "BudgetExceeded", "PositionLimitExceeded"]
    with pytest.raises(BulkRefused) as refused:
        place_bids(bodies[1:], caller=who, atomic=True)
    assert [error["code"] for error in refused.value.errors] == [
        "project_unknown",
        "budget_exceeded",
        "position_limit",
    ]


def test_only_an_operator_sets_one_with_a_reason(who: Caller) -> None:
    organization = Organization.objects.get(pk=who.organization_id)
    for actor, refusal in ((who, NotAnOperator), (member(operator()), ReasonMissing)):
        with pytest.raises(refusal):
            set_position_limit(
                organization, lot_minutes_max=1, cost_micros_max=None, reason=" ", actor=actor
            )
