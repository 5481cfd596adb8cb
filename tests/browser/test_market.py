"""A visitor at the open market: every page is readable, drawn, and changes as things happen."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import expect

from exchange.foundation.market_time import mark_as_play, market_now
from exchange.models import Auction, Bid
from tests.browser.conftest import SCREENSHOTS, OpenPage
from tests.browser.rooms import sign_in
from tests.browser.test_looks import look
from tests.exchange.markets import HOUR, auction_of, bid_body, block_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(settings: LazySettings, tmp_path: Path) -> Auction:
    """An auction in which two bids were filled at a price and one was not."""
    settings.ARCHIVE_DIR = tmp_path
    settings.BOOK_DELAY_MINUTES = 0
    mark_as_play()
    scene = market()
    offer_of(scene, quantity=3, ticks=1_500)
    offer_of(scene, quantity=5, ticks=2_000)
    bid(bid_body(scene.auction, quantity="4"), buyer())
    bid(block_body(scene.auction, quantity="2", limit_price="2.500"), buyer())
    bid(bid_body(scene.auction, quantity="4", limit_price="0.500"), buyer())
    hold_through(scene.auction)
    return Auction.objects.get(pk=scene.auction.pk)


def pages_of(auction: Auction) -> dict[str, str]:
    return {
        "market-front": "/",
        "market-prices": "/market/",
        "market-curves": "/market/curves/",
        "market-map": "/market/map/",
        "market-map-hour": "/market/map/?period=1",
        "market-index": "/market/index/",
        "market-models": "/market/models/",
        "market-model": "/market/models/qwen-72b/",
        "market-auctions": "/market/auctions/",
        "market-certificate": f"/market/auctions/{auction.public_id}/",
    }


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_market_is_fit_to_be_read(
    published: Auction,
    open_page: OpenPage,
    phone: bool,  # noqa: FBT001
    language: str,
) -> None:
    page = open_page(phone=phone, language=language)
    faults = look(page, pages_of(published), f"{'phone' if phone else 'desk'}-{language}")
    assert not faults, "\n".join(faults)


def test_the_market_is_as_readable_in_the_dark_and_before_it_begins(
    published: Auction, open_page: OpenPage
) -> None:
    page = open_page()
    page.emulate_media(color_scheme="dark")
    faults = look(page, pages_of(published), "desk-dark")
    Auction.objects.update(state="cleared")
    empty = {f"{name}-empty": at for name, at in pages_of(published).items() if "cert" not in name}
    faults += look(page, empty, "desk-dark")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_buyers_desk_is_fit_to_be_read(
    published: Auction,
    open_page: OpenPage,
    phone: bool,  # noqa: FBT001
    language: str,
) -> None:
    lost = Bid.objects.get(limit_ticks=500)
    who = MembershipFactory.create(organization=lost.organization).user
    page = open_page(phone=phone, language=language)
    sign_in(page, who, to="/bids/")
    view = f"{'phone' if phone else 'desk'}-{language}"
    pages = {"bids": "/bids/", "bid": f"/bids/{lost.public_id}/", "bid-new": "/bids/new/"}
    faults = look(page, pages | {"bids-none": "/bids/?state=standing"}, view)
    assert not faults, "\n".join(faults)


def test_a_job_is_previewed_and_placed_without_scripts(
    published: Auction, open_page: OpenPage
) -> None:
    who = MembershipFactory.create(organization=Bid.objects.earliest("pk").organization).user
    later = auction_of(published.series, closes_at=market_now() + HOUR)
    page = open_page(scripts=False)
    sign_in(page, who, to="/bids/new/")
    page.select_option("select[name=auction]", later.public_id)
    page.select_option("select[name=accelerator]", "h100")
    page.fill("input[name=most]", "9")
    page.click("main button:text-is('Preview')")
    expect(page.locator("section[aria-labelledby=body]")).to_contain_text('"limit_price": "9.000"')
    expect(page.locator("section[aria-labelledby=preview]")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "bid-preview-desk-en.png", full_page=True)
    page.click("main button:text-is('Place this bid')")
    expect(page.locator("#messages")).to_contain_text("The bid is placed.")
    page.click("main button:text-is('Cancel this bid')")
    expect(page.locator("h1")).to_contain_text("cancelled")


@pytest.mark.parametrize("address", ["/market/", "/market/curves/", "/market/index/"])
def test_a_chart_is_drawn_from_its_table(
    published: Auction, open_page: OpenPage, address: str
) -> None:
    page = open_page()
    page.goto(address)
    expect(page.locator("figure.chart.drawn canvas").first).to_be_visible()


def test_prices_are_read_and_chosen_without_scripts(
    published: Auction, open_page: OpenPage
) -> None:
    page = open_page(scripts=False)
    page.goto("/market/")
    expect(page.locator("#heat-table td").first).to_contain_text(".")
    page.goto("/market/curves/")
    page.select_option("select[name=period]", "2")
    page.click("text=Show")
    assert "period=2" in page.url
    expect(page.locator("#curves-table tbody tr")).not_to_have_count(0)
    expect(page.locator("figure.chart")).to_be_hidden()
