"""A provider lists, edits, pauses and withdraws offers on the pages."""

import pytest
from django.test import Client

from exchange.models import MarketFreeze, Offer, OfferVersion
from exchange.services.offers import edit_offer
from tests.factories import OrganizationFactory, portal
from tests.portal.desks import Desk, desk, hour_ahead, offer_form, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> Desk:
    return desk()


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_it_lists_the_providers_own_offers_only(at: Desk) -> None:
    offer_of(at.caller, label="mine")
    stranger = portal(OrganizationFactory.create())
    assert "mine" in page_of(at.client, "/offers/")
    assert "mine" not in page_of(stranger, "/offers/")


def test_it_filters_by_state(at: Desk) -> None:
    offer_of(at.caller, label="running")
    assert "running" in page_of(at.client, "/offers/?state=active")
    assert "running" not in page_of(at.client, "/offers/?state=paused")


@pytest.mark.parametrize(
    "query", ["state=purple", "site=nowhere", "page=x", "page=-1", "page=9999"]
)
def test_a_filter_that_is_unknown_breaks_nothing(at: Desk, query: str) -> None:
    page_of(at.client, f"/offers/?{query}")


def test_a_long_list_has_pages_that_keep_the_filter(at: Desk) -> None:
    for number in range(26):
        offer_of(at.caller, quantity="1", label=f"offer {number}")
    first = page_of(at.client, "/offers/?state=active")
    assert "offer 25" in first
    assert ">offer 0<" not in first
    assert "state=active&amp;page=2" in first
    assert ">offer 0<" in page_of(at.client, "/offers/?state=active&page=2")


def test_an_offer_is_listed_from_the_form(at: Desk) -> None:
    answer = at.client.post("/offers/new/", offer_form(label="from the form"))
    assert answer.status_code == 302, answer.content.decode()
    offer = Offer.objects.with_terms().get()
    assert (offer.state, offer.label) == ("active", "from the form")
    assert offer.terms is not None
    assert (offer.terms.quantity_lots, offer.terms.price_ticks) == (10_000, 2_500)
    assert offer.terms.starts_at == hour_ahead(24)


def test_a_draft_is_kept_and_put_on_sale_later(at: Desk) -> None:
    at.client.post("/offers/new/", offer_form() | {"draft": "yes"})
    offer = Offer.objects.get()
    assert offer.state == "draft"
    at.client.post(f"/offers/{offer.public_id}/resume/")
    offer.refresh_from_db()
    assert offer.state == "active"


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("quantity", "1.0005", "Write a plain decimal number in steps of 0.001."),
        ("quantity", "0", "Must be at least 0.001."),
        ("quantity", "1e3", "Write a plain decimal number"),
        ("quantity", "101", "The site has less than that free"),
        ("price", "-1", "Must be at least 0.000."),
        ("price", "1000.001", "No auction sells at such a price."),
        ("site", "elsewhere", "Select a valid choice."),
        ("accelerator", "mystery", "Select a valid choice."),
        ("starts_at", "", "This field is required."),
        ("starts_at", "tomorrow", "Enter a valid date/time."),
        ("ends_at", "2001-01-01T00:00", "It ends before it starts."),
        ("starts_at", "2126-01-01T00:30", "Must be on the hour."),
        ("label", "x" * 65, "at most 64 characters"),
    ],
)
def test_a_form_with_a_fault_lists_nothing(at: Desk, field: str, wrong: str, said: str) -> None:
    answer = at.client.post("/offers/new/", offer_form(**{field: wrong}))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert 'aria-invalid="true"' in page
    assert not Offer.objects.exists()


def test_nothing_is_listed_while_the_market_is_halted(at: Desk) -> None:
    MarketFreeze.objects.create(reason="a test", actor="a test", frozen_at=hour_ahead(0))
    answer = at.client.post("/offers/new/", offer_form())
    assert answer.status_code == 422
    assert "The market is halted." in answer.content.decode()
    assert not Offer.objects.exists()


def test_an_edit_adds_a_version_and_the_page_shows_both(at: Desk) -> None:
    offer = offer_of(at.caller)
    form = at.client.get(f"/offers/{offer.public_id}/edit/")
    assert 'value="2.500"' in form.content.decode()
    changes = offer_form(price="3.125", version="1")
    assert at.client.post(f"/offers/{offer.public_id}/edit/", changes).status_code == 302
    assert OfferVersion.objects.filter(offer=offer).count() == 2
    page = page_of(at.client, f"/offers/{offer.public_id}/")
    assert "2.500" in page
    assert "3.125" in page


def test_an_edit_of_a_version_that_is_gone_is_refused(at: Desk) -> None:
    offer = offer_of(at.caller)
    edit_offer(offer.public_id, {"price": "9.000"}, version=1, caller=at.caller)
    answer = at.client.post(f"/offers/{offer.public_id}/edit/", offer_form(version="1"))
    assert answer.status_code == 422
    assert "Somebody edited this offer" in answer.content.decode()
    assert OfferVersion.objects.filter(offer=offer).count() == 2


def test_an_offer_is_paused_resumed_and_withdrawn_with_a_reason(at: Desk) -> None:
    offer = offer_of(at.caller)
    address = f"/offers/{offer.public_id}/"
    at.client.post(f"{address}pause/")
    assert "paused" in page_of(at.client, address)
    at.client.post(f"{address}resume/")
    assert at.client.post(f"{address}withdraw/", {"reason": ""}).status_code == 422
    assert at.client.post(f"{address}withdraw/", {"reason": "sold privately"}).status_code == 302
    assert "sold privately" in page_of(at.client, address)
    offer.refresh_from_db()
    assert offer.state == "withdrawn"


def test_a_withdrawn_offer_moves_no_more(at: Desk) -> None:
    offer = offer_of(at.caller)
    address = f"/offers/{offer.public_id}/"
    at.client.post(f"{address}withdraw/", {"reason": "sold privately"})
    page = at.client.post(f"{address}resume/", follow=True).content.decode()
    assert "In its present state the offer does not allow this." in page


@pytest.mark.parametrize("page", ["", "edit/", "withdraw/"])
def test_a_strangers_offer_is_not_there(at: Desk, page: str) -> None:
    offer = offer_of(at.caller)
    stranger = portal(OrganizationFactory.create())
    assert stranger.get(f"/offers/{offer.public_id}/{page}").status_code == 404


@pytest.mark.parametrize("move", ["pause", "resume", "withdraw", "edit"])
def test_a_stranger_moves_nothing(at: Desk, move: str) -> None:
    offer = offer_of(at.caller)
    stranger = portal(OrganizationFactory.create())
    answer = stranger.post(f"/offers/{offer.public_id}/{move}/", {"reason": "mischief"})
    assert answer.status_code == 404
    offer.refresh_from_db()
    assert offer.state == "active"


@pytest.mark.parametrize("move", ["pause", "resume"])
def test_a_move_is_a_post(at: Desk, move: str) -> None:
    offer = offer_of(at.caller)
    assert at.client.get(f"/offers/{offer.public_id}/{move}/").status_code == 405


@pytest.mark.parametrize("address", ["/offers/", "/offers/template.csv", "/offers/offers.csv"])
def test_what_is_read_is_not_posted_to(at: Desk, address: str) -> None:
    assert at.client.post(address).status_code == 405
