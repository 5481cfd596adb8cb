"""An offer's form says, before it is sent, what is wrong, what is free and what would have sold."""

import re

import pytest

from exchange.models import Accelerator, Offer, OfferVersion, SiteCapacity
from tests.portal.desks import Desk, desk, form_time, hour_ahead, offer_form, offer_of, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Desk:
    return desk()


def check(at: Desk, address: str = "/offers/new/", **changes: str) -> str:
    """Return the words of the check that scripts ask for while the form is filled in."""
    form = offer_form(**changes) | {"check": "yes"}
    answer = at.client.post(address, form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "<html" not in page
    return re.sub(r"\s+", " ", page)


def same_hours(**changes: str) -> dict[str, str]:
    """Return a form for the four hours of the day that the published auction sold."""
    return {"starts_at": form_time(hour_ahead(48)), "ends_at": form_time(hour_ahead(52))} | changes


def test_it_writes_nothing(at: Desk) -> None:
    assert "It could be listed as it is." in check(at)
    assert not Offer.objects.exists()


def test_it_says_what_is_free(at: Desk) -> None:
    offer_of(at.caller, quantity="30")
    assert "Free there through all of this time: 70 accelerators." in check(at)


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("ends_at", "2001-01-01T00:00", "It ends before it starts."),
        ("quantity", "101", "The site has less than that free"),
        ("price", "x", "Write a plain decimal number"),
    ],
)
def test_it_says_what_is_wrong(at: Desk, field: str, wrong: str, said: str) -> None:
    page = check(at, **{field: wrong})
    assert said in page
    assert "It could be listed" not in page


def test_without_scripts_a_button_shows_the_same_in_the_page(at: Desk) -> None:
    form = offer_form(label="kept words") | {"check": "yes"}
    page = at.client.post("/offers/new/", form).content.decode()
    assert "It could be listed as it is." in page
    assert 'value="kept words"' in page


def test_an_edit_is_checked_beside_what_others_promise(at: Desk) -> None:
    offer = offer_of(at.caller, quantity="60")
    offer_of(at.caller, quantity="30", label="another")
    address = f"/offers/{offer.public_id}/edit/"
    assert "70 accelerators" in check(at, address, version="1", quantity="70")
    assert "The site has less than that free" in check(at, address, version="1", quantity="71")
    assert OfferVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("2.499", "sold 100 % (4 of 4 hours)"),
        ("2.500", "sold 75 % (3 of 4 hours)"),
        ("2.650", "sold 50 % (2 of 4 hours)"),
        ("2.800", "sold 0 % (0 of 4 hours)"),
    ],
)
def test_it_estimates_from_the_prices_published_last(at: Desk, price: str, said: str) -> None:
    offer_of(at.caller)
    publish(at)
    assert said in check(at, **same_hours(price=price))


def test_it_says_what_these_hours_earned_and_which_price_sells_all(at: Desk) -> None:
    offer_of(at.caller)
    publish(at)
    page = check(at, **same_hours(price="2.650", quantity="2"))
    assert "before the fee: 11.00 CNY" in page  # two accelerators at 2.700 and at 2.800
    assert "Below 2.500 every hour would have sold." in page
    assert "In 1 more" not in page
    assert "In 1 more its price was just the market" in check(at, **same_hours(price="2.700"))


def test_hours_of_other_times_of_the_day_are_not_compared(at: Desk) -> None:
    offer_of(at.caller)
    publish(at)
    hours = {"starts_at": form_time(hour_ahead(50)), "ends_at": form_time(hour_ahead(60))}
    assert "(2 of 2 hours)" in check(at, price="1", **hours)
    hours = {"starts_at": form_time(hour_ahead(54)), "ends_at": form_time(hour_ahead(60))}
    assert "No auction has priced this accelerator" in check(at, price="1", **hours)


def test_a_price_at_which_nothing_traded_sells_nothing(at: Desk) -> None:
    SiteCapacity.objects.create(
        site=at.market.site,
        accelerator=Accelerator.objects.get(code="ascend"),
        starts_at=hour_ahead(0),
        quantity_lots=100_000,
    )
    offer_of(at.caller)
    publish(at)
    page = check(at, **same_hours(accelerator="ascend", price="1"))
    assert "sold 0 % (0 of 4 hours)" in page
    assert "Nothing of it traded in this region." in page
