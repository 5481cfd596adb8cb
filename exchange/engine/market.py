"""A book as the solver's problem: everything that is derived from it once.

Rows of the linear program, in this order: a balance per open (class or pool, period), and per
cell that is *split*, which the others of its class are not; the limited links;
the limited power budgets; the domestic share; a balance per sink of demand; the volumes; one row
per group of options. Prices are the rows' duals.

Quantities are in accelerators (or units), prices in currency per hour.
"""

from dataclasses import dataclass, replace

import numpy as np

from exchange.engine.book import (
    LOTS_PER_UNIT,
    MICROS,
    TICKS_PER_UNIT,
    UNLIMITED,
    Book,
    Flags,
    Floats,
    Ints,
)
from exchange.engine.columns import Arcs, Options, list_arcs, list_options
from exchange.engine.ladders import NO_VOLUME, Demand, Ladders, stack_demand, stack_supply
from exchange.engine.network import Network, build_network
from exchange.engine.solver import INFINITY, Program
from exchange.engine.wants import find_wants

NO_ROW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where each constraint stands in the program; ``NO_ROW`` where there is none."""

    node: Ints  # (nodes, periods)
    sale: Ints  # (pairs, periods): what sellers sell; the node itself where no limit is on supply
    link: Ints  # (links, periods)
    power: Ints  # (regions, periods)
    policy: int
    sink: Ints
    volume: Ints
    group: Ints
    lower: Floats
    upper: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A book with its network, ladders, arcs, options, and the rows that bind them."""

    book: Book
    network: Network
    supply: Ladders
    demand: Demand
    arcs: Arcs
    options: Options
    split: Flags  # (pairs, periods): cells with a balance of their own
    rows: Rows

    def split_at(self, options: Ints) -> "Market":
        """The same market with the cells of some options split."""
        split = np.zeros_like(self.split)
        for option in options.tolist():
            periods = slice(int(self.options.first[option]), int(self.options.end[option]))
            split[self.options.pair[option], periods] = True
        return self.with_split(split)

    def with_split(self, split: Flags) -> "Market":
        """The same market with just these cells split."""
        return replace(self, split=split, rows=_number_rows(self, split))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duals:
    """Prices as the solver gives them, in currency.

    ``nodes`` (nodes, periods), infinite where nothing is for sale; ``links`` (links, periods) per
    Gbps-hour; ``power`` (regions, periods) per kWh; ``policy`` per 1,000 TFLOPS-hours;
    ``sinks`` what one more unit would be worth to each sink; ``groups`` what each would gain;
    ``rows`` all of them as the program's rows.
    """

    nodes: Floats
    links: Floats
    power: Floats
    policy: float
    sinks: Floats
    groups: Floats
    rows: Floats


Entries = tuple[Ints, Ints, Floats]


def lay_out_market(book: Book) -> Market:
    """Derive the whole problem from a book, no cell split."""
    wants = find_wants(book)
    network = build_network(book, wants)
    demand = stack_demand(book, wants, network)
    options = list_options(book, network, wants)
    none = np.zeros(0, dtype=np.int64)
    blank = Rows(
        node=none,
        sale=none,
        link=none,
        power=none,
        policy=NO_ROW,
        sink=none,
        volume=none,
        group=none,
        lower=np.zeros(0),
        upper=np.zeros(0),
    )
    market = Market(
        book=book,
        network=network,
        supply=stack_supply(book),
        demand=demand,
        arcs=list_arcs(book, network, wants, demand),
        options=options,
        split=np.zeros(book.open_cells.shape, dtype=np.bool_),
        rows=blank,
    )
    return market.with_split(market.split)


