"""The admin of the market: everything to see, nothing to edit, actions with a reason."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import AuditRow
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Auction, AuctionState, BidFill, ClearingResult, MarketFreeze, Measure
from exchange.queries.archive_files import folders_of
from settlement.management.fleet import equip
from settlement.management.sending import straight
from settlement.management.simulation import batches_of
from settlement.models import Contract
from settlement.services.settling import settle_due
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SEEN = [model for model in admin.site._registry if model._meta.app_label == "exchange"]


@pytest.fixture(autouse=True)
def archive(settings: LazySettings, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path


@pytest.fixture
def scene() -> Market:
    mark_as_play()
    return market()


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True), backend=BACKEND)
    return client


def traded(scene: Market) -> Auction:
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    scene.auction.refresh_from_db()
    return scene.auction


def page(model: Any, row: Any) -> str:
    return reverse(f"admin:exchange_{model._meta.model_name}_change", args=[row.pk])


def act(client: Client, row: Any, action: str, reason: str) -> Any:
    body = {"action": action, "_selected_action": [row.pk], "reason": reason}
    url = reverse(f"admin:exchange_{row._meta.model_name}_changelist")
    return client.post(url, body, follow=True)


@pytest.mark.parametrize("model", SEEN, ids=lambda model: model.__name__)
def test_every_list_opens_and_can_be_searched(model: Any, staff: Client, scene: Market) -> None:
    traded(scene)
    url = reverse(f"admin:exchange_{model._meta.model_name}_changelist")

    assert staff.get(url).status_code == 200
    assert staff.get(url, {"q": "nothing"}).status_code == 200


@pytest.mark.parametrize("model", SEEN, ids=lambda model: model.__name__)
def test_a_stranger_to_the_staff_sees_nothing(model: Any, client: Client) -> None:
    url = reverse(f"admin:exchange_{model._meta.model_name}_changelist")

    assert client.get(url).status_code == 302


def test_a_trade_tells_its_story_from_bid_to_contract(staff: Client, scene: Market) -> None:
    auction = traded(scene)
    fill = BidFill.objects.select_related("bid").earliest("period")

    told = staff.get(page(BidFill, fill)).content.decode()

    assert fill.bid.public_id in told
    assert auction.public_id in told
    steps = re.findall(r"<tr><td>([-0-9: ]+)</td><td>([a-z ]+)</td>", told)
    assert [what for _, what in steps] == [
        *("bid placed", "money held", "gate closed", "published", "contract", "delivery")
    ]
    assert [at for at, _ in steps] == sorted(at for at, _ in steps)
    assert "ctr_" in told


def test_a_trade_names_the_parties_of_its_transfers(staff: Client, scene: Market) -> None:
    traded(scene)
    fleet = equip(list(Contract.objects.all()), now=scene.auction.starts_at)
    later = scene.auction.ends_at + 2 * HOUR
    set_market_time(later)
    for meter, events in batches_of(fleet, until=scene.auction.ends_at):
        straight(meter, events)
    settle_due(later)

    told = staff.get(page(BidFill, BidFill.objects.earliest("period"))).content.decode()

    assert "available of Buyer" in told
    assert "payable of Provider" in told
    assert f"clearing of {scene.auction.public_id}" in told


def test_an_auction_shows_its_certificate(staff: Client, scene: Market) -> None:
    auction = traded(scene)

    told = staff.get(page(Auction, auction)).content.decode()

    assert auction.result.book_sha256 in told
    assert "welfare" in told
    assert "Check the archive again" in told


def test_an_archive_that_is_sound_is_found_sound(staff: Client, scene: Market) -> None:
    auction = traded(scene)

    answer = staff.post(reverse("admin:exchange_auction_check", args=[auction.pk]), follow=True)

    assert "keeps every promise" in answer.content.decode()


def test_an_archive_that_was_touched_is_found_out(staff: Client, scene: Market) -> None:
    auction = traded(scene)
    result = ClearingResult.objects.get(auction=auction)
    prices = folders_of(result)["result"] / "prices.csv"
    prices.write_text(prices.read_text().replace("2.000", "2.001"))

    answer = staff.post(reverse("admin:exchange_auction_check", args=[auction.pk]), follow=True)

    assert "keeps every promise" not in answer.content.decode()
    assert "hash differs" in answer.content.decode()


def test_voiding_asks_for_a_reason_and_leaves_an_audit_row(staff: Client, scene: Market) -> None:
    asked = act(staff, scene.auction, "void", "")
    scene.auction.refresh_from_db()
    assert scene.auction.state == AuctionState.OPEN
    assert "Reason" in asked.content.decode()

    act(staff, scene.auction, "void", "the backbone is down")

    scene.auction.refresh_from_db()
    assert scene.auction.state == AuctionState.VOIDED
    row = AuditRow.objects.about(scene.auction).get(verb="void")
    assert (row.reason, row.user is not None) == ("the backbone is down", True)


def test_a_published_auction_is_not_voided(staff: Client, scene: Market) -> None:
    auction = traded(scene)

    answer = act(staff, auction, "void", "too late")

    auction.refresh_from_db()
    assert auction.state == AuctionState.PUBLISHED
    assert "published" in answer.content.decode()


def test_a_halt_is_asked_for_by_one_and_approved_by_another(staff: Client, scene: Market) -> None:
    other = Client()
    other.force_login(UserFactory.create(is_staff=True, is_superuser=True), backend=BACKEND)
    halt = reverse("admin:exchange_marketfreeze_enter")
    assert staff.get(halt).status_code == 200
    staff.post(halt, {"region": scene.site.region_id, "reason": "prices look wrong"})
    measure = Measure.objects.get()
    assert not MarketFreeze.objects.exists()

    assert "another person" in act(staff, measure, "approve", "me too").content.decode()
    act(other, measure, "approve", "seen")
    freeze = MarketFreeze.objects.get()
    assert (freeze.reason, freeze.part, freeze.lifted_at) == ("prices look wrong", "beijing", None)

    act(other, freeze, "lift", "they were right")
    act(staff, Measure.objects.latest("pk"), "approve", "yes")
    freeze.refresh_from_db()
    assert freeze.lifted_at is not None


def test_a_price_cap_is_asked_for_in_the_admin_and_not_edited(staff: Client, scene: Market) -> None:
    cap = reverse("admin:exchange_measure_enter")
    staff.post(cap, {"series": scene.series.pk, "cap": "12.5", "reason": "calm down"})
    measure = Measure.objects.get()
    assert (measure.kind, measure.price_cap_ticks) == ("price_cap", 12_500)
    act(staff, measure, "refuse", "no")
    measure.refresh_from_db()
    assert measure.state == "refused"
    assert (
        'name="price_cap_ticks"' not in staff.get(page(scene.series, scene.series)).content.decode()
    )


def test_rows_are_downloaded_as_csv(staff: Client, scene: Market) -> None:
    traded(scene)
    fills = list(BidFill.objects.values_list("pk", flat=True))
    body = {"action": "export_csv", "_selected_action": fills}

    answer = staff.post(reverse("admin:exchange_bidfill_changelist"), body)
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]

    assert len(lines) == 1 + len(fills)
