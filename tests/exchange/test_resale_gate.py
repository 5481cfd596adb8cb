"""What is resold from hand to hand keeps the market's halts and position limits."""

from datetime import timedelta

import pytest

from accounts.models import Organization
from exchange.foundation.market_time import market_now
from exchange.models import MarketFreeze
from exchange.services.position_limits import set_position_limit
from settlement.models import Hold, Resale
from settlement.services.resale_markets import MarketRefuses
from settlement.services.resales import accept_resale, open_resale
from tests.exchange.markets import chip
from tests.factories import member, operator
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import HOUR, MONEY, TEN, a_delivery, play_at

pytestmark = pytest.mark.django_db
TWO_FOR_THREE_HOURS = 2_000 * 180  # lots times minutes


@pytest.fixture
def new_buyer() -> Organization:
    organization = an_organization("New buyer")
    put_in(organization, MONEY)
    return organization


@pytest.fixture
def resale(new_buyer: Organization) -> Resale:
    """Two accelerators for three hours, offered to the new buyer an hour before."""
    delivery = a_delivery(hours=3, lots=2_000)
    play_at(TEN - HOUR)
    return open_resale(
        delivery.contract, actor=member(delivery.buyer), price_ticks=8_000, buyer=new_buyer
    )


@pytest.mark.parametrize("code", ["h100", None])
def test_nothing_is_bought_while_its_part_or_the_market_is_halted(
    resale: Resale, new_buyer: Organization, code: str | None
) -> None:
    halt = MarketFreeze.objects.create(
        accelerator=chip(code) if code else None,
        reason="a flaw",
        actor="operator",
        frozen_at=market_now(),
    )
    with pytest.raises(MarketRefuses, match="halted: a flaw"):
        accept_resale(resale, actor=member(new_buyer))
    resale.refresh_from_db()
    assert resale.state == "open"
    assert not Hold.objects.filter(key=resale.public_id).exists()
    halt.lifted_at = market_now() + timedelta(seconds=1)
    halt.save(update_fields=["lifted_at"])
    accept_resale(resale, actor=member(new_buyer))


def test_a_halt_of_something_else_holds_nothing_back(
    resale: Resale, new_buyer: Organization
) -> None:
    MarketFreeze.objects.create(
        accelerator=chip("mi300x"), reason="a flaw", actor="operator", frozen_at=market_now()
    )
    accept_resale(resale, actor=member(new_buyer))


@pytest.mark.parametrize(
    ("lot_minutes_max", "cost_micros_max"),
    [(TWO_FOR_THREE_HOURS - 1, None), (None, 48_000_000)],
)
def test_a_buyer_takes_no_more_than_its_position_limit_allows(
    resale: Resale,
    new_buyer: Organization,
    lot_minutes_max: int | None,
    cost_micros_max: int | None,
) -> None:
    def limit(hours: int | None, cost: int | None) -> None:
        set_position_limit(
            new_buyer,
            lot_minutes_max=hours,
            cost_micros_max=cost,
            reason="new here",
            actor=member(operator()),
        )

    limit(lot_minutes_max, cost_micros_max)
    with pytest.raises(MarketRefuses, match="the limit is"):
        accept_resale(resale, actor=member(new_buyer))
    limit(TWO_FOR_THREE_HOURS, 50_000_000)
    accept_resale(resale, actor=member(new_buyer))