def _number_rows(market: Market, split: Flags) -> Rows:
    book, network, demand = market.book, market.network, market.demand
    count = 0

    def number(present: Flags) -> Ints:
        nonlocal count
        rows = np.full(present.shape, NO_ROW, dtype=np.int64)
        rows[present] = count + np.arange(int(present.sum()))
        count += int(present.sum())
        return rows

    link_set, power_set = book.link_gbps_micros != UNLIMITED, book.power_kw_micros != UNLIMITED
    policy_set = np.array([book.min_domestic_share_micros is not None])
    sinks = np.ones(len(demand.sink_want), dtype=np.bool_)
    volumes = np.ones(len(demand.volume_bid), dtype=np.bool_)
    pairs = len(split)
    own = network.open_nodes.copy()
    own[:pairs] &= split & _has_siblings(network)[:, None]
    shared = network.open_nodes[:pairs] & ~own[:pairs]

    def of_pairs(rows: Ints) -> Ints:
        rows[:pairs][shared] = rows[network.pair_class][shared]
        return rows

    node = of_pairs(number(own))
    link, power = number(link_set), number(power_set)
    sale = node[:pairs]
    if policy_set.any() or power_set.any():
        own[pairs + network.classes :] = False
        sale = of_pairs(number(own))[:pairs]
    policy, sink, volume = int(number(policy_set)[0]), number(sinks), number(volumes)
    group = number(np.ones(market.options.groups, dtype=np.bool_))
    rows = Rows(
        node=node,
        sale=sale,
        link=link,
        power=power,
        policy=policy,
        sink=sink,
        volume=volume,
        group=group,
        lower=np.zeros(count),
        upper=np.zeros(count),
    )
    return _bound_rows(market, rows)


def _bound_rows(market: Market, rows: Rows) -> Rows:
    """Balances are exact; limits, volumes and groups hold from above, the policy from below."""
    book = market.book
    lower, upper = rows.lower.copy(), rows.upper.copy()
    link_set, power_set = rows.link != NO_ROW, rows.power != NO_ROW
    upper[rows.link[link_set]] = book.link_gbps_micros[link_set] / MICROS
    upper[rows.power[power_set]] = book.power_kw_micros[power_set] / MICROS
    upper[rows.volume] = market.demand.volume_lots / LOTS_PER_UNIT
    upper[rows.group] = 1.0
    for one_sided in (rows.link[link_set], rows.power[power_set], rows.volume, rows.group):
        lower[one_sided] = -INFINITY
    if rows.policy != NO_ROW:
        upper[rows.policy] = INFINITY
    return replace(rows, lower=lower, upper=upper)


def _has_siblings(network: Network) -> Flags:
    """Pairs that are not alone in their class; one that is needs no balance of its own."""
    size = np.bincount(network.pair_class, minlength=len(network.open_nodes))
    return np.asarray(size[network.pair_class] > 1)


