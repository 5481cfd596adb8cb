"""A provider's day at a glance, its calendar of offers, its devices' health and its disputes."""

import re
from datetime import timedelta

import pytest

from settlement.services.disputes import open_dispute
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.factories import OrganizationFactory, caller, portal
from tests.portal.desks import Desk, desk, form_time, hour_ahead, offer_of
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    play_at,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Desk:
    return desk()


@pytest.fixture
def short() -> Delivery:
    """A contract over two hours of which the first was settled with three quarters delivered."""
    delivery = a_delivery(hours=2)
    play_at(TEN + HOUR + 10 * MINUTE)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS * 3 // 4)])
    settle_due(play_at(TEN + 3 * HOUR))
    return delivery


def page_of(delivery: Delivery, address: str) -> str:
    answer = portal(delivery.provider).get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def figures_of(page: str) -> dict[str, str]:
    """Return the figures at the top by their names."""
    return dict(re.findall(r"<dt>([^<]+)</dt> <dd ?(?:class=\"short\")?> ([^<]+?) </dd>", page))


def test_the_day_adds_up_what_is_contracted_delivered_short_and_earned(short: Delivery) -> None:
    figures = figures_of(page_of(short, "/desk/"))
    assert figures["Contracted"] == "2"
    assert figures["Delivered"] == "0.75"
    assert figures["Shortfall"] == "0.25"
    # 10.00 an hour: 7.50, less 2 % fee, less half of the price of what is missing beyond 2 %
    assert figures["Earned, CNY"].startswith("6.")


def test_another_day_has_its_own_figures(short: Delivery) -> None:
    page = page_of(short, "/desk/?day=2026-01-04")
    figures = figures_of(page)
    assert figures["Contracted"] == figures["Delivered"] == "0"
    assert "Nothing is on sale or contracted on this day." in page
    assert 'value="2026-01-05"' in page_of(short, "/desk/?day=2026-01-05")


@pytest.mark.parametrize("day", ["tomorrow", "1066-10-14", "9999-12-31"])
def test_a_day_that_is_none_shows_today(short: Delivery, day: str) -> None:
    assert figures_of(page_of(short, f"/desk/?day={day}"))["Contracted"] == "2"


def test_what_is_on_sale_is_counted_in_hours_of_the_day(at: Desk) -> None:
    offer = offer_of(at.caller, quantity="10")
    assert offer.terms is not None
    days = [form_time(offer.terms.starts_at + more)[:10] for more in (timedelta(0), 23 * HOUR)]
    pages = [at.client.get(f"/desk/?day={day}").content.decode() for day in sorted(set(days))]
    shown = [figures_of(re.sub(r"\s+", " ", page))["On sale"] for page in pages]
    assert sum(int(each) for each in shown) == 240


def test_the_next_gate_is_counted_down_to_without_scripts(at: Desk) -> None:
    page = at.client.get("/desk/").content.decode()
    assert at.market.series.name in page
    assert re.search(r'class="countdown" data-until="[^"]+">(\d+ d )?\d\d:\d\d:\d\d<', page)


def test_an_open_dispute_is_named(short: Delivery) -> None:
    now = play_at(TEN + 3 * HOUR)
    short.period.refresh_from_db()
    owner = caller(short.provider)
    open_dispute(
        short.period, claimed_ms=HOUR_MS, reason="the meter stood still", now=now, actor=owner
    )
    dispute = short.period.disputes.get()
    assert f"/disputes/{dispute.public_id}/" in page_of(short, "/desk/")
    assert f"/disputes/{dispute.public_id}/" in page_of(short, "/disputes/")
    stranger = portal(OrganizationFactory.create())
    assert "No disputes." in stranger.get("/disputes/").content.decode()


def test_a_device_that_serves_and_is_not_heard_of_is_silent() -> None:
    delivery = a_delivery(hours=4)
    play_at(TEN + 2 * HOUR)
    assert "1 device serves a contract and is not heard of" in page_of(delivery, "/desk/")
    page = page_of(delivery, "/equipment/")
    assert ">silent</span>" in page
    assert delivery.contract.public_id in page


def test_a_device_that_is_read_reports_with_how_late_and_what_is_missing() -> None:
    delivery = a_delivery(hours=4)
    play_at(TEN + HOUR + 5 * MINUTE + timedelta(seconds=3))
    ingest(delivery.meter, [an_event(delivery, seq=3)])
    page = page_of(delivery, "/equipment/")
    assert "Every device that serves a contract reports" in page_of(delivery, "/desk/")
    assert ">reporting</span>" in page
    assert re.search(r"came 00:05:0\d later", page)
    assert re.search(r'data-label="Missing">2<', page)
    assert re.search(r'data-label="Conflicts">0<', page)


def test_a_reading_that_came_again_with_other_content_is_counted_as_a_conflict() -> None:
    delivery = a_delivery(hours=4)
    play_at(TEN + HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS - 1)])
    assert re.search(r'data-label="Conflicts">1<', page_of(delivery, "/equipment/"))


def test_a_device_without_a_contract_is_idle() -> None:
    delivery = a_delivery()
    play_at(TEN - HOUR)
    assert ">idle</span>" in page_of(delivery, "/equipment/")


def test_the_calendar_offers_what_is_free_hour_by_hour(at: Desk) -> None:
    offer = offer_of(at.caller, quantity="30")
    assert offer.terms is not None
    first = form_time(offer.terms.starts_at)
    page = at.client.get(f"/offers/calendar/?day={first[:10]}").content.decode()
    assert "30 / 0" in page
    link = f"starts_at={first.replace(':', '%3A')}"
    (address,) = re.findall(rf'href="(/offers/new/\?[^"]*{re.escape(link)}[^"]*)"', page)
    form = at.client.get(address.replace("&amp;", "&")).content.decode()
    assert f'value="{first}"' in form
    assert 'value="70.000"' in form
    assert '<option value="bj-1" selected' in form


def test_hours_that_began_are_shown_and_not_offered(at: Desk) -> None:
    day = form_time(hour_ahead(-24))[:10]
    page = at.client.get(f"/offers/calendar/?day={day}").content.decode()
    assert "bj-1" in page
    assert "/offers/new/?" not in page


def test_the_desk_is_the_providers_alone() -> None:
    buyer = portal(OrganizationFactory.create(provides=False))
    for address in ("/desk/", "/offers/calendar/"):
        assert buyer.get(address).status_code == 403
