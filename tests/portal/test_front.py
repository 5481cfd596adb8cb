"""What a visitor finds, and the switches that need no sign-in."""

import pytest
from django.test import Client

from exchange.models import Auction
from exchange.queries.indices import latest_board, region_indices
from tests.portal.desks import desk, offer_of, publish

pytestmark = pytest.mark.django_db


def test_a_visitor_reads_the_front_page(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "No auction has been published yet." in answer.content.decode()


def test_the_front_page_is_for_reading_only(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_the_front_page_speaks_chinese_when_asked(client: Client) -> None:
    chosen = client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})
    assert chosen.status_code == 302
    page = client.get("/").content.decode()
    assert '<html lang="zh-hans"' in page
    assert "算力交易所" in page


def test_a_theme_is_remembered(client: Client) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": "/accounts/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert 'data-bs-theme="dark"' in client.get("/").content.decode()


@pytest.mark.parametrize("theme", ["", "purple", '"><script>'])
def test_an_unknown_theme_changes_nothing(client: Client, theme: str) -> None:
    answer = client.post("/theme/", {"theme": theme})
    assert answer.status_code == 302
    assert "theme" not in answer.cookies


@pytest.mark.parametrize("after", ["https://example.org/", "//example.org", "javascript:alert(1)"])
def test_the_switch_of_colours_leads_to_no_other_site(client: Client, after: str) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": after})
    assert answer["Location"] == "/"


def test_the_switch_of_colours_is_a_form(client: Client) -> None:
    assert client.get("/theme/").status_code == 405


def test_a_page_that_is_not_there_says_so_in_our_look(client: Client) -> None:
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def published() -> Auction:
    """Publish an auction in which three h100 traded in each of four hours and ascend did not."""
    at = desk()
    offer_of(at.caller)
    return publish(at)


def test_an_index_is_the_price_of_what_traded_else_the_lowest_that_was_asked() -> None:
    ascend, h100 = region_indices(published())
    assert (ascend.accelerator, ascend.index_ticks, ascend.least_ticks) == ("ascend", None, 4_000)
    assert (h100.index_ticks, h100.least_ticks, h100.most_ticks) == (2_650, 2_500, 2_800)
    assert h100.lot_periods == 12_000


def test_a_visitor_reads_the_prices_that_were_published_last(client: Client) -> None:
    published()
    page = client.get("/").content.decode()
    assert "2.650" in page
    assert "(4.000)" in page


def test_what_is_cleared_but_not_published_stays_sealed(client: Client) -> None:
    auction = published()
    Auction.objects.filter(pk=auction.pk).update(state="cleared")
    assert latest_board() is None
    assert "2.650" not in client.get("/").content.decode()
