"""A buyer and a provider follow one kilowatt-hour and one yuan through the portal, both ways."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Organization
from settlement.services.statements import finalize_due
from tests.browser.conftest import OpenPage
from tests.browser.rooms import sign_in
from tests.factories import MembershipFactory
from tests.settlement.deliveries import Delivery, play_at
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db(transaction=True)
METERED = 1_800_000_000  # millijoules: half a kilowatt-hour, 0.6 with the site's PUE


def from_reading_to_transfer(page: Page, delivery: Delivery, organization: Organization) -> None:
    """Contract, hour with its reading, line of the statement, transfer."""
    name = statement_of(organization).name
    page.goto(f"/contracts/{delivery.contract.public_id}/")
    page.click("section[aria-labelledby=hours] tbody a")
    expect(page.locator("section[aria-labelledby=readings]")).to_contain_text("0.5")
    expect(page.locator("section[aria-labelledby=run-1]")).to_contain_text("0.6 kWh")
    page.click(f"a:has-text('{name}, Line 1')")
    expect(page).to_have_url(re.compile(r"\?line=1#line-1$"))
    line = page.locator("#line-1")
    expect(line).to_contain_text("0.6")
    expect(line).to_contain_text("7.50")
    line.locator("a:has-text('7.5')").click()
    expect(page.locator("h1")).to_have_text("Transfer")


def from_transfer_to_reading(page: Page, delivery: Delivery, organization: Organization) -> None:
    """Money, transfer, line of the statement, hour with its reading, contract."""
    name = statement_of(organization).name
    page.goto("/money/")
    rows = page.locator("section[aria-labelledby=transfers] tbody tr")
    rows.filter(has_text="delivered hours").first.locator("th a").click()
    page.locator(f"a:has-text('{name}, Line 1')").first.click()
    page.locator("#line-1 td[data-label=Hour] a").click()
    expect(page.locator("section[aria-labelledby=readings]")).to_contain_text(
        delivery.device.public_id
    )
    page.click(".page-title-row a:has-text('Contract')")
    expect(page.locator("p.code")).to_have_text(delivery.contract.public_id)


@pytest.mark.parametrize("side", ["buyer", "provider"])
def test_a_kilowatt_hour_and_a_yuan_are_followed_both_ways(open_page: OpenPage, side: str) -> None:
    delivery = settled(energy_mj_total=METERED)
    finalize_due(play_at(FEBRUARY))
    organization: Organization = getattr(delivery, side)
    page = open_page()
    sign_in(page, MembershipFactory.create(organization=organization).user, to="/contracts/")

    from_reading_to_transfer(page, delivery, organization)
    from_transfer_to_reading(page, delivery, organization)
