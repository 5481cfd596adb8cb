"""Published fills as contract terms: exact prices, period by period.

A contract is what one bid got at one site on one accelerator. Its buyer pays the cell's price and
gbps x the prices of the links on its route; its provider receives the cell's price less power and
with policy (market.md, section 5). Where rounding to the tick would make either of them lose, its
price gives way (``limits_kept``). Where a buyer offered hours back, it is the seller of what was
sold of them (``resold_terms``).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Context, Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from exchange.foundation.money import LOTS, MICROS, TICKS
from exchange.foundation.periods import Period
from exchange.models import Auction, LinkPrice, PowerPrice
from exchange.queries.copying import copy_rows_out
from exchange.queries.seller_prices import policy_price, power_price
from exchange.services.limits_kept import Asks, asks_of, cuts_for_buyer, raise_for_sellers
from exchange.services.resold_terms import resold_in, share_sellers
from settlement.services.contracts import ContractTerms, PeriodTerms

PRICE_PLACES = 21
EXACT = Context(prec=60)
NOTHING = Fraction(0)
MINUTE = timedelta(minutes=1)

FILLS = """
SELECT bid.public_id, bid.organization_id, bid.hold_key, site.provider_id,
    site.code, region.code, accelerator.code, accelerator.kind, accelerator.domestic,
    accelerator.tflops_micros, accelerator.watts_micros, site.pue_micros, site.renewable_micros,
    site.region_id, fill.period, fill.quantity_lots, price.price_ticks, bid.gbps_micros,
    route.links, bid.kind, bid.limit_ticks, bid.quantity_lots,
    bid.factors_micros[array_position(bid.accelerators, accelerator.code)]
FROM exchange_bidfill AS fill
JOIN exchange_bid AS bid ON bid.id = fill.bid_id
JOIN exchange_site AS site ON site.id = fill.site_id
JOIN exchange_region AS region ON region.id = site.region_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = fill.accelerator_id
JOIN exchange_route AS route ON route.id = fill.route_id
JOIN exchange_cellprice AS price
  ON price.auction_id = fill.auction_id AND price.site_id = fill.site_id
     AND price.accelerator_id = fill.accelerator_id AND price.period = fill.period
WHERE fill.auction_id = %(auction)s
ORDER BY bid.public_id COLLATE "C", site.code COLLATE "C", accelerator.code COLLATE "C",
    fill.period, route.code COLLATE "C"
"""
FILL_TYPES = [
    *("text", "int8", "text", "int8", "text", "text", "text", "text", "bool"),
    *("int8", "int8", "int8", "int8", "int8", "int4", "int8", "int8", "int8", "text[]"),
    *("text", "int8", "int8", "int8"),
]


class Fill(NamedTuple):
    """One row of FILLS."""

    bid: str
    buyer_id: int
    hold_key: str
    provider_id: int
    site: str
    region: str
    accelerator: str
    kind: str
    domestic: bool
    tflops_micros: int
    watts_micros: int
    pue_micros: int
    renewable_micros: int
    region_id: int
    period: int
    quantity_lots: int
    price_ticks: int
    gbps_micros: int
    links: list[str]
    bid_kind: str
    limit_ticks: int
    unit_lots: int
    factor_micros: int


@dataclass(frozen=True, slots=True)
class Surcharges:
    """What scarce links, power and the policy add to or take from the cells' prices."""

    links: dict[tuple[str, int], int]
    power: dict[tuple[int, int], int]
    domestic_share_nanos: int
    min_domestic_share_micros: int | None

    def congestion(self, fill: Fill) -> Fraction:
        """What the buyer pays for its route, per accelerator-hour."""
        if not self.links or not fill.links:
            return NOTHING
        ticks = sum(self.links.get((link, fill.period), 0) for link in fill.links)
        return Fraction(ticks * fill.gbps_micros, TICKS * MICROS)

    def power_price(self, fill: Fill) -> Fraction:
        """What the region's power budget takes from the seller, per accelerator-hour."""
        ticks = self.power.get((fill.region_id, fill.period), 0)
        return power_price(ticks, watts_micros=fill.watts_micros, pue_micros=fill.pue_micros)

    def policy_price(self, fill: Fill) -> Fraction:
        """What the domestic share gives to the seller, or takes, per accelerator-hour."""
        return policy_price(
            self.domestic_share_nanos,
            self.min_domestic_share_micros,
            tflops_micros=fill.tflops_micros,
            domestic=fill.domestic,
        )


def contract_terms(auction: Auction) -> list[ContractTerms]:
    """Return the terms of every contract that follows from the fills of a cleared auction."""
    rows = copy_rows_out(FILLS, {"auction": auction.pk}, FILL_TYPES)
    fills = [Fill(*row) for row in rows]
    cells = _Cells(auction, surcharges_of(auction), asks_of(auction))
    terms = [
        _terms(auction, list(same), cells)
        for _, same in groupby(fills, key=lambda fill: (fill.bid, fill.site, fill.accelerator))
    ]
    return share_sellers(terms, resold_in(auction))


def surcharges_of(auction: Auction) -> Surcharges:
    """Return the prices of links and power and the policy's price, as they were cleared."""
    links = LinkPrice.objects.filter(auction=auction)
    power = PowerPrice.objects.filter(auction=auction)
    return Surcharges(
        links={
            (code, period): ticks
            for code, period, ticks in links.values_list("link__code", "period", "price_ticks")
        },
        power={
            (region, period): ticks
            for region, period, ticks in power.values_list("region_id", "period", "price_ticks")
        },
        domestic_share_nanos=auction.result.domestic_share_nanos,
        min_domestic_share_micros=auction.min_domestic_share_micros,
    )


