"""An operator in the control room: every board is readable, by everybody, on any screen."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import expect

from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Accelerator, Link, PowerBudget, Route, Site
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.accounts.endpoints import an_endpoint
from tests.browser.conftest import OpenPage
from tests.browser.rooms import sign_in
from tests.browser.test_looks import look
from tests.exchange.markets import (
    HOUR,
    Market,
    auction_of,
    bid_body,
    buyer,
    capacity_of,
    market,
    region_of,
)
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import MembershipFactory, auditor, operator
from tests.settlement.deliveries import TEN, a_delivery, a_period, an_event

pytestmark = pytest.mark.django_db(transaction=True)
ASCEND = [{"accelerator": "ascend", "factor": "1"}]
PAGES = {
    "control": "/control/?hours=168",
    "control-network": "/control/network/",
    "control-alarms": "/control/alarms/",
}


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    """A published auction, an hour that was delivered, and one whose meter is late."""
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    place = market()
    link = Link.objects.create(
        code="bj-gz",
        origin=region_of("beijing"),
        region=region_of("guizhou"),
        gbps_micros=4_000_000,
        source="a test",
    )
    Route.objects.filter(code="beijing-guizhou").update(links=[link.code])
    PowerBudget.objects.create(
        region=region_of("beijing"), kw_micros=2_000_000, starts_at=TEN - HOUR
    )
    far = Site.objects.create(
        code="gz-1",
        name="Guizhou 1",
        provider=place.provider,
        region=region_of("guizhou"),
        pue_micros=1_100_000,
        renewable_micros=900_000,
    )
    capacity_of(far, Accelerator.objects.get(code="ascend"))
    offer_of(place)
    offer_of(place, chip="ascend", site=far)
    bid(bid_body(place.auction), buyer())
    bid(bid_body(place.auction, gbps="1.5", accelerators=ASCEND), buyer())
    hold_through(place.auction)
    start = place.auction.starts_at
    hours = [
        replace(a_period(0), starts_at=start + n * HOUR, ends_at=start + (n + 1) * HOUR)
        for n in range(9)
    ]
    delivery = a_delivery(periods=hours, region_code="beijing")
    set_market_time(start + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, starts=start, energy_mj_total=700 * 3_600_000)])
    settle_due(start + 3 * HOUR)
    ahead = {"starts_at": start + 9 * HOUR, "ends_at": start + 13 * HOUR}
    auction_of(place.series, closes_at=start + 8 * HOUR, alarm_code="audit_failed", **ahead)
    endpoint, _ = an_endpoint()
    type(endpoint).objects.update(failures=3, failing_since=start)
    return place


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_control_room_is_fit_to_be_read(
    scene: Market,
    open_page: OpenPage,
    phone: bool,  # noqa: FBT001
    language: str,
) -> None:
    page = open_page(phone=phone, language=language)
    sign_in(page, MembershipFactory.create(organization=operator()).user, to="/control/")
    faults = look(page, PAGES, f"{'phone' if phone else 'desk'}-{language}")
    page.emulate_media(color_scheme="dark")
    faults += look(page, PAGES, f"{'phone' if phone else 'desk'}-{language}-dark")
    assert not faults, "\n".join(faults)


def test_the_boards_are_read_and_chosen_without_scripts(scene: Market, open_page: OpenPage) -> None:
    page = open_page(scripts=False)
    sign_in(page, MembershipFactory.create(organization=operator()).user, to="/control/")
    page.select_option("select[name=hours]", "720")
    page.click("main button:text-is('Show')")
    assert "hours=720" in page.url
    expect(page.locator("h2#delivery")).to_be_visible()


def test_an_operator_halts_and_another_lets_go_while_a_visitor_looks(
    scene: Market, open_page: OpenPage
) -> None:
    one, other, visitor = open_page(), open_page(phone=True), open_page(scripts=False)
    for page in (one, other):
        who = MembershipFactory.create(organization=operator()).user
        sign_in(page, who, to="/control/measures/")
    one.select_option("select[name=halt-scope]", "region beijing")
    one.fill("input[name=halt-reason]", "a flood")
    one.click("main button:text-is('Ask for a halt')")
    expect(one.locator("#messages")).to_contain_text("Another operator has to approve it now.")
    expect(one.locator("main button:text-is('Approve')")).to_have_count(0)

    other.reload()
    other.fill("section[aria-labelledby=waiting] input[name=reason]", "seen")
    other.click("main button:text-is('Approve')")
    expect(other.locator("#messages")).to_contain_text("It is done.")
    visitor.goto("/market/")
    expect(visitor.locator(".halt")).to_contain_text("Halted: Beijing")
    expect(visitor.locator(".halt")).to_contain_text("a flood")
    pages = {"control-measures": "/control/measures/", "market-halted": "/market/"}
    faults = look(one, pages, "desk-en") + look(other, pages, "phone-en")

    other.goto("/control/measures/")
    other.fill("section[aria-labelledby^=halt-] input[name=reason]", "it is over")
    other.click("main button:text-is('Ask to resume')")
    one.goto("/control/measures/")
    one.fill("section[aria-labelledby=waiting] input[name=reason]", "yes")
    one.click("main button:text-is('Approve')")
    visitor.reload()
    expect(visitor.locator(".halt")).to_have_count(0)
    assert not faults, "\n".join(faults)


def test_an_auditor_checks_a_certificate_again(scene: Market, open_page: OpenPage) -> None:
    page = open_page(language="zh-hans")
    where = f"/control/auctions/{scene.auction.public_id}/"
    sign_in(page, MembershipFactory.create(organization=auditor()).user, to=where)
    with page.expect_download() as downloaded:
        page.click("main a.btn")
    assert downloaded.value.suggested_filename == f"{scene.auction.public_id}.zip"
    page.click("main button[type=submit]")
    expect(page.locator("#outcome + p")).to_be_visible()
    expect(page.locator("section[role=status] li")).to_have_count(0)
    faults = look(page, {"control-check": where}, "desk-zh-hans")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("zh-hans", True)])
def test_an_operator_follows_a_finding_into_a_case_file(
    scene: Market,
    open_page: OpenPage,
    language: str,
    phone: bool,  # noqa: FBT001
) -> None:
    page = open_page(language=language, phone=phone)
    watch = "/control/watch/"
    sign_in(page, MembershipFactory.create(organization=operator()).user, to=watch)
    page.goto(f"{watch}board/concentration/")
    page.click("tbody tr:last-child th a")
    finding = page.url
    page.fill("#id_reason", "one seller alone")
    page.click("section[aria-labelledby=open] button")
    expect(page.locator("#evidence")).to_be_visible()
    page.fill("section[aria-labelledby=note] textarea", "asked the seller")
    page.click("section[aria-labelledby=note] button")
    expect(page.locator("section[aria-labelledby=history]")).to_contain_text("asked the seller")
    boards = ("concentration", "pivotal", "pivotal-accelerators", "related", "withheld", "spike")
    pages = {f"watch-{name}": f"{watch}board/{name}/" for name in boards}
    pages |= {"watch": watch, "watch-finding": finding, "watch-case": page.url}
    pages |= {"watch-cases": f"{watch}cases/", "watch-relations": f"{watch}relations/"}
    faults = look(page, pages, f"{'phone' if phone else 'desk'}-{language}")
    page.emulate_media(color_scheme="dark")
    faults += look(page, pages, f"{'phone' if phone else 'desk'}-{language}-dark")
    assert not faults, "\n".join(faults)
