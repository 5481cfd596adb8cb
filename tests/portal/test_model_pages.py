"""The catalogue of AI models: where each fits, what a replica costs, and the bid it leads to."""

import html
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from exchange.foundation.market_time import mark_as_play
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    found = market()
    offer_of(found)
    bid(bid_body(found.auction), buyer())
    return found


def page(client: Client, name: str, *args: str, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_model_is_listed_with_its_cheapest_place(scene: Market, client: Client) -> None:
    assert "Qwen 72B" in page(client, "market_models")
    hold_through(scene.auction)
    # 144 GB of weights and a fifth more on h100 of 80 GiB: three of them, at 2.000 each
    listed = page(client, "market_models")
    assert "3 \u00d7 h100" in listed
    assert "6.000" in listed


def test_a_model_says_where_it_can_run_and_leads_to_a_bid(scene: Market, client: Client) -> None:
    hold_through(scene.auction)
    shown = page(client, "market_model", "qwen-72b")
    assert "6.000" in shown
    assert "2.020" in shown  # 2.000 for 0.99 PFLOPS
    assert "0.0808" in shown  # a million tokens of 72 billion parameters take 0.04 PFLOPS-hours
    assert "model=qwen-72b&dtype=bf16&accelerator=&regions=beijing&most=6.000" in shown


def test_a_smaller_number_format_takes_fewer(scene: Market, client: Client) -> None:
    hold_through(scene.auction)
    assert "2.000" in page(client, "market_model", "qwen-72b", dtype="int4")


def test_before_the_first_publication_there_is_no_place(scene: Market, client: Client) -> None:
    assert "Nothing that holds it was on offer" in page(client, "market_model", "qwen-72b")


def test_kinds_narrow_the_list(scene: Market, client: Client) -> None:
    assert "Qwen 72B" not in page(client, "market_models", modality="speech")
    assert client.get(reverse("market_models"), {"modality": "smell"}).status_code == 400


def test_an_unknown_model_is_not_found(scene: Market, client: Client) -> None:
    assert client.get(reverse("market_model", args=["none"])).status_code == 404
    assert client.get(reverse("market_model", args=["qwen-72b"]), {"dtype": "x"}).status_code == 400
