"""Every page in both languages, at desk and phone width, light and dark: readable by everybody."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Caller
from accounts.services.webhook_courier import visit
from accounts.services.webhook_endpoints import send_test
from settlement.models import Statement, Transfer
from settlement.services.access_notes import read_note, write_note
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.accounts.endpoints import an_endpoint
from tests.browser.conftest import SCREENSHOTS, OpenPage
from tests.browser.rooms import Room, confirm_password, room, sign_in
from tests.browser.validity import html_faults
from tests.factories import member
from tests.portal.desks import form_time
from tests.settlement.deliveries import HOUR, TEN, Delivery, a_delivery, an_event, play_at

pytestmark = pytest.mark.django_db(transaction=True)

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
AXE_RUN = """async () => (await axe.run({
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
})).violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3)])"""
GRAVE = ("serious", "critical")
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOR_VISITORS = {
    "front": "/",
    "login": "/accounts/login/",
    "apply": "/apply",
    "time-zone": "/time-zone",
    "invitation-gone": "/invitations/nothing",
    "password-reset": "/accounts/password/reset/",
    "not-found": "/nowhere/",
}
FOR_PROVIDERS = {
    "desk": "/desk/",
    "offers-calendar": "/offers/calendar/",
    "disputes": "/disputes/",
    "offers": "/offers/",
    "offers-none": "/offers/?state=expired",
    "offer-new": "/offers/new/",
    "offer-upload": "/offers/upload/",
    "maintenance": "/maintenance/",
    "maintenance-new": "/maintenance/new/",
    "contracts": "/contracts/",
    "statements": "/statements/",
    "money": "/money/",
    "keys": "/organization/keys",
    "key-new": "/organization/keys/new",
    "webhooks": "/organization/webhooks",
    "webhook-new": "/organization/webhooks/new",
    "equipment": "/equipment/",
    "notices": "/notices",
    "members": "/organization/members",
    "organization": "/organization",
    "password-change": "/accounts/password/change/",
    "two-factor": "/accounts/2fa/",
    "logout": "/accounts/logout/",
}
CHANGES_ACCOUNT = "/accounts/2fa/totp/activate/"


@cache
def axe() -> str:
    assert AXE.exists(), "axe-core is brought by: make node_modules/.installed"
    return AXE.read_text()


def faults_of(page: Page, name: str) -> Iterator[str]:
    """Yield what is wrong with the page that is shown: axe's grave findings, and overflow."""
    page.evaluate(axe())
    findings: list[list[Any]] = page.evaluate(AXE_RUN)
    for impact, rule, nodes in findings:
        if impact in GRAVE:
            yield f"{name}: {impact} {rule} {nodes}"
    if (wider := page.evaluate(WIDER)) > 0:
        yield f"{name}: {wider} pixels wider than the window"


def look(page: Page, pages: dict[str, str], view: str) -> list[str]:
    """Walk through pages, keep a picture of each, and return what is wrong with them."""
    SCREENSHOTS.mkdir(exist_ok=True)
    found: list[str] = []
    sent: dict[str, str] = {}
    for name, address in pages.items():
        answer = page.goto(address)
        assert answer is not None, address
        sent[f"{name}-{view}"] = answer.text()
        page.screenshot(path=SCREENSHOTS / f"{name}-{view}.png", full_page=True)
        found += faults_of(page, f"{name}-{view}")
    return found + list(html_faults(sent))


def look_inside(page: Page, at: Room, pages: dict[str, str], view: str) -> list[str]:
    """Walk through the pages of a member, and those that ask for the password again."""
    sign_in(page, at.user)
    found = look(page, pages | {"password-again": CHANGES_ACCOUNT}, view)
    confirm_password(page)
    return found + look(page, {"totp": CHANGES_ACCOUNT}, view)


def settled_room() -> tuple[Room, dict[str, str]]:
    """Return a room whose provider has delivered an hour, and its pages."""
    at = room()
    offer = at.desk.market.provider.offers.with_terms().earliest("pk")
    assert offer.terms is not None
    day = form_time(offer.terms.starts_at).partition("T")[0]
    delivery = a_delivery(provider=at.desk.market.provider)
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    settle_due(now)
    statement = Statement.objects.get(organization=at.desk.market.provider)
    transfer = Transfer.objects.filter(credit__owner=at.desk.market.provider).latest("event_at")
    return at, FOR_PROVIDERS | {
        "capacity": f"/capacity/?site=bj-1&day={day}",
        "offer": f"/offers/{offer.public_id}/",
        "offer-edit": f"/offers/{offer.public_id}/edit/",
        "offer-withdraw": f"/offers/{offer.public_id}/withdraw/",
        "contract": f"/contracts/{delivery.contract.public_id}/",
        "statement": f"/statements/{statement.public_id}/",
        **told_pages(at.desk.caller),
        **handed_over_pages(delivery, at.desk.caller),
        "hour": f"/contracts/{delivery.contract.public_id}/hours/20260105T100000Z/",
        "transfer": f"/transfers/{transfer.pk}/",
    }


def told_pages(owner: Caller) -> dict[str, str]:
    """Return the pages of an endpoint that was told once, and did not hear."""
    endpoint, _ = an_endpoint("https://127.0.0.1/hook", owner=owner)
    delivery = send_test(endpoint, actor=owner)
    visit(endpoint.pk)
    return {
        "webhook": f"/organization/webhooks/{endpoint.public_id}",
        "webhook-edit": f"/organization/webhooks/{endpoint.public_id}/edit",
        "webhook-delivery": f"/organization/webhook-deliveries/{delivery.public_id}",
    }


def handed_over_pages(delivery: Delivery, provider: Caller) -> dict[str, str]:
    """Return the page of a contract whose note was written and read."""
    write_note(delivery.contract, "ssh gpu-7.example", actor=provider)
    read_note(delivery.contract, actor=member(delivery.buyer))
    return {"handover": f"/contracts/{delivery.contract.public_id}/handover/"}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_page_is_fit_to_be_read(open_page: OpenPage, phone: bool, language: str) -> None:  # noqa: FBT001
    at, pages = settled_room()
    page = open_page(phone=phone, language=language)
    view = f"{'phone' if phone else 'desk'}-{language}"
    faults = look(page, FOR_VISITORS, view)
    faults += look_inside(page, at, pages, view)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_dark_is_as_readable(open_page: OpenPage, phone: bool) -> None:  # noqa: FBT001
    at, pages = settled_room()
    page = open_page(phone=phone)
    page.emulate_media(color_scheme="dark")
    view = f"{'phone' if phone else 'desk'}-dark"
    faults = look(page, FOR_VISITORS, view)
    faults += look_inside(page, at, pages, view)
    assert not faults, "\n".join(faults)


def test_the_validator_sees_what_is_no_html() -> None:
    page = "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body>{}</body></html>"
    pages = {"good": page.format("<p>fine</p>"), "bad": page.format("<ul><p>stray</p></ul>")}
    assert [fault.partition(",")[0] for fault in html_faults(pages)] == ["bad"]


@pytest.mark.parametrize("address", ["/api/docs", "/admin/login/"])
def test_pages_of_libraries_keep_the_security_policy_too(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1, h2").first).to_be_visible()
