"""A visitor reads the live market while an auction closes, is cleared, and is published."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from exchange.foundation.market_time import mark_as_play
from exchange.services.clearing import clear_auction
from exchange.services.freezes import freeze_market, lift_freeze
from exchange.services.publishing import publish_auction
from tests.browser.conftest import OpenPage
from tests.exchange.markets import HOUR, Market, auction_of, bid_body, buyer, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import caller, operator
from tests.portal.serving import web_process

pytestmark = pytest.mark.django_db(transaction=True)
IN_DEED_MS = 15_000  # within this a reader has seen what happened
LOAD_MS = 30_000  # the first page of all, on a busy machine


@pytest.fixture
def address(settings: LazySettings, tmp_path: Path) -> Iterator[str]:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    with web_process() as port:
        yield f"http://127.0.0.1:{port}"


def next_auction(scene: Market) -> Market:
    """Return the market with an auction a day later that takes orders."""
    later = auction_of(scene.series, closes_at=scene.auction.closes_at + HOUR)
    return Market(series=scene.series, auction=later, site=scene.site, provider=scene.provider)


def sell_at(scene: Market, ticks: int) -> None:
    """Let one bid buy all that one offer has, so that the offer's price is the market's."""
    offer_of(scene, quantity=8, ticks=ticks)
    bid(bid_body(scene.auction, quantity="4", limit_price="9.000"), buyer())


def arrive(page: Page, address: str) -> None:
    """Open the market and wait until it is told live."""
    page.goto(address, timeout=LOAD_MS)
    expect(page.locator("#live")).to_have_class(re.compile("connected"))


def test_a_visitor_sees_the_new_prices_as_they_are_published_without_asking(
    address: str, open_page: OpenPage
) -> None:
    first = market()
    sell_at(first, 1_500)
    hold_through(first.auction)
    second = next_auction(first)
    page = open_page()
    arrive(page, f"{address}/market/")
    page.evaluate("window.stayed = true")
    expect(page.locator("#heat-table")).to_contain_text("1.500")
    expect(page.locator("#live .countdown")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))

    sell_at(second, 2_250)
    close(second.auction)
    expect(page.locator("[data-news]")).to_contain_text("its gate has closed", timeout=IN_DEED_MS)
    assert clear_auction(second.auction.pk)
    expect(page.locator("[data-news]")).to_contain_text("cleared", timeout=IN_DEED_MS)
    expect(page.locator("#heat-table")).not_to_contain_text("2.250")
    assert publish_auction(second.auction.pk)
    expect(page.locator("[data-news]")).to_contain_text(
        "new prices are published", timeout=IN_DEED_MS
    )
    expect(page.locator("#heat-table")).to_contain_text("2.250", timeout=IN_DEED_MS)
    expect(page.locator("figure.chart.drawn canvas").first).to_be_visible()
    assert page.evaluate("window.stayed"), "the page was never loaded again"


def test_a_visitor_who_looks_at_an_old_auction_is_told_and_left_with_it(
    address: str, open_page: OpenPage
) -> None:
    first = market()
    sell_at(first, 1_500)
    hold_through(first.auction)
    second = next_auction(first)
    page = open_page()
    arrive(page, f"{address}/market/?auction={first.auction.public_id}")
    sell_at(second, 2_250)
    hold_through(second.auction)
    expect(page.locator("[data-news]")).to_contain_text(
        "new prices are published", timeout=IN_DEED_MS
    )
    page.wait_for_timeout(3_000)  # a live page would have been renewed by now
    expect(page.locator("#heat-table")).to_contain_text("1.500")


def test_a_visitor_reads_in_chinese_that_the_market_is_halted_and_that_it_goes_on(
    address: str, open_page: OpenPage
) -> None:
    market()
    page = open_page(language="zh-hans", phone=True)
    arrive(page, f"{address}/market/index/")
    who = caller(operator())
    freeze_market(reason="a fault in the backbone", actor=who)
    expect(page.locator("[data-news]")).to_contain_text(
        "a fault in the backbone", timeout=IN_DEED_MS
    )
    lift_freeze(reason="mended", actor=who)
    expect(page.locator("[data-news]")).to_contain_text("市场恢复", timeout=IN_DEED_MS)
