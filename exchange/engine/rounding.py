"""Whole lots out of pieces, such that supply equals demand and no limit is passed.

Every piece is rounded down, which keeps every limit but may leave a seller short who is owed a
sale (an ask below the price). Where that happens a small integer program (``whole``) finds lots
that suit everybody; where it finds none, lots go to pieces whose bids have room.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from exchange.engine.book import (
    LOTS_PER_UNIT,
    MICROS,
    UNLIMITED,
    BidKind,
    Flags,
    Floats,
    Ints,
)
from exchange.engine.exact import sum_by
from exchange.engine.exact_prices import domestic_weight, kw_scaled
from exchange.engine.market import Market
from exchange.engine.outcome import Prices
from exchange.engine.pieces import DUST, Pieces, block_lots, sink_of_rows
from exchange.engine.sharing import FINE, share_pro_rata
from exchange.engine.ticks import supply_range
from exchange.engine.tied_shares import misshared_ties
from exchange.engine.whole import Due, orders_whole, whole_lots

REPAIRS_MAX = 1_000  # Lots moved one by one; rounding leaves a few per cell.
TWINS_MAX = 2_000  # Orders that are laid out anew.


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFills:
    """Lots per piece, and lots sold per (pair, period)."""

    pieces: Pieces
    lots: Ints
    sold: Ints


def round_pieces(
    market: Market, pieces: Pieces, accepted: Ints, due: tuple[Prices, Flags]
) -> WholeFills:
    """Round every piece to whole lots and repair what rounding broke.

    ``due``: the prices, and the arcs that cost their ladders the least.
    """
    work = _Work(market, pieces, accepted, due)
    work.keep_orders()
    work.keep_limits()
    if not work.is_whole() and work.try_whole():
        work.keep_orders()
        work.keep_limits()
    work.serve_sellers()
    work.share_ties()
    return WholeFills(pieces=work.pieces, lots=work.lots, sold=work.sold)


class _Work:
    """The lots of all pieces, with what they use of cells, bids, links and power kept in step."""

    def __init__(
        self, market: Market, pieces: Pieces, accepted: Ints, due: tuple[Prices, Flags]
    ) -> None:
        self._market = market
        self._prices, self._cheap = due
        self._supply = supply_range(market, self._prices)
        self._under: dict[int, list[int]] = {}
        book, ladders = market.book, market.demand.ladders
        self._pieces = pieces
        self._pair, self._row = pieces.pair, pieces.row
        self._period = ladders.row_period[pieces.row]
        self._bid = ladders.row_order[pieces.row]
        self._factor = market.arcs.factor_micros[pieces.arc]
        self._route = market.arcs.route[pieces.arc]
        self.lots = (pieces.fine + np.where(self._factor == MICROS, DUST, 1)) // FINE
        self._blocks = block_lots(market, accepted)
        self.sold = self._blocks.copy()
        np.add.at(self.sold, (self._pair, self._period), self.lots)
        self._load_links(accepted)
        self._gbps = book.bids.gbps_micros[self._bid]
        self._by_row: dict[int, list[int]] | None = None
        self._kw = [int(kw) for kw in kw_scaled(book)]
        self._weight = [int(weight) for weight in domestic_weight(book)]

    def _load_links(self, accepted: Ints) -> None:
        """Gbps x lots in millionths, by (link, period): first what blocks use, then all."""
        book, options = self._market.book, self._market.options
        self._link_load = np.zeros(book.link_gbps_micros.shape, dtype=np.int64)
        gbps, limited = book.bids.gbps_micros, self._market.network.route_limited
        for option in accepted.tolist():
            use = int(options.need[option]) * LOTS_PER_UNIT * int(gbps[options.block[option]])
            window = slice(int(options.first[option]), int(options.end[option]))
            self._link_load[limited[options.route[option]], window] += use
        self._block_load = self._link_load.copy()
        sent = self.lots * gbps[self._bid]
        for route, links in enumerate(limited):
            mine = np.flatnonzero((self._route == route) & (sent > 0)) if len(links) else links
            load = sum_by(self._period[mine], sent[mine], book.periods)
            self._link_load[links] += load

    def _load(self, piece: int, lots: int) -> None:
        use = lots * int(self._market.book.bids.gbps_micros[self._bid[piece]])
        if use:
            links = self._market.network.route_limited[self._route[piece]]
            self._link_load[links, self._period[piece]] += use

    def add(self, piece: int, lots: int) -> None:
        """Change one piece."""
        self.lots[piece] += lots
        self.sold[self._pair[piece], self._period[piece]] += lots
        self._load(piece, lots)

    @property
    def pieces(self) -> Pieces:
        """The pieces, with those that moves have added."""
        return self._pieces

    # Orders ---------------------------------------------------------------------------------

    def keep_orders(self) -> None:
        """Take back the lots by which a bid would get more than it asks for."""
        book = self._market.book
        units = self.lots * (MICROS / self._factor)
        # Sums of whole lots are exact in floats; others are looked at where they come close.
        slack = np.where(self._factor == MICROS, 0.0, 0.001)
        for keys, asked in (
            (self._row, book.bids.quantity_lots[self._bid]),
            (self._volume_bids(), book.bids.volume_lots[self._bid]),
        ):
            size = int(keys.max(initial=-1)) + 2
            total = np.bincount(keys + 1, weights=units, minlength=size)
            odd = np.bincount(keys + 1, weights=slack, minlength=size)
            close = (keys >= 0) & (total[keys + 1] > asked - odd[keys + 1]) & (self.lots > 0)
            where = np.flatnonzero(np.isin(keys, np.unique(keys[close])))
            where = where[np.argsort(keys[where], kind="stable")]
            for mine in np.split(where, np.flatnonzero(np.diff(keys[where])) + 1):
                if len(mine):
                    self._trim(mine.tolist(), int(asked[mine[0]]))

    def _volume_bids(self) -> Ints:
        volume = self._market.book.bids.kind[self._bid] == BidKind.VOLUME
        return np.where(volume, self._bid, -1)

    def _trim(self, mine: list[int], asked: int) -> None:
        for piece in reversed(mine):
            while self.lots[piece] > 0 and self._units(mine) > asked:
                self.add(piece, -1)

    def _units(self, pieces: list[int]) -> Fraction:
        """Lots of units that these pieces are worth."""
        lots: dict[int, int] = defaultdict(int)
        for piece in pieces:
            lots[int(self._factor[piece])] += int(self.lots[piece])
        return sum((Fraction(n * MICROS, f) for f, n in lots.items()), Fraction(0))

    # Limits ---------------------------------------------------------------------------------

    def keep_limits(self) -> None:
        """Take back the lots that pass a link, a power budget or the domestic share."""
        limits = self._market.book.link_gbps_micros
        over = (limits != UNLIMITED) & (self._link_load > limits * LOTS_PER_UNIT)
        for link, period in np.argwhere(over).tolist():
            self._unload_link(link, period)
        self._add_domestic()
        self._keep_power()
        self._cut_foreign()

    def _unload_link(self, link: int, period: int) -> None:
        limit = int(self._market.book.link_gbps_micros[link, period]) * LOTS_PER_UNIT
        limited = self._market.network.route_limited
        over = np.array([link in mine for mine in limited])[self._route]
        rows = np.flatnonzero(over & (self._period == period) & (self._gbps > 0) & (self.lots > 0))
        for piece in self._least_missed(rows):
            while self._link_load[link, period] > limit and self.lots[piece] > 0:
                self.add(piece, -1)

    def _least_missed(self, pieces: Ints) -> list[int]:
        """Pieces of bids that are not whole anyway come first; foreign ones before domestic."""
        asked = self._market.book.bids.quantity_lots[self._bid[pieces]]
        units = np.bincount(self._row, weights=self.lots * (MICROS / self._factor))
        whole = units[self._row[pieces]] >= asked - 1e-6
        domestic = np.array([w > 0 for w in self._weight], dtype=np.bool_)[self._pair[pieces]]
        return [int(p) for p in pieces[np.lexsort((-pieces, whole, domestic))]]

    def _keep_power(self) -> None:
        book, region = self._market.book, self._market.network.pair_region
        for place, period in np.argwhere(book.power_kw_micros != UNLIMITED).tolist():
            limit = int(book.power_kw_micros[place, period]) * LOTS_PER_UNIT * 10**9
            pairs = np.flatnonzero(region == place)
            used = sum(self._kw[p] * int(self.sold[p, period]) for p in pairs.tolist())
            if used <= limit:
                continue
            here = (self._period == period) & (region[self._pair] == place) & (self.lots > 0)
            for piece in self._least_missed(np.flatnonzero(here)):
                while used > limit and self.lots[piece] > 0:
                    self.add(piece, -1)
                    used -= self._kw[int(self._pair[piece])]

    def _over_share(self) -> int:
        """TFLOPS x (domestic - share) over all lots, scaled: below zero where the share fails."""
        return sum(w * int(n) for w, n in zip(self._weight, self.sold.sum(axis=1), strict=True))

    def _add_domestic(self) -> None:
        """Make up for what the share lost in rounding by domestic lots, where there is room."""
        over = self._over_share() if any(self._weight) else 0
        domestic = np.array([w > 0 for w in self._weight], dtype=np.bool_)
        for piece in np.flatnonzero(domestic[self._pair]).tolist() if over < 0 else []:
            while over < 0 and self._may_grow(piece) and self._take(piece):
                over += self._weight[int(self._pair[piece])]

    def _may_grow(self, piece: int) -> bool:
        """The seller there has a lot more at the price, and the links carry it."""
        cell = self._pair[piece], self._period[piece]
        return bool(self.sold[cell] < self._supply.most[cell]) and self._room_on_links(piece)

    def _cut_foreign(self) -> None:
        """Less of what is foreign until the share of the domestic holds."""
        over = self._over_share() if any(self._weight) else 0
        foreign = np.array([w < 0 for w in self._weight], dtype=np.bool_)
        here = np.flatnonzero(foreign[self._pair] & (self.lots > 0))
        for piece in self._least_missed(here) if over < 0 else []:
            while over < 0 and self.lots[piece] > 0 and self._spare(piece):
                self.add(piece, -1)
                over -= self._weight[int(self._pair[piece])]

    def _spare(self, piece: int) -> bool:
        """The seller there does not mind a lot less."""
        return int(self.sold[self._pair[piece], self._period[piece]]) > self._least(piece)

    def _least(self, piece: int) -> int:
        return int(self._supply.least[self._pair[piece], self._period[piece]])

    # Sellers --------------------------------------------------------------------------------

    def is_whole(self) -> bool:
        """Every cell sells what its sellers are owed, no more than they would; orders are whole."""
        least, most = self._supply.least, self._supply.most
        served = bool(((self.sold >= least) & (self.sold <= most)).all())
        return served and orders_whole(self._market, self._pieces, self.lots)

    def try_whole(self) -> bool:
        """Take the lots that an integer program finds, if there are any."""
        self._add_twins()
        due = Due(
            blocks=self._blocks,
            supply=self._supply,
            links=self._links_left(),
            prices=self._prices,
        )
        lots = whole_lots(self._market, self._pieces, due)
        if lots is None:
            return False
        for piece in np.flatnonzero(lots != self.lots).tolist():
            self.add(piece, int(lots[piece] - self.lots[piece]))
        return True

    def _links_left(self) -> Floats:
        """(links, periods): Gbps x lots that blocks leave; infinite where there is no limit."""
        limits = self._market.book.link_gbps_micros
        left = np.where(limits == UNLIMITED, np.inf, limits / MICROS * LOTS_PER_UNIT)
        return left - self._block_load / MICROS

    def _add_twins(self) -> None:
        """Pieces of nothing: other cells where orders that are not whole lots might go instead."""
        broken = (self._pieces.fine % FINE != 0) | (self.lots * FINE != self._pieces.fine)
        open_cell = self._supply.most > self._supply.least
        open_cell[self._pair[broken], self._period[broken]] = True
        sinks = sink_of_rows(self._market)
        for row in np.unique(self._row[broken])[:TWINS_MAX].tolist():
            period = int(self._market.demand.ladders.row_period[row])
            for arc in self._cheap_arcs(int(sinks[row])):
                for pair in self._cheapest_under(int(self._market.arcs.node[arc]), period):
                    if open_cell[pair, period]:
                        self._twin(row, arc, pair)

    def _cheap_arcs(self, sink: int) -> list[int]:
        arcs = self._market.arcs
        mine = np.arange(int(arcs.start[sink]), int(arcs.start[sink + 1]))
        return [int(arc) for arc in mine[self._cheap[mine]]]

    def _cheapest_under(self, node: int, period: int) -> list[int]:
        """Cells that sell at the node's price: an idle one may ask more."""
        pairs = self._pairs_under(node)
        here = [pair for pair in pairs if self._market.book.open_cells[pair, period]]
        ticks = self._prices.cells_ticks[here, period]
        return [pair for pair, price in zip(here, ticks, strict=True) if price == ticks.min()]

    def _pairs_under(self, node: int) -> list[int]:
        """The pairs that a node draws from, however indirectly."""
        if node not in self._under:
            network = self._market.network
            sources = network.feed_from[network.feed_to == node].tolist()
            found = [node] if node < len(network.pair_region) else []
            for source in sources:
                found += self._pairs_under(source)
            self._under[node] = found
        return self._under[node]

    def serve_sellers(self) -> None:
        """Give every cell the lots that its sellers are owed, where that is possible."""
        short = np.argwhere(self.sold < self._supply.least)
        for pair, period in short.tolist():
            for _ in range(REPAIRS_MAX):
                if self.sold[pair, period] >= self._supply.least[pair, period]:
                    break
                if not self._give_one(pair, period):
                    break

    def _give_one(self, pair: int, period: int) -> bool:
        here = np.flatnonzero((self._pair == pair) & (self._period == period))
        lost = self._pieces.fine[here] - self.lots[here] * FINE
        order = here[np.argsort(-lost, kind="stable")]
        if any(self._room_on_links(piece) and self._take(piece) for piece in order.tolist()):
            return True
        return any(
            self._room_on_links(piece) and self._take(piece)
            for piece in self._at_the_margin(pair, period)
        )

    def _at_the_margin(self, pair: int, period: int) -> Iterator[int]:
        """Pieces for orders that would buy here at the price and whose own came to no lot."""
        demand, arcs = self._market.demand, self._market.arcs
        ladders, factor = demand.ladders, arcs.factor_micros
        for arc in np.flatnonzero(self._cheap & (arcs.period == period)).tolist():
            if pair not in self._cheapest_under(int(arcs.node[arc]), period):
                continue
            worth = ladders.step_ticks * (MICROS / int(factor[arc]))
            price = self._prices.cells_ticks[pair, period]
            mine = (demand.sink[ladders.step_ladder] == arcs.sink[arc]) & (worth >= price)
            for row in np.flatnonzero(mine[ladders.row_step]).tolist():
                yield self._twin(row, arc, pair)

    def share_ties(self) -> None:
        """Deal the lots of tied orders out pro rata, where one cell serves them."""
        for tie in list(misshared_ties(self._market, self._pieces, self.lots)):
            for row, lots in zip(tie.rows.tolist(), tie.lots.tolist(), strict=True):
                piece = self._twin(row, tie.arc, tie.pair)
                self.add(piece, lots - int(self.lots[piece]))

    def _twin(self, row: int, arc: int, pair: int) -> int:
        """The piece of an order over an arc from a pair, made if need be."""
        found = np.flatnonzero(
            (self._row == row) & (self._pieces.arc == arc) & (self._pair == pair)
        )
        if len(found):
            return int(found[0])
        ladders, arcs, old = self._market.demand.ladders, self._market.arcs, self._pieces
        bid = ladders.row_order[row]
        self._row, self._pair = np.append(self._row, row), np.append(self._pair, pair)
        self._period = np.append(self._period, ladders.row_period[row])
        self._bid = np.append(self._bid, bid)
        self._gbps = np.append(self._gbps, self._market.book.bids.gbps_micros[bid])
        self._factor = np.append(self._factor, arcs.factor_micros[arc])
        self._route = np.append(self._route, arcs.route[arc])
        self.lots = np.append(self.lots, 0)
        self._by_row = None
        self._pieces = Pieces(
            row=self._row,
            arc=np.append(old.arc, arc),
            pair=self._pair,
            fine=np.append(old.fine, 0),
        )
        return len(self.lots) - 1

    def _take(self, piece: int) -> bool:
        """One lot more for a piece, if its bid has room."""
        self.add(piece, 1)
        if self._within(piece):
            return True
        self.add(piece, -1)
        return False

    def _within(self, piece: int) -> bool:
        bid, bids = int(self._bid[piece]), self._market.book.bids
        if self._units(self._pieces_of(int(self._row[piece]))) > int(bids.quantity_lots[bid]):
            return False
        if bids.kind[bid] != BidKind.VOLUME:
            return True
        return self._units(np.flatnonzero(self._bid == bid).tolist()) <= int(bids.volume_lots[bid])

    def _pieces_of(self, row: int) -> list[int]:
        if self._by_row is None:
            self._by_row = defaultdict(list)
            for piece, owner in enumerate(self._row.tolist()):
                self._by_row[owner].append(piece)
        return self._by_row[row]

    def _room_on_links(self, piece: int) -> bool:
        use, period = int(self._gbps[piece]), int(self._period[piece])
        limits = self._market.book.link_gbps_micros
        return all(
            limits[link, period] == UNLIMITED
            or self._link_load[link, period] + use <= int(limits[link, period]) * LOTS_PER_UNIT
            for link in (self._market.network.route_limited[self._route[piece]] if use else ())
        )


def share_supply(market: Market, sold: Ints) -> Ints:
    """Lots per row of the supply ladders: lowest asks first, equal asks pro rata."""
    supply = market.supply
    upto = np.cumsum(supply.step_lots)
    before = upto - supply.step_lots
    base = before[supply.start[:-1]][supply.step_ladder]
    cell = supply.key[supply.step_ladder]
    taken = np.clip(sold.ravel()[cell] - (before - base), 0, supply.step_lots)
    rows = np.lexsort((supply.row_order, supply.row_step))
    weight = market.book.offers.quantity_lots[supply.row_order[rows]]
    lots = np.empty(len(rows), dtype=np.int64)
    lots[rows] = share_pro_rata(supply.row_step[rows], weight, taken)
    return lots