def greatest_cost_of(terms: ContractTerms) -> int:
    """Return the most that the contract can cost its buyer, fee included, in micro-units.

    Each period's amount and its fee are rounded down, as they will be settled. What a buyer is
    paid where the policy made a price negative is credited to it, and covers no other period.
    """
    total = 0
    for period in terms.periods:
        minutes = (period.ends_at - period.starts_at) // MINUTE
        price, parts = period.buyer_price.as_integer_ratio()
        due = price * MICROS * period.quantity_lots * minutes
        whole = max(0, due // (parts * LOTS * 60))
        total += whole + whole * terms.buyer_fee_ppm // MICROS
    return total


class _Cell(NamedTuple):
    """What all fills of a site, chip and period have in common; exact prices."""

    at: Period
    price: Decimal
    seller_price: Decimal
    power_price: Decimal
    policy_price: Decimal


class _Cells:
    """The cells of an auction, each reckoned when the first fill there asks for it."""

    def __init__(self, auction: Auction, surcharges: Surcharges, asks: Asks) -> None:
        self.surcharges = surcharges
        self._auction, self._asks = auction, asks
        self._known: dict[tuple[str, str, int], _Cell] = {}

    def of(self, fill: Fill) -> _Cell:
        """Return the cell that a fill bought from."""
        key = (fill.site, fill.accelerator, fill.period)
        if key not in self._known:
            self._known[key] = self._reckon(fill)
        return self._known[key]

    def _reckon(self, fill: Fill) -> _Cell:
        price = exact_price(Fraction(fill.price_ticks, TICKS))
        power = exact_price(self.surcharges.power_price(fill))
        policy = exact_price(self.surcharges.policy_price(fill))
        net = EXACT.add(EXACT.subtract(price, power), policy)
        sold = self._asks[fill.site, fill.accelerator, fill.period]
        raised = -exact_price(-raise_for_sellers(sold, Fraction(net)))  # rounded up
        return _Cell(
            at=self._auction.period(fill.period),
            price=price,
            seller_price=EXACT.add(net, raised),
            power_price=power,
            policy_price=policy,
        )


def _terms(auction: Auction, fills: list[Fill], cells: _Cells) -> ContractTerms:
    first = fills[0]
    return ContractTerms(
        buyer_id=first.buyer_id,
        provider_id=first.provider_id,
        auction_id=auction.public_id,
        bid_id=first.bid,
        hold_key=first.hold_key,
        site_code=first.site,
        region_code=first.region,
        accelerator_code=first.accelerator,
        accelerator_kind=first.kind,
        domestic=first.domestic,
        tflops_micros=first.tflops_micros,
        watts_micros=first.watts_micros,
        pue_micros=first.pue_micros,
        renewable_micros=first.renewable_micros,
        currency=auction.currency,
        tolerance_ppm=auction.tolerance_ppm,
        penalty_factor_ppm=auction.penalty_factor_ppm,
        dispute_days=auction.dispute_days,
        notice_minutes=auction.notice_minutes,
        buyer_fee_ppm=auction.buyer_fee_ppm,
        seller_fee_ppm=auction.seller_fee_ppm,
        run_delays_minutes=tuple(auction.run_delays_minutes),
        periods=list(_periods(fills, cells)),
    )


def _periods(fills: list[Fill], cells: _Cells) -> Iterator[PeriodTerms]:
    in_period: dict[int, list[Fill]] = defaultdict(list)
    for fill in fills:
        in_period[fill.period].append(fill)
    cleared = [_cleared(same, cells) for same in in_period.values()]
    first = fills[0]
    cuts = cuts_for_buyer(
        [period.buyer_price for period in cleared],
        [period.quantity_lots for period in cleared],
        kind=first.bid_kind,
        limit_ticks=first.limit_ticks,
        factor_micros=first.factor_micros,
        unit_lots=first.unit_lots,
    )
    for period, cut in zip(cleared, cuts, strict=True):
        if cut:
            price = exact_price(Fraction(period.buyer_price) - cut)
            yield replace(period, buyer_price=price)
        else:
            yield period


def _cleared(fills: list[Fill], cells: _Cells) -> PeriodTerms:
    """Return a period's terms, its buyer's price not yet cut to the bid's limit."""
    first, cell = fills[0], cells.of(fills[0])
    lots = sum(fill.quantity_lots for fill in fills)
    # Over several routes: what they cost together, spread over all.
    routes = sum(cells.surcharges.congestion(fill) * fill.quantity_lots for fill in fills)
    congestion = exact_price(Fraction(routes, lots)) if routes else NO_CONGESTION
    return PeriodTerms(
        starts_at=cell.at.start,
        ends_at=cell.at.end,
        quantity_lots=lots,
        price_ticks=first.price_ticks,
        buyer_price=EXACT.add(cell.price, congestion),
        seller_price=cell.seller_price,
        congestion_price=congestion,
        power_price=cell.power_price,
        policy_price=cell.policy_price,
    )


def exact_price(price: Fraction) -> Decimal:
    """Return a price with 21 decimals; more there are only where routes are averaged."""
    scaled = price.numerator * 10**PRICE_PLACES // price.denominator
    return Decimal(scaled).scaleb(-PRICE_PLACES, EXACT)


NO_CONGESTION = exact_price(Fraction(0))
