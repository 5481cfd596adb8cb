"""A provider's fortnight in a real browser: from a file of offers to the statement's PDF."""

from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.totp.internal import auth
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import User
from exchange.foundation.market_time import mark_as_play
from exchange.models import Offer
from settlement.models import Contract, Party, Statement
from settlement.services.metering import enroll_meter, ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.browser.conftest import OpenPage
from tests.browser.rooms import code_now, sign_in
from tests.exchange.markets import Market, at, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through
from tests.factories import MembershipFactory
from tests.portal.desks import csv_of
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    Delivery,
    a_device,
    an_event,
    play_at,
)

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def sign_in_with_totp(page: Page, user: User) -> None:
    """Give the password, and the code that the person's app shows at this moment."""
    auth.TOTP.activate(user, SECRET)
    sign_in(page, user, to="/desk/")
    expect(page.locator("h1")).to_have_text("Two-Factor Authentication")
    page.fill("input[name=code]", code_now(SECRET))
    page.click("main button:has-text('Sign In')")
    expect(page.locator("h1")).to_have_text("Today at a glance")


def upload_offers(page: Page, scene: Market, path: Path) -> None:
    """Upload two offers of the auction's four hours."""
    hours = {"starts_at": at(scene.auction, 0), "ends_at": at(scene.auction, 4)}
    plain = {"site": "bj-1", "accelerator": "h100", "quantity": "10", **hours}
    rows = (plain | {"price": "2.000", "label": label} for label in ("spare", "reserve"))
    path.write_bytes(csv_of(*rows))
    page.goto("/offers/upload/")
    page.set_input_files("input[name=file]", path)
    page.click("main button[type=submit]")
    expect(page.locator("#messages")).to_contain_text("2 offers are listed.")


def edit_offer(page: Page, label: str, price: str) -> None:
    """Raise an offer's price; the check beside the form answers before it is sent."""
    page.click(f"a:text-is('{label}')")
    page.click("main a:text-is('Edit')")
    page.fill("input[name=price]", price)
    expect(page.locator("#check")).to_contain_text("It could be listed as it is.")
    page.click("text=Save as a new version")
    expect(page.locator("#messages")).to_contain_text("A new version is in force.")


def deliver(contract: Contract, *, share: float) -> None:
    """Deliver a share of the contract's first hour, and settle it."""
    starts = contract.starts_at
    meter, token = enroll_meter(
        contract.provider, party=Party.PROVIDER, site_code="bj-1", now=starts - HOUR
    )
    period = contract.periods.earliest("starts_at")
    device = a_device(contract, "rack 1", lots=period.quantity_lots)
    delivery = Delivery(contract.buyer, contract.provider, contract, meter, device, token)
    play_at(starts + HOUR + 5 * MINUTE)
    total = int(share * period.quantity_lots * HOUR_MS) // 1_000
    (answer,) = ingest(meter, [an_event(delivery, starts=starts, total=total)])
    assert answer.status == "accepted", answer
    settle_due(play_at(starts + 2 * HOUR + MINUTE))


def open_dispute(page: Page) -> None:
    """Object to the first hour that was settled."""
    page.click("section[aria-labelledby=hours] a:text-is('dispute')")
    page.fill("input[name=claimed]", "2")
    page.fill("input[name=reason]", "the meter lost its clock")
    page.click("main button[type=submit]")
    expect(page.locator("#messages")).to_contain_text("The dispute is open.")
    page.goto("/desk/")
    page.locator("section[aria-labelledby=waits] a:has-text('Dispute')").click()
    expect(page.locator("h1")).to_contain_text("Dispute")


def download_statement(page: Page, statement: Statement) -> tuple[str, bytes]:
    """Return the statement's lines as a file, and the PDF that the browser opens."""
    page.goto("/statements/")
    page.click(f"a[href='/statements/{statement.public_id}/']")
    with page.expect_download() as download:
        page.click("main a:text-is('CSV')")
    pdf = page.get_attribute("main a:text-is('PDF')", "href") or ""
    return Path(download.value.path()).read_text(), page.request.get(pdf).body()


def test_a_provider_sells_falls_short_disputes_and_takes_its_statement(
    scene: Market, open_page: OpenPage, tmp_path: Path
) -> None:
    lin = MembershipFactory.create(organization=scene.provider, user__name="Lin").user
    page = open_page()
    sign_in_with_totp(page, lin)
    upload_offers(page, scene, tmp_path / "offers.csv")
    edit_offer(page, "reserve", "2.750")

    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    page.goto("/offers/")
    page.click("a:text-is('spare')")
    expect(page.locator("section[aria-labelledby=sold] tbody tr")).to_have_count(4)
    assert {row.label for row in Offer.objects.filter(fills__isnull=False)} == {"spare"}

    contract = Contract.objects.get(provider=scene.provider)
    deliver(contract, share=0.75)
    page.goto("/contracts/")
    page.click(f"a:text-is('{contract.public_id}')")
    shown = page.locator("section[aria-labelledby=came-to]")
    expect(shown.locator("div:has(> dt:text-is('Shortfall')) dd")).to_have_text("0.5")
    open_dispute(page)

    finalize_due(play_at(contract.starts_at + timedelta(days=62)))
    statement = Statement.objects.filter(organization=scene.provider).earliest("starts_at")
    lines, pdf = download_statement(page, statement)
    assert "earning" in lines
    assert pdf.startswith(b"%PDF-")
