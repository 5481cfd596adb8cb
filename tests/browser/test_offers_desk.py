"""A provider's morning: a file is mended and imported, one offer edited, one withdrawn."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exchange.models import Offer
from tests.browser.conftest import OpenPage
from tests.browser.rooms import room, sign_in
from tests.portal.desks import csv_of, form_time, hour_ahead, offer_body

pytestmark = pytest.mark.django_db(transaction=True)


def upload(page: Page, path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    page.set_input_files("input[name=file]", path)
    page.click("main button[type=submit]")


def test_a_file_is_mended_imported_and_its_offers_edited_and_withdrawn(
    open_page: OpenPage, tmp_path: Path
) -> None:
    lin = room().user
    page, path = open_page(), tmp_path / "offers.csv"
    sign_in(page, lin)
    page.click("text=Upload CSV")
    upload(page, path, csv_of(offer_body(label="first"), offer_body(label="second", price="x")))
    report = page.locator("#report ~ p, section[aria-labelledby=report]").first
    expect(report).to_contain_text("1 fault was found. Nothing was imported.")
    fault = page.locator("section[aria-labelledby=report] tbody tr")
    expect(fault).to_contain_text("3")
    expect(fault).to_contain_text("price_malformed")

    upload(page, path, csv_of(offer_body(label="first"), offer_body(label="second")))
    expect(page.locator("#messages")).to_contain_text("2 offers are listed.")

    page.click("a:text-is('first')")
    page.click("main a:text-is('Edit')")
    page.fill("input[name=price]", "3.750")
    page.click("text=Save as a new version")
    expect(page.locator("#messages")).to_contain_text("A new version is in force.")
    expect(page.locator("section[aria-labelledby=versions] tbody tr")).to_have_count(2)

    page.goto("/offers/")
    page.click("a:text-is('second')")
    page.click("main a:text-is('Withdraw')")
    page.fill("input[name=reason]", "sold elsewhere")
    page.click("main button:text-is('Withdraw')")
    expect(page.locator("h1")).to_contain_text("withdrawn")

    states = dict(Offer.objects.filter(label__in=["first", "second"]).values_list("label", "state"))
    assert states == {"first": "active", "second": "withdrawn"}


def test_a_filter_answers_at_once_where_scripts_run(open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, room().user)
    page.select_option("select[name=state]", "paused")
    expect(page.locator("#offers")).to_contain_text("No offers here.")
    assert "state=paused" in page.url


def test_an_offer_is_listed_and_prices_are_read_without_scripts(open_page: OpenPage) -> None:
    at = room()
    page = open_page(scripts=False)
    page.goto("/")
    expect(page.locator("table.prices")).to_contain_text("2.650")
    sign_in(page, at.user)
    page.click("text=New offer")
    page.select_option("select[name=site]", "bj-1")
    page.select_option("select[name=accelerator]", "h100")
    page.fill("input[name=starts_at]", form_time(hour_ahead(24)))
    page.fill("input[name=ends_at]", form_time(hour_ahead(30)))
    page.fill("input[name=quantity]", "2")
    page.fill("input[name=price]", "1.999")
    page.fill("input[name=label]", "by hand")
    page.click("text=List this offer")
    expect(page.locator("#offers")).to_contain_text("by hand")
    assert Offer.objects.filter(label="by hand", state="active").exists()
