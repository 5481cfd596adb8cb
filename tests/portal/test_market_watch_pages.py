"""The market watch's pages: from a finding to its trades, and from there to a case file."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, transaction
from django.test import Client

from accounts.models import AuditRow, Organization, OrganizationRelation
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import CaseEntry, WatchCase
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import OrganizationFactory, UserFactory, auditor, member, operator, portal

pytestmark = pytest.mark.django_db
WATCH = "/control/watch/"
BOARDS = ["concentration", "pivotal", "pivotal-accelerators", "related", "withheld", "spike"]


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


@pytest.fixture
def house() -> Organization:
    return operator()


@pytest.fixture
def desk(scene: Market, house: Organization) -> Client:
    """An operator's browser, in a market in which one seller sold eight accelerator-hours."""
    offer_of(scene)
    bid(bid_body(scene.auction), buyer(organization=OrganizationFactory.create(name="=Buyer")))
    hold_through(scene.auction)
    set_market_time(scene.auction.ends_at + HOUR)
    return portal(house)


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(answer.content.decode().split())


def finding(client: Client) -> str:
    """Return the query of the first finding about one region and one accelerator."""
    page = page_of(client, f"{WATCH}board/concentration/")
    links = [part.split('"')[0] for part in page.split(f'href="{WATCH}finding/')[1:]]
    (found,) = [link for link in links if "region" in link and "accelerator" in link]
    return found.replace("&amp;", "&")


def opened(client: Client, **form: str) -> WatchCase:
    address = f"{WATCH}finding/open/{finding(client)}"
    client.post(address, {"reason": "one seller alone"} | form)
    return WatchCase.objects.latest("pk")


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_stands_before_the_market_begins(scene: Market, board: str) -> None:
    for who in (operator(), auditor()):
        assert "How it is reckoned" in page_of(portal(who), f"{WATCH}board/{board}/")
    assert portal().get(f"{WATCH}board/{board}/").status_code == 403


def test_the_overview_counts_what_is_beyond_the_line(desk: Client) -> None:
    page = page_of(desk, WATCH)
    assert "Market watch" in page
    assert "Provider, Beijing" in page
    assert "No case." in page
    opened(desk)
    assert "one seller alone" in page_of(desk, WATCH)


def test_a_finding_leads_to_its_trades_and_their_files(desk: Client) -> None:
    query = finding(desk)
    page = page_of(desk, f"{WATCH}finding/{query}")
    assert "10,000" in page
    assert page.count("2.000</td>") >= 4

    text = desk.get(f"{WATCH}finding/trades.csv{query}").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["quantity"] for row in rows] == ["2.000"] * 4
    assert {row["buyer_name"] for row in rows} == {"'=Buyer"}  # no formula in a spreadsheet
    rows = desk.get(f"{WATCH}finding/trades.json{query}").json()
    assert [row["amount"] for row in rows] == ["4.000000"] * 4
    assert {row["buyer_name"] for row in rows} == {"=Buyer"}
    assert desk.get(f"{WATCH}finding/trades.xml{query}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "?kind=concentration",
            "?kind=nothing&since=2026-01-01T00:00Z&until=2026-01-02T00:00Z",
        ),
        "?kind=spike&since=2026-01-01T00:00Z&until=2026-03-01T00:00Z",
        "?kind=spike&since=2026-01-02T00:00Z&until=2026-01-01T00:00Z",
        "?kind=spike&since=2026-01-01T00:00&until=2026-01-02T00:00",
        "?kind=spike&since=2026-01-01T00:00Z&until=2026-01-02T00:00Z&region=nowhere",
    ],
)
def test_an_address_of_nothing_is_not_found(desk: Client, query: str) -> None:
    assert desk.get(f"{WATCH}finding/{query}").status_code == 404


@pytest.mark.parametrize("query", ["?days=x", "?days=2", "?last=no", "?last=9999-12-31", "?page=9"])
def test_a_span_that_is_not_offered_is_the_usual_one(desk: Client, query: str) -> None:
    assert '<option value="7" selected>' in page_of(desk, f"{WATCH}board/concentration/{query}")


