"""The control room's pages: for operators and auditors alone, alive, and truthful."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from exchange.foundation.market_time import mark_as_play, market_now
from exchange.models import Auction
from settlement.models import AuditResult
from settlement.services.auditing import audit_and_record
from tests.accounts.endpoints import an_endpoint
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import auditor, operator, portal

pytestmark = pytest.mark.django_db
PAGES = ["/control/", "/control/network/", "/control/alarms/"]


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
