"""The engine's answer in the form of ``outcome``: fills sorted by their names, welfare exact."""

from fractions import Fraction

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, BidKind, Book, Ints
from exchange.engine.columns import Options
from exchange.engine.market import Market
from exchange.engine.outcome import BidFills, OfferFills
from exchange.engine.pieces import Pieces

_MINUTES = 60


def list_bid_fills(market: Market, pieces: Pieces, lots: Ints, accepted: Ints) -> BidFills:
    """What divisible bids and accepted blocks got."""
    ladders, arcs = market.demand.ladders, market.arcs
    some = np.flatnonzero(lots > 0)
    blocks, period = _unroll(market.options, accepted)
    options = market.options
    site, accelerator = market.book.pairs
    pair = np.concatenate([pieces.pair[some], options.pair[blocks]])
    columns = [
        np.concatenate([ladders.row_order[pieces.row[some]], options.block[blocks]]),
        site[pair],
        accelerator[pair],
        np.concatenate([ladders.row_period[pieces.row[some]], period]),
        np.concatenate([arcs.route[pieces.arc[some]], options.route[blocks]]),
    ]
    order = np.lexsort(columns[::-1])
    bid, site, accelerator, period, route = (column[order] for column in columns)
    lots = np.concatenate([lots[some], options.need[blocks] * LOTS_PER_UNIT])[order]
    return BidFills(
        bid=bid,
        site=site,
        accelerator=accelerator,
        period=period,
        route=route,
        quantity_lots=lots,
    )


def _unroll(options: Options, accepted: Ints) -> tuple[Ints, Ints]:
    """(option, period) for each period of each accepted option."""
    length = options.end[accepted] - options.first[accepted]
    option = np.repeat(accepted, length)
    offset = np.arange(len(option)) - np.repeat(np.cumsum(length) - length, length)
    return option, options.first[option] + offset


def list_offer_fills(market: Market, lots: Ints) -> OfferFills:
    """What each offer sold; ``lots`` per row of the supply ladders."""
    supply = market.supply
    some = np.flatnonzero(lots > 0)
    offer, period = supply.row_order[some], supply.row_period[some]
    order = np.lexsort((period, offer))
    return OfferFills(offer=offer[order], period=period[order], quantity_lots=lots[some][order])


def welfare_micros(book: Book, bids: BidFills, offers: OfferFills) -> Fraction:
    """Buyers' limit value of what they get less sellers' limit cost of what they give, exactly."""
    cost = _sum(book.offers.price_ticks[offers.offer], offers.quantity_lots)
    blocks = np.unique(bids.bid[book.bids.kind[bids.bid] == BidKind.BLOCK])
    whole = book.bids.quantity_lots[blocks] * book.bids.duration[blocks]
    value = Fraction(_sum(book.bids.price_ticks[blocks], whole))
    rest = np.flatnonzero(book.bids.kind[bids.bid] != BidKind.BLOCK)
    factor = fill_factors(book, bids)[rest]
    for one in np.unique(factor).tolist():
        mine = rest[factor == one]
        worth = _sum(book.bids.price_ticks[bids.bid[mine]], bids.quantity_lots[mine])
        value += Fraction(worth * MICROS, one)
    return (value - cost) * book.period_minutes / _MINUTES


def fill_factors(book: Book, fills: BidFills) -> Ints:
    """How many accelerators did the work of one unit in each fill, in millionths."""
    width = len(book.accelerators.names)
    bid = np.repeat(np.arange(len(book.bids.names)), np.diff(book.bids.choice_start))
    known = bid * width + book.bids.choice_accelerator
    place = np.searchsorted(known, fills.bid * width + fills.accelerator)
    return book.bids.choice_factor_micros[place]


def _sum(prices: Ints, lots: Ints) -> int:
    """The exact sum of products: whole and thousandth parts, so that no part overflows."""
    high, low = np.divmod(lots, LOTS_PER_UNIT)
    return int((prices * high).sum()) * LOTS_PER_UNIT + int((prices * low).sum())