def test_a_case_freezes_what_was_found_with_its_hash(desk: Client, scene: Market) -> None:
    case = opened(desk)
    assert case.evidence_sha256 == hashlib.sha256(case.evidence.encode()).hexdigest()
    assert json.loads(case.evidence)["figures"]["hhi_sold"] == 10_000
    page = page_of(desk, f"{WATCH}cases/{case.public_id}/")
    assert case.evidence_sha256 in page
    assert "The evidence has this hash still." in page
    answer = desk.get(f"{WATCH}cases/{case.public_id}/evidence.json")
    assert hashlib.sha256(answer.content).hexdigest() == case.evidence_sha256
    assert AuditRow.objects.about(case).get().verb == "opened"


def test_a_case_needs_a_reason_and_a_form_opens_it_once(desk: Client) -> None:
    address = f"{WATCH}finding/open/{finding(desk)}"
    assert "A reason is needed." in desk.post(address, follow=True).content.decode()
    assert not WatchCase.objects.exists()
    form = {"reason": "a", "once": "0" * 32}
    first, second = desk.post(address, form), desk.post(address, form)
    assert first["Location"] == second["Location"]
    assert WatchCase.objects.count() == 1


def test_a_case_is_noted_assigned_and_closed_and_its_history_stays(
    desk: Client, house: Organization
) -> None:
    case = opened(desk)
    at = f"{WATCH}cases/{case.public_id}/"
    colleague = member(house)
    person = UserFactory._meta.model.objects.get(pk=colleague.user_id)
    desk.post(f"{at}note/", {"text": "asked them <b>"})
    desk.post(f"{at}assign/", {"to": person.public_id, "reason": "knows them"})
    assert desk.post(f"{at}assign/", {"to": "usr_x", "reason": "x"}).status_code == 422
    assert desk.post(f"{at}close/", {"outcome": "nothing", "reason": "x"}).status_code == 422
    desk.post(f"{at}close/", {"outcome": "explained", "reason": "a holiday"})

    page = page_of(desk, at)
    assert "asked them &lt;b&gt;" in page
    assert person.email in page
    assert "explained by the market" in page
    assert "Add a note" not in page
    entries = list(case.entries.values_list("deed", "text"))
    assert entries == [
        ("opened", "one seller alone"),
        ("noted", "asked them <b>"),
        ("assigned", "knows them"),
        ("closed", "a holiday"),
    ]
    again = desk.post(f"{at}note/", {"text": "more"}, follow=True).content.decode()
    assert "It is decided already." in again
    assert case.entries.count() == 4


def test_neither_a_case_nor_its_history_can_be_rewritten(desk: Client) -> None:
    case = opened(desk)
    for change in (
        lambda: CaseEntry.objects.update(text="x"),
        lambda: CaseEntry.objects.all().delete(),
        lambda: WatchCase.objects.update(evidence="{}"),
        lambda: WatchCase.objects.update(reason="x"),
        lambda: WatchCase.objects.filter(pk=case.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_auditors_read_cases_and_viewers_write_none(desk: Client, house: Organization) -> None:
    case = opened(desk)
    at = f"{WATCH}cases/{case.public_id}/"
    for client in (portal(auditor()), portal(house, role="viewer")):
        page = page_of(client, at)
        assert "one seller alone" in page
        assert "Add a note" not in page
        assert "Open a case" not in page_of(client, f"{WATCH}finding/{finding(client)}")
        assert client.post(f"{at}note/", {"text": "x"}).status_code == 403


def test_relations_are_written_down_and_ended_with_reasons(desk: Client, scene: Market) -> None:
    other = OrganizationFactory.create(name="Sister")
    at = f"{WATCH}relations/"
    form = {
        "one": other.public_id,
        "other": scene.provider.public_id,
        "kind": "control",
        "reason": "the register",
    }
    assert desk.post(f"{at}enter/", form | {"one": "org_x"}).status_code == 422
    assert desk.post(f"{at}enter/", form | {"other": other.public_id}).status_code == 422
    assert desk.post(f"{at}enter/", form).status_code == 302
    assert desk.post(f"{at}enter/", form).status_code == 422
    page = page_of(desk, at)
    assert "Sister" in page
    assert "one controls the other" in page
    relation = OrganizationRelation.objects.get()
    desk.post(f"{at}{relation.public_id}/end/", {"reason": "sold"})
    assert "No two organizations are known to be related." in page_of(desk, at)
    assert AuditRow.objects.about(relation).count() == 2
