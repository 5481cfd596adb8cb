"""A buyer's desk: jobs in plain words become bids, are previewed, explained and cancelled."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import Organization
from exchange.foundation.market_time import mark_as_play, market_now
from exchange.models import Bid
from exchange.portal.bid_again import helps_of
from tests.exchange.markets import HOUR, Market, auction_of, bid_body, block_body, buyer, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import OrganizationFactory, portal
from tests.portal.desks import form_time

pytestmark = pytest.mark.django_db


class Desk:
    """A buyer with money in a market where ten h100 are on offer at 2.000."""

    def __init__(self, role: str = "owner") -> None:
        mark_as_play()
        self.market: Market = market()
        offer_of(self.market)
        self.caller = buyer()
        self.client: Client = portal(
            Organization.objects.get(pk=self.caller.organization_id), role=role
        )

    def form(self, **changes: Any) -> dict[str, Any]:
        auction = self.market.auction
        plain = {
            "auction": auction.public_id,
            "kind": "hourly",
            "accelerator": "h100",
            "dtype": "bf16",
            "quantity": "2",
            "starts_at": form_time(auction.starts_at),
            "ends_at": form_time(auction.ends_at),
            "origin": "beijing",
            "most": "3.000",
            "most_is": "price",
        }
        return plain | changes

    def post(self, **changes: Any) -> Any:
        return self.client.post(reverse("bid_new"), self.form(**changes))


@pytest.fixture
def desk(settings: LazySettings, tmp_path: Path) -> Desk:
    settings.ARCHIVE_DIR = tmp_path
    return Desk()


def page_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def body_of(answer: Any) -> dict[str, Any]:
    found = re.search(r"<code>(\{.*?\})</code>", page_of(answer), re.DOTALL)
    assert found, page_of(answer)
    body: dict[str, Any] = json.loads(found[1])
    return body


@pytest.mark.parametrize(
    ("changes", "kind", "own"),
    [
        ({}, "hourly", {}),
        ({"kind": "block", "hours": "3"}, "block", {"duration": "3.000"}),
        ({"kind": "volume", "hours": "2"}, "volume", {"volume": "4.000"}),
    ],
)
def test_each_kind_of_job_becomes_a_bid(
    desk: Desk, changes: dict[str, str], kind: str, own: dict[str, str]
) -> None:
    answer = desk.post(place="yes", **changes)
    placed = Bid.objects.get()
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("bid_detail", args=[placed.public_id]),
    )
    assert placed.kind == kind
    shown = body_of(desk.client.get(answer["Location"]))
    assert own.items() <= shown.items()


def test_the_body_that_is_shown_places_the_same_bid_over_rest(desk: Desk) -> None:
    answer = desk.post(
        preview="yes",
        kind="block",
        hours="2",
        others=["ascend"],
        regions=["beijing"],
        latency_ms_max="20",
        gbps="0.5",
        renewable_share_min="0.25",
        label="run 7",
    )
    body = body_of(answer)
    assert not Bid.objects.exists()
    # 990 TFLOPS for 320: 3.09375 ascend do the work of one h100
    assert body["accelerators"][1] == {"accelerator": "ascend", "factor": "3.093750"}
    placed = bid(body, desk.caller)
    again = body_of(desk.client.get(reverse("bid_detail", args=[placed.public_id])))
    assert {name: again[name] for name in ("quantity", "limit_price", "duration", "gbps")} == {
        name: body[name] for name in ("quantity", "limit_price", "duration", "gbps")
    }


def test_an_ai_model_runs_on_whatever_it_fits(desk: Desk) -> None:
    body = body_of(desk.post(preview="yes", accelerator="", model="qwen-72b"))
    assert (body["model"], body["dtype"]) == ("qwen-72b", "bf16")
    assert "accelerators" not in body


def test_a_total_is_never_exceeded(desk: Desk) -> None:
    desk.post(place="yes", most="24", most_is="total")
    placed = Bid.objects.get()
    # 2 units for 4 hours and a fee of 1 %: 24 / 8 / 1.01
    assert placed.limit_ticks == 2_970
    assert placed.greatest_cost_micros <= 24_000_000


def test_a_standing_bid_names_no_auction(desk: Desk) -> None:
    desk.post(place="yes", auction="standing")
    assert Bid.objects.get().state == "standing"
    page = page_of(desk.client.get(reverse("bid_list"), {"state": "standing"}))
    assert Bid.objects.get().public_id in page


def test_a_preview_promises_what_is_on_offer(desk: Desk) -> None:
    page = page_of(desk.post(preview="yes"))
    assert "would serve it whole" in page
    assert "24.24" in page


def test_a_preview_names_what_stands_in_the_way_and_what_would_help(desk: Desk) -> None:
    answer = desk.post(preview="yes", most="1.000")
    page = page_of(answer)
    assert "What stands in the way: the limit price" in page
    [address] = re.findall(r'href="(/bids/new/\?[^"]*most=2\.000[^"]*)"', page)
    changed = page_of(desk.client.get(address))
    assert 'name="most" value="2.000"' in changed
    assert f'value="{form_time(desk.market.auction.starts_at)}"' in changed


def test_a_change_of_place_and_chips_comes_with_the_form(desk: Desk) -> None:
    page = page_of(desk.post(preview="yes", regions=["guizhou"], label="kept"))
    [address] = re.findall(r'href="(/bids/new/\?[^"]*)">the regions', page)
    assert "regions=beijing" in address
    assert "label=kept" in address


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accelerator": ""}, "Choose an AI model or an accelerator"),
        ({"model": "qwen-72b"}, "Choose an AI model or an accelerator"),
        ({"kind": "block"}, "A value is needed here."),
        ({"hours": "3"}, "Hour by hour it runs through the whole time."),
        ({"most": "5000"}, "No auction takes such a price."),
        ({"quantity": "1.5", "kind": "block", "hours": "1"}, "only whole units can run"),
        ({"kind": "block", "hours": "9"}, "longer than the time"),
        ({"renewable_share_min": "1.5"}, "This is too large."),
        ({"quantity": "many"}, "plain decimal number"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    desk: Desk, changes: dict[str, str], words: str
) -> None:
    answer = desk.post(place="yes", **changes)
    assert answer.status_code == 422
    assert words in page_of(answer)
    assert not Bid.objects.exists()


def test_a_bid_that_money_does_not_cover_is_not_placed(desk: Desk) -> None:
    poor = portal(OrganizationFactory.create(provides=False))
    answer = poor.post(reverse("bid_new"), desk.form(place="yes"))
    assert answer.status_code == 422
    assert "does not cover" in page_of(answer)
    assert "does not cover" in page_of(poor.post(reverse("bid_new"), desk.form(preview="yes")))


def test_a_bid_is_cancelled_until_its_gate_closes(desk: Desk) -> None:
    desk.post(place="yes")
    desk.post(place="yes", label="late")
    late, first = Bid.objects.order_by("-pk")
    cancel = reverse("bid_cancel", args=[first.public_id])
    assert desk.client.get(cancel).status_code == 405
    desk.client.post(cancel)
    first.refresh_from_db()
    assert first.state == "cancelled"
    close(desk.market.auction)
    page = desk.client.post(reverse("bid_cancel", args=[late.public_id]), follow=True)
    assert "its gate has closed" in page_of(page)


def test_a_result_is_explained(desk: Desk) -> None:
    won = bid(bid_body(desk.market.auction), desk.caller)
    lost = bid(bid_body(desk.market.auction, limit_price="1.000"), desk.caller)
    nowhere = bid(bid_body(desk.market.auction, regions=["guizhou"]), desk.caller)
    hold_through(desk.market.auction)
    page = page_of(desk.client.get(reverse("bid_detail", args=[won.public_id])))
    assert "It got everything that it asked for." in page
    assert page.count("bj-1") >= 4
    page = page_of(desk.client.get(reverse("bid_detail", args=[lost.public_id])))
    assert "cost more than its limit" in page
    assert "2.00 CNY" in page
    [address] = re.findall(r'href="([^"]*)">A limit above 2.000 would have got', page)
    again = page_of(desk.client.get(address.replace("&amp;", "&")))
    assert 'name="most" value="2.001"' in again
    assert '<option value="h100" selected' in again
    page = page_of(desk.client.get(reverse("bid_detail", args=[nowhere.public_id])))
    assert "What left nothing: the regions where it may run" in page
    [address] = re.findall(r'href="([^"]*)">Bid again without the rule', page)
    again = page_of(desk.client.get(address.replace("&amp;", "&")))
    assert '<option value="guizhou" selected' not in again.partition('name="regions"')[2]


def test_a_bid_is_placed_again_with_all_of_its_terms(desk: Desk) -> None:
    terms = {"duration": "2", "limit_price": "7.250", "quantity": "2", "latency_ms_max": "20"}
    first = bid(block_body(desk.market.auction, label="nightly", **terms), desk.caller)
    page = page_of(desk.client.get(reverse("bid_detail", args=[first.public_id])))
    [address] = re.findall(r'href="([^"]*)">Bid so again', page)
    form = page_of(desk.client.get(address.replace("&amp;", "&")))
    for field, value in (("most", "7.250"), ("hours", "2.000"), ("quantity", "2.000")):
        assert f'name="{field}" value="{value}"' in form
    assert 'name="label" value="nightly"' in form
    assert 'name="latency_ms_max" value="20.000000"' in form
    assert f'name="starts_at" value="{form_time(first.starts_at)}"' in form
    assert '<option value="block" selected' in form


def test_a_block_that_did_not_fit_is_proposed_at_half_its_size(desk: Desk) -> None:
    placed = bid(block_body(desk.market.auction, quantity="5"), desk.caller)
    [(words, address)] = helps_of(placed, {"answer": "indivisible"}, now=market_now())
    assert words.startswith("Half as many at once")
    assert "quantity=2.000" in address


def test_a_bid_at_the_margin_is_proposed_a_tick_higher(desk: Desk) -> None:
    placed = bid(bid_body(desk.market.auction, limit_price="3.000"), desk.caller)
    [(words, address)] = helps_of(placed, {"answer": "at_the_margin"}, now=market_now())
    assert "3.001" in words
    assert "most=3.001" in address


def test_strangers_and_sellers_have_no_business_here(desk: Desk, client: Client) -> None:
    placed = bid(bid_body(desk.market.auction), desk.caller)
    address = reverse("bid_detail", args=[placed.public_id])
    assert client.get(address).status_code == 302
    assert portal(OrganizationFactory.create(provides=False)).get(address).status_code == 404
    assert portal(OrganizationFactory.create(buys=False)).get(address).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_only_reads_places_nothing(role: str) -> None:
    at = Desk(role)
    assert at.post(place="yes").status_code == 403
    assert reverse("bid_new") not in page_of(at.client.get(reverse("bid_list")))


def test_an_address_fills_the_form_in(desk: Desk) -> None:
    query = {"model": "qwen-72b", "kind": "block", "hours": "4", "regions": ["beijing"]}
    page = page_of(desk.client.get(reverse("bid_new"), query))
    assert '<option value="qwen-72b" selected' in page
    assert '<option value="beijing" selected' in page


def test_a_form_that_is_sent_twice_places_one_bid(desk: Desk) -> None:
    page = page_of(desk.client.get(reverse("bid_new")))
    token = page.split('name="once" value="', 1)[1][:32]
    first, second = (desk.post(place="yes", once=token) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302), page_of(first)
    assert first["Location"] == second["Location"]
    assert Bid.objects.count() == 1
    desk.post(place="yes", once="0" * 32)
    assert Bid.objects.count() == 2


def test_a_preview_tells_what_the_last_auction_would_have_done(desk: Desk) -> None:
    bid(bid_body(desk.market.auction, quantity="6"), desk.caller)
    hold_through(desk.market.auction)
    later = auction_of(
        desk.market.series,
        closes_at=market_now() + HOUR,
        starts_at=desk.market.auction.starts_at + 24 * HOUR,
        ends_at=desk.market.auction.ends_at + 24 * HOUR,
    )
    times = {"starts_at": form_time(later.starts_at), "ends_at": form_time(later.ends_at)}

    def section(**changes: Any) -> str:
        page = desk.post(auction=later.public_id, **times, **changes).content.decode()
        return " ".join(page.partition('id="hindsight"')[2].partition("</section>")[0].split())

    filled = section()
    assert "It would have got everything that it asks for." in filled
    assert "A unit-hour would have cost 2.00 CNY on average." in filled
    assert "The bid was moved back by 1 day for it." in filled
    assert "8 / 8" in filled
    outbid = section(most="1.000")
    assert "The price was above its limit." in outbid
    assert "most=2.000" in outbid
    assert "on average" not in outbid


def test_a_preview_is_silent_where_no_auction_was_published(desk: Desk) -> None:
    assert 'id="hindsight"' not in desk.post().content.decode()