def lead_options(market: Market) -> Flags:
    """Of the options that no balance tells apart, the first: others would be the same column."""
    options, network = market.options, market.network
    own = market.split & _has_siblings(network)[:, None]
    upto = np.concatenate([np.zeros((len(own), 1), np.int64), own.cumsum(axis=1)], axis=1)
    alone = upto[options.pair, options.end] > upto[options.pair, options.first]
    place = np.where(alone, options.pair, network.pair_class[options.pair])
    keys = np.stack([options.block, place, options.route, options.first], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    lead = np.zeros(len(place), dtype=np.bool_)
    lead[first] = True
    return lead


def supply_columns(market: Market) -> Program:
    """One column per step of supply, in accelerators."""
    book, rows = market.book, market.rows
    steps = market.supply
    pair, period = np.divmod(steps.key[steps.step_ladder], book.periods)
    row = rows.sale[pair, period]
    return assemble(
        [(row, np.arange(len(pair)), np.ones(len(pair)))],
        cost=steps.step_ticks / TICKS_PER_UNIT,
        upper=steps.step_lots / LOTS_PER_UNIT,
        rows=rows,
    )


def sale_columns(market: Market) -> Program:
    """One column per balance whose supply is limited: what goes from its sellers to the node.

    So power and the domestic share see a few totals, and not every step of every ladder.
    """
    rows, network = market.rows, market.network
    pair, period = np.nonzero(rows.sale != rows.node[: len(rows.sale)])
    sale, first = np.unique(rows.sale[pair, period], return_index=True)
    pair, period = pair[first], period[first]
    columns, one = np.arange(len(pair)), np.ones(len(pair))
    power = rows.power[network.pair_region[pair], period]
    entries = [
        (sale, columns, -one),
        (rows.node[pair, period], columns, one),
        _present(power, columns, network.kw[pair]),
    ]
    if rows.policy != NO_ROW:
        entries.append((np.full(len(pair), rows.policy), columns, network.policy[pair]))
    return assemble(
        entries, cost=np.zeros(len(pair)), upper=np.full(len(pair), INFINITY), rows=rows
    )


def open_feeds(market: Market) -> tuple[Ints, Ints]:
    """(feed, period) between different balances: the rows of ``feed_columns``."""
    network, rows = market.network, market.rows
    source, target = rows.node[network.feed_from], rows.node[network.feed_to]
    feed, period = np.nonzero((source != NO_ROW) & (source != target))
    return feed, period


def feed_columns(market: Market) -> Program:
    """One column per open feed, what a class or pool draws; then the sale columns."""
    network, rows = market.network, market.rows
    feed, period = open_feeds(market)
    columns, one = np.arange(len(feed)), np.ones(len(feed))
    feeds = assemble(
        [
            (rows.node[network.feed_from[feed], period], columns, -one),
            (rows.node[network.feed_to[feed], period], columns, one),
        ],
        cost=np.zeros(len(feed)),
        upper=np.full(len(feed), INFINITY),
        rows=rows,
    )
    return join_columns([feeds, sale_columns(market)])


def demand_columns(market: Market) -> Program:
    """One column per step of demand, in units."""
    steps = market.demand.ladders
    return ladder_columns(
        market,
        steps.step_ladder,
        price=steps.step_ticks / TICKS_PER_UNIT,
        units=steps.step_lots / LOTS_PER_UNIT,
    )


def ladder_columns(market: Market, ladder: Ints, *, price: Floats, units: Floats) -> Program:
    """One column per row: units at most of a ladder of demand, each worth the price."""
    demand, rows = market.demand, market.rows
    columns = np.arange(len(ladder))
    volume = demand.volume[ladder]
    mine = volume != NO_VOLUME
    return assemble(
        [
            (rows.sink[demand.sink[ladder]], columns, -np.ones(len(columns))),
            (rows.volume[volume[mine]], columns[mine], np.ones(int(mine.sum()))),
        ],
        cost=-price,
        upper=units,
        rows=rows,
    )


def arc_columns(market: Market, chosen: Ints) -> Program:
    """One column per chosen arc, in units."""
    arcs, rows = market.arcs, market.rows
    columns = np.arange(len(chosen))
    factor, period = arcs.factor[chosen], arcs.period[chosen]
    entries = [
        (rows.node[arcs.node[chosen], period], columns, -factor),
        (rows.sink[arcs.sink[chosen]], columns, np.ones(len(chosen))),
        *_over_links(market, arcs.route[chosen], period, factor * arcs.gbps[chosen]),
    ]
    return assemble(
        entries, cost=np.zeros(len(chosen)), upper=np.full(len(chosen), INFINITY), rows=rows
    )


def option_columns(market: Market, chosen: Ints, *, convex: bool = True) -> Program:
    """One column per chosen option, from 0 (not) to 1 (accepted); ``convex``: one of a group."""
    options, rows = market.options, market.rows
    length = options.end[chosen] - options.first[chosen]
    column = np.repeat(np.arange(len(chosen)), length)
    start = np.cumsum(length) - length
    period = options.first[chosen][column] + np.arange(len(column)) - start[column]
    need = options.need[chosen][column].astype(np.float64)
    gbps = need * options.gbps[chosen][column]
    entries = [(rows.node[options.pair[chosen][column], period], column, -need)]
    for links, part, use in _over_links(market, options.route[chosen][column], period, gbps):
        entries.append((links, column[part], use))
    if convex:
        one = np.ones(len(chosen))
        entries.append((rows.group[options.group[chosen]], np.arange(len(chosen)), one))
    return assemble(entries, cost=-options.value[chosen], upper=np.ones(len(chosen)), rows=rows)


def _over_links(market: Market, route: Ints, period: Ints, gbps: Floats) -> list[Entries]:
    """What each (route, period) uses of its limited links; routes have few links."""
    limited = market.network.route_limited
    entries = []
    for place in range(max((len(links) for links in limited), default=0)):
        at_place = np.array([r[place] if len(r) > place else NO_ROW for r in limited])
        link = at_place[route]
        part = np.flatnonzero((link != NO_ROW) & (gbps > 0))
        row = market.rows.link[link[part], period[part]]
        entries.append(_present(row, part, gbps[part]))
    return entries


def _present(row: Ints, column: Ints, value: Floats) -> Entries:
    there = row != NO_ROW
    return row[there], column[there], value[there]


def assemble(entries: list[Entries], *, cost: Floats, upper: Floats, rows: Rows) -> Program:
    """Put (row, column, value) entries together as columns from 0 to ``upper``."""
    row = np.concatenate([e[0] for e in entries])
    column = np.concatenate([e[1] for e in entries])
    value = np.concatenate([e[2] for e in entries])
    order = np.argsort(column, kind="stable")
    start = np.searchsorted(column[order], np.arange(len(cost) + 1))
    return Program(
        cost=cost,
        lower=np.zeros(len(cost)),
        upper=upper,
        row_lower=rows.lower,
        row_upper=rows.upper,
        start=start.astype(np.int64),
        index=row[order],
        value=value[order].astype(np.float64),
    )


def join_columns(parts: list[Program]) -> Program:
    """Columns of several programs over the same rows, side by side."""
    starts = [part.start[:-1] for part in parts]
    offsets = np.cumsum([0] + [int(part.start[-1]) for part in parts])
    return Program(
        cost=np.concatenate([part.cost for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        row_lower=parts[0].row_lower,
        row_upper=parts[0].row_upper,
        start=np.concatenate(
            [s + o for s, o in zip(starts, offsets, strict=False)] + [offsets[-1:]]
        ),
        index=np.concatenate([part.index for part in parts]),
        value=np.concatenate([part.value for part in parts]),
    )


def take_columns(columns: Program, chosen: Ints) -> Program:
    """Some columns of a program, in the order given."""
    length = np.diff(columns.start)[chosen]
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    entry = np.repeat(columns.start[:-1][chosen] - start[:-1], length) + np.arange(start[-1])
    return Program(
        cost=columns.cost[chosen],
        lower=columns.lower[chosen],
        upper=columns.upper[chosen],
        row_lower=columns.row_lower,
        row_upper=columns.row_upper,
        start=start,
        index=columns.index[entry],
        value=columns.value[entry],
    )


def activity(columns: Program, x: Floats) -> Floats:
    """How much of each row the columns use: ``A @ x``."""
    column = np.repeat(np.arange(len(x)), np.diff(columns.start))
    used = np.bincount(
        columns.index, weights=columns.value * x[column], minlength=len(columns.row_lower)
    )
    return np.asarray(used, dtype=np.float64)


def per_column(columns: Program, y: Floats) -> Floats:
    """What each column is worth at the rows' values: ``A.T @ y``."""
    column = np.repeat(np.arange(len(columns.cost)), np.diff(columns.start))
    worth = np.bincount(
        column, weights=columns.value * y[columns.index], minlength=len(columns.cost)
    )
    return np.asarray(worth, dtype=np.float64)
