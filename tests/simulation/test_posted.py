"""First come, first served at posted prices: who gets what, and never more than there is."""

import numpy as np
from hypothesis import given

from exchange.engine.book import NO_GROUP, UNLIMITED, BidKind, Book
from exchange.engine.bound import unroll_windows
from exchange.engine.clearing import clear
from exchange.engine.result import fill_factors, welfare_micros
from exchange.management.simulation.posted import Sold, sell_posted
from tests.engine.hand import make_book
from tests.engine.strategies import small_books

DEAR, CHEAP, LATE = (
    f"{name},hourly,east,{quantity},{price},{first},{end},,,,0,,,"
    for name, quantity, price, first, end in (
        ("a", 2, 4, 0, 1),
        ("b", 2, 9, 0, 1),
        ("c", 1, 9, 1, 2),
    )
)


def two_halls(bids: list[str], *, link: str = "", power: str = "") -> Book:
    """One accelerator at 3 in the east, two at 2 in the west, for two hours."""
    tables = {
        "regions": ["east", "west"],
        "accelerators": ["gpu,0,100,1000"],
        "sites": ["here,east,1,0.2", "there,west,1,0.9"],
        "routes": ["in,east,east,1,", "out,east,west,9,wire", "west,west,west,1,"],
        "offers": ["o1,here,gpu,0,2,1,3", "o2,there,gpu,0,2,2,2"],
        "bids": bids,
        "bid_accelerators": [f"{bid.split(',')[0]},gpu,1" for bid in bids],
    }
    if link:
        tables["links"] = [f"wire,,{link}"]
    if power:
        tables["power"] = [f"west,{period},{power}" for period in (0, 1)]
    return make_book({"periods": 2}, **tables)


def bought(book: Book, sold: Sold) -> list[tuple[str, str, int, int]]:
    """Bid, site, period and lots of each fill."""
    fills = sold.bid_fills
    return [
        (str(book.bids.names[bid]), str(book.sites.names[site]), period, lots)
        for bid, site, period, lots in zip(
            fills.bid.tolist(),
            fills.site.tolist(),
            fills.period.tolist(),
            fills.quantity_lots.tolist(),
            strict=True,
        )
    ]


def test_who_comes_first_takes_the_nearest_whatever_the_next_would_pay() -> None:
    book = two_halls([DEAR, CHEAP, LATE])
    assert bought(book, sell_posted(book)) == [
        ("a", "here", 0, 1_000),
        ("a", "there", 0, 1_000),
        ("b", "there", 0, 1_000),
        ("c", "here", 1, 1_000),
    ]


def test_nobody_pays_an_ask_above_its_limit() -> None:
    book = two_halls(["a,hourly,east,2,2.5,0,1,,,,0,,,"])
    assert bought(book, sell_posted(book)) == [("a", "there", 0, 2_000)]


def test_a_block_waits_for_the_first_start_at_which_it_fits_whole() -> None:
    book = two_halls([LATE, "b,block,east,2,9,0,2,1,,,0,,,", "d,block,east,2,9,0,2,1,,,0,,,"])
    assert bought(book, sell_posted(book)) == [
        ("b", "there", 0, 2_000),
        ("c", "here", 1, 1_000),
        ("d", "there", 1, 2_000),
    ]


def test_a_block_that_fits_nowhere_gets_nothing() -> None:
    book = two_halls(["b,block,east,3,9,0,2,1,,,0,,,"])
    assert bought(book, sell_posted(book)) == []


def test_links_and_power_are_never_oversold() -> None:
    book = two_halls(["a,hourly,east,3,9,0,1,,,,1,,,"], link="0.5")
    assert bought(book, sell_posted(book)) == [("a", "here", 0, 1_000), ("a", "there", 0, 500)]
    book = two_halls(["a,hourly,east,3,9,0,1,,,,1,,,"], power="1.5")
    assert bought(book, sell_posted(book)) == [("a", "here", 0, 1_000), ("a", "there", 0, 1_500)]


def test_a_volume_is_taken_from_the_first_hour_on_until_it_is_whole() -> None:
    book = two_halls(["v,volume,east,2,9,0,2,,3,,0,,,"])
    assert bought(book, sell_posted(book)) == [
        ("v", "here", 0, 1_000),
        ("v", "here", 1, 1_000),
        ("v", "there", 0, 1_000),
    ]


@given(book=small_books())
def test_posted_prices_sell_what_the_orders_and_limits_allow_and_no_more(book: Book) -> None:
    sold = sell_posted(book)
    fills, given_up = sold.bid_fills, sold.offer_fills
    assert int(fills.quantity_lots.sum()) == int(given_up.quantity_lots.sum())
    assert (given_up.quantity_lots <= book.offers.quantity_lots[given_up.offer]).all()
    _within_limits(book, sold)
    _within_bids(book, sold)


@given(book=small_books())
def test_no_bid_pays_more_than_its_limit(book: Book) -> None:
    sold = sell_posted(book)
    assert welfare_micros(book, sold.bid_fills, sold.offer_fills) >= 0


@given(book=small_books(bids_max=4, offers_max=4, periods_max=3))
def test_no_allocation_at_posted_prices_beats_the_bound_of_the_auction(book: Book) -> None:
    if book.min_domestic_share_micros is None:
        sold = sell_posted(book)
        assert welfare_micros(book, sold.bid_fills, sold.offer_fills) <= clear(book).bound_micros


def _within_limits(book: Book, sold: Sold) -> None:
    fills, table = sold.bid_fills, book.routes
    row, place = unroll_windows(table.link_start[fills.route], table.link_start[fills.route + 1])
    load = np.zeros(book.link_gbps_micros.shape, dtype=np.int64)
    used = book.bids.gbps_micros[fills.bid[row]] * fills.quantity_lots[row]
    np.add.at(load, (table.links[place], fills.period[row]), used)
    limited = book.link_gbps_micros != UNLIMITED
    assert (load <= book.link_gbps_micros * 1_000)[limited].all()
    watts = book.accelerators.watts_micros[fills.accelerator] * book.sites.pue_micros[fills.site]
    drawn = np.zeros(book.power_kw_micros.shape, dtype=np.int64)
    where = (book.sites.region[fills.site], fills.period)
    np.add.at(drawn, where, watts // 1_000_000 * fills.quantity_lots)
    limited = book.power_kw_micros != UNLIMITED
    assert (drawn <= book.power_kw_micros * 1_000_000)[limited].all()


def _within_bids(book: Book, sold: Sold) -> None:
    fills, bids = sold.bid_fills, book.bids
    factors = fill_factors(book, fills)
    for bid in np.unique(fills.bid).tolist():
        mine = fills.bid == bid
        units = fills.quantity_lots[mine] / (factors[mine] / 1e6)
        at = fills.period[mine]
        assert bids.first[bid] <= at.min()
        assert at.max() < bids.end[bid]
        if bids.kind[bid] == BidKind.BLOCK:
            assert len(at) == len(set(at.tolist())) == bids.duration[bid] == at.max() - at.min() + 1
            assert len(np.unique(fills.site[mine])) == len(np.unique(fills.accelerator[mine])) == 1
            continue
        for period in np.unique(at).tolist():
            assert units[at == period].sum() <= bids.quantity_lots[bid] + 1e-6
        if bids.kind[bid] == BidKind.VOLUME:
            assert units.sum() <= bids.volume_lots[bid] + 1e-6
    groups = bids.group[np.unique(fills.bid)]
    groups = groups[groups != NO_GROUP]
    assert len(groups) == len(set(groups.tolist()))
