"""What is free, offered, contracted and down, hour by hour; and maintenance."""

import re

import pytest

from exchange.models import MaintenanceWindow
from tests.factories import OrganizationFactory, portal
from tests.portal.desks import Desk, desk, form_time, hour_ahead, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Desk:
    return desk()


def row_of(page: str, name: str) -> list[str]:
    """Return the figures of one row of the first board, an hour each."""
    row = page.partition(f'<th scope="row">{name}</th>')[2].partition("</tr>")[0]
    return re.findall(r"([0-9][0-9.,]*)</(?:strong|td)>", row)


def day_page(at: Desk, day: str) -> str:
    answer = at.client.get("/capacity/", {"site": "bj-1", "day": day})
    assert answer.status_code == 200
    return answer.content.decode()


def window_form(**changes: str) -> dict[str, str]:
    plain = {
        "site": "bj-1",
        "accelerator": "",
        "quantity": "",
        "starts_at": form_time(hour_ahead(24)),
        "ends_at": form_time(hour_ahead(26)),
        "reason": "new cooling",
    }
    return plain | changes


def test_a_day_of_the_market_has_its_hours(at: Desk) -> None:
    page = day_page(at, "2026-12-01")
    assert row_of(page, "Free") == ["100"] * 24
    assert '<time class="instant" datetime="2026-11-30T16:00:00+00:00"' in page


def test_what_is_offered_is_no_longer_free(at: Desk) -> None:
    offer = offer_of(at.caller, quantity="30")
    assert offer.terms is not None
    page = day_page(at, form_time(offer.terms.starts_at)[:10])
    first = int(form_time(offer.terms.starts_at)[11:13])
    assert row_of(page, "Offered")[first] == "30"
    assert row_of(page, "Free")[first] == "70"


def test_without_a_question_it_shows_today_at_the_first_site(at: Desk) -> None:
    assert "bj-1 · h100" in at.client.get("/capacity/").content.decode()


@pytest.mark.parametrize("query", ["day=yesterday", "day=0001-01-01", "day=9999-12-31", "site=x"])
def test_a_question_that_makes_no_sense_is_answered_by_the_form(at: Desk, query: str) -> None:
    answer = at.client.get(f"/capacity/?{query}")
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode()


def test_a_stranger_sees_no_site_of_ours(at: Desk) -> None:
    page = portal(OrganizationFactory.create()).get("/capacity/?site=bj-1").content.decode()
    assert "h100" not in page


def test_announced_maintenance_is_down_and_not_free(at: Desk) -> None:
    answer = at.client.post("/maintenance/new/", window_form(accelerator="h100", quantity="40"))
    assert answer.status_code == 302
    assert "new cooling" in at.client.get("/maintenance/").content.decode()
    day, hour = form_time(hour_ahead(24)).split("T")
    page = day_page(at, day)
    assert row_of(page, "Down")[int(hour[:2])] == "40"
    assert row_of(page, "Free")[int(hour[:2])] == "60"


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("site", "", "This field is required."),
        ("reason", "", "This field is required."),
        ("quantity", "5", "A value is needed here."),
        ("ends_at", "2001-01-01T00:00", "It ends before it starts."),
    ],
)
def test_a_window_with_a_fault_is_not_announced(
    at: Desk, field: str, wrong: str, said: str
) -> None:
    answer = at.client.post("/maintenance/new/", window_form(**{field: wrong}))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not MaintenanceWindow.objects.exists()


def test_a_window_is_cancelled_once(at: Desk) -> None:
    at.client.post("/maintenance/new/", window_form())
    window = MaintenanceWindow.objects.get()
    address = f"/maintenance/{window.public_id}/cancel/"
    assert at.client.get(address).status_code == 405
    assert portal(OrganizationFactory.create()).post(address).status_code == 404
    assert "cancelled" in at.client.post(address, follow=True).content.decode()
    again = at.client.post(address, follow=True).content.decode()
    assert "There is no such window to cancel" in again
