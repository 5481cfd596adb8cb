"""The open market over REST: anybody may read what was published, and nothing before."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from exchange.foundation.market_time import mark_as_play
from exchange.models import Auction
from exchange.services.clearing import clear_auction
from exchange.services.publishing import publish_auction
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import bid, close, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    settings.BOOK_DELAY_MINUTES = 0
    mark_as_play()
    found = market()
    offer_of(found)
    bid(bid_body(found.auction), buyer())
    return found


@pytest.fixture
def anybody() -> APIClient:
    return APIClient(raise_request_exception=False)


def test_it_lists_auctions_to_strangers(scene: Market, anybody: APIClient) -> None:
    page = anybody.get("/api/v1/auctions", {"state": "open", "horizon": "day_ahead"}).json()
    assert [row["id"] for row in page["data"]] == [scene.auction.public_id]
    assert page["data"][0]["buyer_fee"] == "0.010000"


def test_it_shows_no_price_fill_or_proof_before_publication(
    scene: Market, anybody: APIClient
) -> None:
    for step in (close, lambda auction: clear_auction(auction.pk)):
        step(scene.auction)
        assert anybody.get("/api/v1/prices").json()["data"] == []
        assert anybody.get("/api/v1/fills").json()["data"] == []
        url = f"/api/v1/auctions/{scene.auction.public_id}"
        assert anybody.get(f"{url}/certificate").status_code == 404
        assert anybody.get(f"{url}/archive/book/bids.csv").status_code == 404


@pytest.fixture
def published(scene: Market) -> Auction:
    close(scene.auction)
    assert clear_auction(scene.auction.pk)
    assert publish_auction(scene.auction.pk)
    return Auction.objects.get(pk=scene.auction.pk)


def test_it_publishes_prices_by_site_and_period(published: Auction, anybody: APIClient) -> None:
    rows = anybody.get("/api/v1/prices", {"auction": published.public_id}).json()["data"]
    assert [row["price"] for row in rows] == ["2.000"] * 4
    assert rows[0]["region"] == "beijing"
    assert anybody.get("/api/v1/prices", {"region": "guizhou"}).json()["data"] == []


def test_without_an_auction_the_newest_rows_come_first_and_page_by_page(
    published: Auction, anybody: APIClient
) -> None:
    for name in ("prices", "fills"):
        url = f"/api/v1/{name}"
        first = anybody.get(url, {"limit": 3}).json()
        starts = [row["starts_at"] for row in first["data"]]
        assert starts == sorted(starts, reverse=True), name
        rest = anybody.get(first["next"]).json()
        assert (len(first["data"]), len(rest["data"]), rest["has_more"]) == (3, 1, False)
        assert anybody.get(url, {"sort": "id"}).json()["data"][0] == rest["data"][0]


@pytest.mark.parametrize(("name", "sort"), [("prices", "period"), ("fills", "-starts_at")])
def test_a_page_of_the_whole_history_is_sorted_by_nothing_else(
    published: Auction, anybody: APIClient, name: str, sort: str
) -> None:
    answer = anybody.get(f"/api/v1/{name}", {"sort": sort})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "sort_invalid"
    of_one = anybody.get(f"/api/v1/{name}", {"sort": sort, "auction": published.public_id})
    assert of_one.status_code == 200


def test_it_publishes_fills_without_names(published: Auction, anybody: APIClient) -> None:
    rows = anybody.get("/api/v1/fills", {"auction": published.public_id}).json()["data"]
    assert [row["quantity"] for row in rows] == ["2.000"] * 4
    assert not {"bid", "buyer", "organization"} & set(rows[0])


def test_it_publishes_the_proof_and_the_files_to_check_it_with(
    published: Auction, anybody: APIClient
) -> None:
    proof = anybody.get(f"/api/v1/auctions/{published.public_id}/certificate").json()
    assert proof["welfare"] == "8.000000"
    assert proof["gap"].rstrip("0") == "0."
    books = [file for file in proof["files"] if file.endswith("/archive/book/bids.csv")]
    answer = anybody.get(books[0])
    assert answer.status_code == 200
    assert b"hourly" in answer.getvalue()


def test_the_book_waits_for_its_delay_but_the_result_does_not(
    published: Auction, anybody: APIClient, settings: LazySettings
) -> None:
    settings.BOOK_DELAY_MINUTES = 60
    url = f"/api/v1/auctions/{published.public_id}"
    proof = anybody.get(f"{url}/certificate").json()
    assert all("/archive/result/" in file for file in proof["files"])
    assert proof["book_opens_at"] > published.published_at.isoformat()  # type: ignore[union-attr]
    assert anybody.get(f"{url}/archive/book/bids.csv").status_code == 404
    assert anybody.get(f"{url}/archive/result/prices.csv").status_code == 200


@pytest.mark.parametrize("file", ["book/../../secret", "result/none.csv", "book", "other/bids.csv"])
def test_it_gives_no_other_file(published: Auction, anybody: APIClient, file: str) -> None:
    url = f"/api/v1/auctions/{published.public_id}/archive/{file}"
    assert anybody.get(url).status_code == 404


def test_it_sends_nothing_twice_to_who_has_it(published: Auction, anybody: APIClient) -> None:
    url = f"/api/v1/auctions/{published.public_id}"
    first = anybody.get(url)
    again = anybody.get(url, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert anybody.get(url, HTTP_IF_NONE_MATCH='"other"').status_code == 200


def test_it_knows_no_other_auction(scene: Market, anybody: APIClient) -> None:
    assert anybody.get("/api/v1/auctions/auc_none").status_code == 404
    assert anybody.post("/api/v1/auctions", {}).status_code == 405


def test_an_auditor_verifies_the_archive_against_the_tables(
    published: Auction, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_auction", published.public_id)
    assert "everything holds" in capsys.readouterr().out
    prices = Path(settings.ARCHIVE_DIR) / published.result.archive / "prices.csv"
    prices.write_text(prices.read_text().replace(",2.000", ",2.001"))
    with pytest.raises(CommandError, match="hash differs"):
        call_command("verify_auction", published.public_id)
