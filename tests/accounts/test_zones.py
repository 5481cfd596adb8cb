"""Readers see times by their own clock with the market's beside it, and write them so in forms."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from accounts.web.showing import market_month, market_time
from accounts.web.zones import instant_words, reader_zones, two_clocks
from exchange.models import Offer
from tests.factories import PASSWORD, MembershipFactory, OrganizationFactory
from tests.portal.desks import HOUR, desk, hour_ahead, offer_form, offer_of, publish

NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)  # in Shanghai
BERLIN = ZoneInfo("Europe/Berlin")


def read_from(zone: str, at: datetime) -> tuple[tuple[str, str], str, str]:
    """Return an instant on both clocks, in words and as it is shown, for a reader in a zone."""
    shown: list[tuple[tuple[str, str], str, str]] = []

    def page(request: object) -> object:
        shown.append((two_clocks(at), instant_words(at), str(market_time(at))))
        return None

    request = RequestFactory().get("/")
    request.COOKIES["zone"] = zone
    reader_zones(page)(request)
    return shown[0]


@pytest.mark.parametrize(
    ("zone", "own", "market"),
    [
        ("Europe/Berlin", "2026-01-05 05:00", "12:00"),
        ("America/New_York", "2026-01-04 23:00", "2026-01-05 12:00"),
        ("Asia/Kolkata", "2026-01-05 09:30", "12:00"),
        ("UTC", "2026-01-05 04:00", "12:00"),
        ("Asia/Shanghai", "2026-01-05 12:00", ""),
        ("Asia/Taipei", "2026-01-05 12:00", ""),  # another zone, the same clock
        ("market", "2026-01-05 12:00", ""),
        ("Middle/Earth", "2026-01-05 12:00", ""),
        ("../../etc/passwd", "2026-01-05 12:00", ""),
        ("", "2026-01-05 12:00", ""),
    ],
)
def test_an_instant_is_shown_on_both_clocks_where_they_differ(
    zone: str, own: str, market: str
) -> None:
    clocks, words, shown = read_from(zone, NOON)
    assert clocks == (own, market)
    assert words == (f"{own} (market {market})" if market else own)
    assert 'datetime="2026-01-05T04:00:00+00:00"' in shown
    assert (f"{own}<small>{market} market</small>" if market else f"{own}</time>") in shown


def test_outside_of_a_page_the_clock_is_the_markets() -> None:
    read_from("Europe/Berlin", NOON)
    assert two_clocks(NOON) == ("2026-01-05 12:00", "")


def test_a_month_is_the_markets_whoever_reads() -> None:
    assert market_month(datetime(2025, 12, 31, 16, tzinfo=UTC)) == "2026-01"


@pytest.mark.django_db
def test_a_page_says_whose_clock_it_goes_by() -> None:
    client = Client()
    assert "Times are those of the market: Asia/Shanghai" in client.get("/").content.decode()
    client.cookies["zone"] = "Europe/Berlin"
    page = client.get("/").content.decode()
    assert "Times are yours: Europe/Berlin (UTC+0" in page
    assert "beside them the market&#x27;s: Asia/Shanghai (UTC+08:00)." in page


@pytest.mark.django_db
def test_a_form_takes_and_shows_times_of_the_readers_clock() -> None:
    at = desk()
    at.client.cookies["zone"] = "Europe/Berlin"
    first, end = hour_ahead(24), hour_ahead(30)
    times = {
        name: moment.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")
        for name, moment in (("starts_at", first), ("ends_at", end))
    }
    assert at.client.post("/offers/new/", offer_form(**times)).status_code == 302
    offer = Offer.objects.with_terms().get()
    assert offer.terms is not None
    assert (offer.terms.starts_at, offer.terms.ends_at) == (first, end)
    form = at.client.get(f"/offers/{offer.public_id}/edit/").content.decode()
    assert f'value="{times["starts_at"]}"' in form
    assert "Times are yours: Europe/Berlin" in form


@pytest.mark.django_db
def test_a_page_of_the_market_is_kept_for_each_zone_apart() -> None:
    at = desk()
    offer_of(at.caller)
    auction = publish(at)
    visitor = Client()
    market = visitor.get("/market/").content.decode()
    visitor.cookies["zone"] = "Europe/Berlin"
    berlin = visitor.get("/market/").content.decode()
    own = auction.starts_at.astimezone(BERLIN)
    shown = (auction.starts_at + 8 * HOUR).strftime("%H:%M")
    assert f">{shown}</time>" in market
    assert f">{own:%H:%M}<small>{shown} market</small></time>" in berlin


@pytest.mark.django_db
def test_a_choice_goes_back_to_the_page_and_is_kept_by_the_browser() -> None:
    client = Client()
    answer = client.post("/time-zone", {"zone": "Europe/Berlin", "next": "/market/map/?x=1"})
    assert answer["Location"] == "/market/map/?x=1"
    assert client.cookies["zone"].value == "Europe/Berlin"
    form = client.get("/time-zone").content.decode()
    assert '<option value="Europe/Berlin" selected>' in form
    assert client.post("/time-zone", {"zone": "Middle/Earth"}).status_code == 422
    away = client.post("/time-zone", {"zone": "UTC", "next": "https://elsewhere.example/"})
    assert away["Location"] == "/"


@pytest.mark.django_db
def test_a_members_choice_comes_back_wherever_they_sign_in() -> None:
    user = MembershipFactory.create(organization=OrganizationFactory.create()).user
    there, here = Client(), Client()
    there.force_login(user)
    there.post("/time-zone", {"zone": "America/New_York"})
    assert User.objects.get(pk=user.pk).time_zone == "America/New_York"
    here.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert here.cookies["zone"].value == "America/New_York"
