"""The control room's pages: for operators and auditors alone, alive, and truthful."""

import io
import zipfile
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from exchange.foundation.market_time import mark_as_play, market_now
from exchange.models import Auction, MarketFreeze, Measure
from exchange.services.freezes import freeze_market
from settlement.models import AuditResult
from settlement.services.auditing import audit_and_record
from tests.accounts.endpoints import an_endpoint
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import auditor, caller, operator, portal
from tests.portal.desks import offer_form

pytestmark = pytest.mark.django_db
PAGES = ["/control/", "/control/network/", "/control/alarms/"]
ASK = "/control/measures/ask/halt/"


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


@pytest.fixture
def desk(scene: Market) -> Client:
    return portal(operator())


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_stands_before_the_market_begins_and_shows_itself_again(
    desk: Client, address: str
) -> None:
    page = page_of(desk, address)
    assert f'hx-get="{address}"' in page
    assert 'hx-trigger="every 15s"' in page
    assert portal(auditor()).get(address).status_code == 200
    assert portal().get(address).status_code == 403


def test_the_menu_leads_operators_there_and_nobody_else(desk: Client) -> None:
    assert 'href="/control/"' in page_of(desk, "/")
    assert 'href="/control/"' not in page_of(portal(), "/")


def test_regions_shares_and_power_show_what_was_cleared(scene: Market, desk: Client) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)

    board = page_of(desk, "/control/?hours=168")
    assert "Beijing" in board
    assert "renewable share below policy" in board
    assert '<option value="168" selected>' in board
    assert "1.68" in page_of(desk, "/control/network/")  # kW of two H100 at a PUE of 1.2


@pytest.mark.parametrize("hours", ["x", "-1", "99999999999", "3", ""])
def test_a_window_that_is_not_offered_is_the_usual_one(desk: Client, hours: str) -> None:
    assert '<option value="24" selected>' in page_of(desk, f"/control/?hours={hours}")


def test_alarms_name_what_is_wrong(scene: Market, desk: Client) -> None:
    assert "Every auction is where it should be." in page_of(desk, "/control/alarms/")
    Auction.objects.update(alarm_code="audit_failed", alarm_detail="no <b>", alarm_at=market_now())
    endpoint, _ = an_endpoint()
    type(endpoint).objects.update(failures=3, failing_since=market_now() - HOUR)

    page = page_of(desk, "/control/alarms/")

    assert "audit_failed" in page
    assert "no &lt;b&gt;" in page
    assert endpoint.public_id in page


def test_alarms_show_the_last_audit(desk: Client) -> None:
    assert "No audit has run yet" in page_of(desk, "/control/alarms/")
    audit_and_record()
    AuditResult.objects.filter(pk=AuditResult.objects.latest("pk").pk).update(
        broken_count=3, first=["account 7"], broken_since=market_now()
    )
    page = page_of(desk, "/control/alarms/")
    assert "account 7" in page
    assert page.count(">broken<") == 1


def test_an_operator_halts_and_another_resumes_with_reasons(scene: Market) -> None:
    one, other = portal(operator()), portal(operator())
    form = {"halt-scope": "region beijing", "halt-reason": "a flood"}
    assert "another operator" in one.post(ASK, form, follow=True).content.decode().lower()
    measure = Measure.objects.get()
    assert "a flood" in page_of(other, "/control/measures/")
    assert "formaction" in page_of(other, "/control/measures/")

    approve = f"/control/measures/{measure.public_id}/approve/"
    refused = one.post(approve, {"reason": "me"}, follow=True).content.decode()
    assert "Another person has to approve" in refused
    other.post(approve, {"reason": ""})
    assert not MarketFreeze.objects.exists()
    assert "It is done." in other.post(approve, {"reason": "seen"}, follow=True).content.decode()
    halt = MarketFreeze.objects.get()

    for address in ("/", "/market/", "/control/"):
        page = page_of(other, address)
        assert "Halted: Beijing" in page, address
        assert "a flood" in page, address

    other.post(f"/control/halts/{halt.pk}/resume/", {"reason": "it is over"})
    back = Measure.objects.latest("pk")
    one.post(f"/control/measures/{back.public_id}/approve/", {"reason": "yes"})
    assert "Halted: Beijing" not in page_of(other, "/market/")
    assert page_of(other, "/control/measures/").count("approved") == 2


def test_limits_are_asked_for_on_forms_that_say_what_is_wrong(scene: Market, desk: Client) -> None:
    cap = "/control/measures/ask/price-cap/"
    fields = {"price-cap-series": "day-ahead", "price-cap-reason": "calm"}
    wrong = desk.post(cap, fields | {"price-cap-cap": "much"})
    assert wrong.status_code == 422
    assert "plain decimal number" in wrong.content.decode()
    assert desk.post(cap, fields | {"price-cap-cap": "12.5"}).status_code == 302
    buying = buyer().organization_public_id
    limit = {"organization": buying, "hours": "10", "amount": "", "reason": "new here"}
    fields = {f"position-limit-{name}": value for name, value in limit.items()}
    desk.post("/control/measures/ask/position-limit/", fields)
    kinds = Measure.objects.values_list("kind", "price_cap_ticks", "lot_minutes_max")
    assert set(kinds) == {("price_cap", 12_500, None), ("position_limit", None, 600_000)}
    assert desk.post("/control/measures/ask/nothing/", fields).status_code == 404
    assert "10 accelerator-hours" in " ".join(page_of(desk, "/control/measures/").split())


def test_who_may_not_act_sees_no_forms(scene: Market) -> None:
    desk = portal(operator())
    desk.post(ASK, {"halt-scope": "market", "halt-reason": "a drill"})
    measure = Measure.objects.get()
    for client in (portal(auditor()), portal(operator(), role="viewer")):
        page = page_of(client, "/control/measures/")
        assert "a drill" in page
        assert "formaction" not in page
        assert client.post(ASK, {"halt-scope": "market", "halt-reason": "x"}).status_code == 403
    approver = portal(operator(), role="approver")
    approve = f"/control/measures/{measure.public_id}/approve/"
    approver.post(approve, {"reason": "yes"})
    assert MarketFreeze.objects.get().scope == "market"
    assert "The market is halted" in page_of(Client(), "/market/")


def test_a_bid_that_a_halt_refuses_says_why_on_its_form(scene: Market) -> None:
    freeze_market(reason="a flood", actor=caller(operator()))
    page = portal(scene.provider).post("/offers/new/", offer_form()).content.decode()
    assert "The market is halted" in page
    assert "a flood" in page


def test_an_auditor_checks_a_certificate_again_and_takes_the_book_home(
    scene: Market, tmp_path: Path
) -> None:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    desk, where = portal(auditor()), f"/control/auctions/{scene.auction.public_id}/"
    assert f'href="{where}"' in page_of(desk, f"/market/auctions/{scene.auction.public_id}/")
    assert "The archive keeps every promise" not in page_of(desk, where)
    assert "The archive keeps every promise" in desk.post(where).content.decode()

    answer = desk.get(f"{where}book.zip")
    packed = io.BytesIO(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "home")
    call_command("check_book", tmp_path / "home" / "book", tmp_path / "home" / "result")

    (prices,) = _archived_prices(tmp_path)
    prices.write_text(prices.read_text().replace("2.000", "1.000"))
    assert "Something does not hold" in desk.post(where).content.decode()


def _archived_prices(root: Path) -> list[Path]:
    """Return the archived prices, not those that were taken home."""
    return [
        path
        for path in root.glob("**/prices.csv")
        if "home" not in path.parts and "certificate" not in path.parts
    ]
