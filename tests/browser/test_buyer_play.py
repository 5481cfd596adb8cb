"""A buyer's day in a real browser: a key, a bid of each kind, why one lost, and a resale."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import ApiKey, Organization
from exchange.foundation.market_time import mark_as_play
from exchange.models import Bid
from tests.browser.conftest import OpenPage
from tests.browser.rooms import sign_in
from tests.exchange.markets import Market, buyer, market
from tests.exchange.trading import hold_through, offer_of
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    """A market in which twelve h100 are on offer at 2.000 through four hours."""
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    found = market()
    offer_of(found, quantity=12)
    return found


def create_key(page: Page) -> str:
    """Create a key that may bid, and return it as the page shows it, once."""
    page.goto("/organization/keys/new")
    page.fill("input[name=name]", "the night's jobs")
    page.check("input[name=scopes][value='bids:write']")
    page.click("main button[type=submit]")
    key = page.locator("main .code, main input[readonly], main code").first
    expect(key).to_be_visible()
    return key.input_value() if key.evaluate("e => e.tagName") == "INPUT" else key.inner_text()


def place(page: Page, *, hours: str = "", auction: str = "", most: str = "3", **fields: str) -> str:
    """Fill in a job, look at its preview and its body, place it, and return its id."""
    page.goto("/bids/new/")
    if auction:
        page.select_option("select[name=auction]", auction)
    page.select_option("select[name=kind]", fields["kind"])
    page.select_option("select[name=accelerator]", "h100")
    page.select_option("select[name=origin]", "beijing")
    page.fill("input[name=hours]", hours)
    page.fill("input[name=most]", most)
    page.fill("input[name=label]", fields["label"])
    page.click("main button:text-is('Preview')")
    expect(page.locator("section[aria-labelledby=preview]")).to_be_visible()
    body = page.locator("section[aria-labelledby=body]")
    expect(body).to_contain_text(f'"kind": "{fields["kind"]}"')
    page.click("main button:text-is('Place this bid')")
    expect(page.locator("#messages")).to_contain_text("The bid is placed.")
    return page.url.strip("/").rpartition("/")[2]


def resell_a_contract(page: Page, to: Organization) -> str:
    """Offer the hours of the first contract to another organization; return the resale's id."""
    page.goto("/contracts/")
    page.locator("main tbody th a").first.click()
    page.click("text=Resell hours or offer them back")
    named = page.locator("section[aria-labelledby=named]")
    named.locator("input[name=buyer]").fill(to.public_id)
    named.locator("input[name=price]").fill("2.500")
    named.locator("button:text-is('Offer it')").click()
    expect(page.locator("#messages")).to_contain_text("The hours are on sale.")
    link = page.locator("section[aria-labelledby=resales] a[href^='/resales/']").first
    return (link.get_attribute("href") or "").strip("/").rpartition("/")[2]


def test_a_buyer_makes_a_key_bids_in_every_way_reads_why_one_lost_and_resells(
    scene: Market, open_page: OpenPage
) -> None:
    organization = Organization.objects.get(pk=buyer().organization_id)
    page = open_page()
    sign_in(page, MembershipFactory.create(organization=organization).user, to="/bids/")

    assert create_key(page).startswith("key_")
    assert ApiKey.objects.filter(organization=organization, name="the night's jobs").exists()

    names = {
        "hourly": place(page, kind="hourly", label="inference"),
        "block": place(page, kind="block", hours="2", label="training"),
        "volume": place(page, kind="volume", hours="3", label="batch"),
        "standing": place(page, kind="hourly", auction="standing", label="whenever"),
    }
    lost = place(page, kind="hourly", most="1.5", label="too little")
    page.goto("/bids/?state=standing")
    expect(page.locator("#bids tbody tr")).to_have_count(1)
    expect(page.locator("#bids")).to_contain_text("whenever")

    hold_through(scene.auction)
    states = dict(Bid.objects.values_list("public_id", "state"))
    assert {kind: states[name] for kind, name in names.items()} == dict.fromkeys(names, "filled")
    page.goto("/bids/")
    page.click("a:text-is('too little')")
    story = page.locator("section[aria-labelledby=story]")
    expect(story).to_contain_text("Everything that it accepts cost more than its limit.")
    page.click("a[href^='/bids/new/'][href*='most=2.001']")
    expect(page.locator("input[name=most]")).to_have_value("2.001")
    assert states[lost] == "unfilled"

    other = Organization.objects.get(pk=buyer().organization_id)
    resale = resell_a_contract(page, other)
    theirs = open_page()
    who = MembershipFactory.create(organization=other).user
    sign_in(theirs, who, to=f"/resales/{resale}/")
    theirs.click("main button:text-is('Buy these hours')")
    expect(theirs.locator("#messages")).to_contain_text("The hours are yours.")
