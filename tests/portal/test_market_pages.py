"""The open market's pages: read by anybody, kept until the next publication, sent once."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.models import Auction, AuctionSeries
from exchange.services.clearing import clear_auction
from tests.exchange.markets import HOUR, Market, auction_of, bid_body, buyer, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import portal

pytestmark = pytest.mark.django_db

PAGES = ["market_prices", "market_curves", "market_map", "market_index", "market_auctions"]
TABLES = ["prices", "curves", "flows", "links", "fills"]


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    found = market()
    offer_of(found)
    bid(bid_body(found.auction), buyer())
    return found


@pytest.fixture
def published(scene: Market) -> Auction:
    hold_through(scene.auction)
    return Auction.objects.get(pk=scene.auction.pk)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_open_before_the_first_publication(
    scene: Market, client: Client, name: str
) -> None:
    close(scene.auction)
    assert clear_auction(scene.auction.pk)
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert "2.000" not in answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_is_open_to_anybody(
    published: Auction, client: Client, name: str, language: str
) -> None:
    answer = client.get(reverse(name), headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.content.decode()
    assert client.post(reverse(name)).status_code == 405


def test_prices_stand_in_a_table(published: Auction, client: Client) -> None:
    page = client.get(reverse("market_prices")).content.decode()
    assert page.count('data-value="2.000"') == 4


def test_the_curves_page_tells_the_clearing_point(published: Auction, client: Client) -> None:
    page = client.get(reverse("market_curves")).content.decode()
    assert 'data-price="2.000"' in page
    assert 'data-quantity="2.000"' in page


@pytest.mark.parametrize("name", ["market_prices", "market_curves", "market_map"])
@pytest.mark.parametrize("query", ["accelerator=none", "accelerator=%3Cb%3E", "period=-1&region=x"])
def test_what_is_not_there_is_named(
    published: Auction, client: Client, name: str, query: str
) -> None:
    answer = client.get(f"{reverse(name)}?{query}")
    assert answer.status_code in (200, 400)
    assert "<b>" not in answer.content.decode()
    if "accelerator" in query:
        assert answer.status_code == 400
        assert "is-invalid" in answer.content.decode()


def test_an_auction_that_is_not_published_is_not_found(scene: Market, client: Client) -> None:
    for address in (
        f"{reverse('market_prices')}?auction={scene.auction.public_id}",
        reverse("market_auction", args=[scene.auction.public_id]),
        reverse("auction_table", args=[scene.auction.public_id, "prices", "csv"]),
        reverse("auction_archive", args=[scene.auction.public_id]),
    ):
        assert client.get(address).status_code == 404


def test_a_visitor_who_has_the_page_gets_it_not_again(published: Auction, client: Client) -> None:
    first = client.get(reverse("market_prices"))
    again = client.get(reverse("market_prices"))  # now with the cookie of the first answer
    unchanged = client.get(reverse("market_prices"), headers={"if-none-match": again["ETag"]})
    assert first.status_code == again.status_code == 200
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    client.cookies["theme"] = "dark"
    dark = client.get(reverse("market_prices"), headers={"if-none-match": again["ETag"]})
    assert dark.status_code == 200


def test_a_page_is_made_once_between_two_publications(published: Auction, client: Client) -> None:
    client.get(reverse("market_map"))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("market_map")).status_code == 200
    assert len(asked) == 1


def test_a_publication_makes_every_page_new(scene: Market, client: Client) -> None:
    assert "2.000" not in client.get(reverse("market_prices")).content.decode()
    hold_through(scene.auction)
    assert "2.000" in client.get(reverse("market_prices")).content.decode()


def test_a_member_sees_their_own_frame_around_the_kept_page(
    published: Auction, client: Client, scene: Market
) -> None:
    client.get(reverse("market_prices"))
    answer = portal(scene.provider).get(reverse("market_prices"))
    assert scene.provider.name in answer.content.decode()
    assert "ETag" not in answer
    assert scene.provider.name not in client.get(reverse("market_prices")).content.decode()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_comes_as_csv_and_json(published: Auction, client: Client, table: str) -> None:
    written = client.get(reverse("auction_table", args=[published.public_id, table, "csv"]))
    header, *lines = written.content.decode().splitlines()
    rows = json.loads(
        client.get(reverse("auction_table", args=[published.public_id, table, "json"])).content
    )
    assert written["Content-Type"].startswith("text/csv")
    assert len(lines) == len(rows)
    assert all(list(row) == header.split(",") for row in rows)
    assert "Cookie" not in written.get("Vary", "")


def test_prices_in_a_file_are_decimal_strings(published: Auction, client: Client) -> None:
    address = reverse("auction_table", args=[published.public_id, "prices", "json"])
    first = client.get(address).json()[0]
    assert (first["price"], first["traded"], first["quantity"]) == ("2.000", 1, "2.000")
    assert first["starts_at"] == published.starts_at.isoformat().replace("+00:00", "Z")
    known = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": known}).status_code == 304


@pytest.mark.parametrize(
    "address", ["prices.xml", "secrets.csv", "flows.csv?period=99", "flows.csv?period=x"]
)
def test_no_other_table_is_given(published: Auction, client: Client, address: str) -> None:
    found = f"{reverse('market_auction', args=[published.public_id])}{address}"
    assert client.get(found).status_code == 404


@pytest.mark.parametrize("table", ["accelerators", "classes"])
def test_the_index_comes_as_files(published: Auction, client: Client, table: str) -> None:
    [row] = client.get(reverse("index_table", args=[table, "json"])).json()
    assert row["auction"] == published.public_id
    assert "2.0" in str(list(row.values())[-1])
    assert client.get("/market/index/others.csv").status_code == 404


def test_the_whole_book_becomes_public_after_its_delay(
    published: Auction, client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.BOOK_DELAY_MINUTES = 60
    page = reverse("market_auction", args=[published.public_id])
    archive = reverse("auction_archive", args=[published.public_id])
    book = reverse("archive", args=[published.public_id, "book/bids.csv"])
    assert client.get(archive).status_code == 404
    assert client.get(book).status_code == 404
    assert archive not in client.get(page).content.decode()
    assert published.result.book_sha256 in client.get(page).content.decode()

    set_market_time(market_now() + 2 * HOUR)
    assert archive in client.get(page).content.decode()
    assert client.get(book).status_code == 200
    packed = b"".join(client.get(archive))
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        files.extractall(tmp_path / "checked")
    call_command("check_book", str(tmp_path / "checked/book"), str(tmp_path / "checked/result"))


def test_the_certificate_says_what_was_proved(published: Auction, client: Client) -> None:
    page = client.get(reverse("market_auction", args=[published.public_id])).content.decode()
    assert "8.000000 CNY" in page
    assert "check_book" in page or "becomes public" in page


def test_a_voided_auction_is_listed_with_its_reason(scene: Market, client: Client) -> None:
    series = AuctionSeries.objects.get()
    auction_of(
        series,
        state="voided",
        closes_at=market_now() - HOUR,
        voided_at=market_now(),
        reason_code="late",
        reason_detail="nobody came",
        actor="operator",
    )
    page = client.get(reverse("market_auctions")).content.decode()
    assert "nobody came" in page
