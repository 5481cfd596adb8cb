"""Standing bids as rows of a closed book: their window, cut to the auction, and what is left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from exchange.engine.book import Ints
from exchange.engine.layout import BOOK_TABLES
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Auction, AuctionState, Bid, BidFill, BidKind
from exchange.queries.occupancy import busiest, equal_runs, whole_periods
from exchange.queries.order_names import part_names

MINUTE = timedelta(minutes=1)
Run = tuple[int, int, int]  # first period, end, lots


@dataclass(frozen=True, slots=True)
class Got:
    """What a bid got in one stretch of minutes from the auction's start, in lots of units."""

    first: int
    end: int
    lots: int


def standing_tables(auction: Auction) -> dict[str, bytes]:
    """Return what standing bids add to ``bids.csv`` and ``bid_accelerators.csv``, as CSV rows."""
    entered = Bid.objects.filter(entries__auction=auction).select_related("origin").order_by("id")
    bids = list(entered)
    got = fills_before(auction, bids)
    jobs = _job_names(bids)
    rows, choices = [], []
    for bid in bids:
        runs = runs_left(bid, auction, got[bid.pk])
        names = part_names(bid.public_id, [first for first, _, _ in runs])
        for name, run in zip(names, runs, strict=True):
            rows.append(
                _row(
                    name,
                    bid,
                    run,
                    minutes=auction.period_minutes,
                    volume=volume_left(bid, got[bid.pk]),
                    job=jobs.get((bid.organization_id, bid.group), ""),
                )
            )
            choices += [
                [name, code, format_scaled(factor, scale=MICROS)]
                for code, factor in bid.factors.items()
            ]
    assert all(len(row) == len(BOOK_TABLES["bids.csv"]) for row in rows)
    return {"bids.csv": _csv(rows), "bid_accelerators.csv": _csv(choices)}


def fills_before(auction: Auction, bids: Sequence[Bid]) -> dict[int, list[Got]]:
    """Return what each bid got in auctions that were published, units rounded up."""
    by_id = {bid.pk: bid for bid in bids}
    fills = BidFill.objects.filter(bid__in=by_id, auction__state=AuctionState.PUBLISHED)
    found: dict[int, list[Got]] = defaultdict(list)
    for fill in fills.select_related("accelerator"):
        factor = by_id[fill.bid_id].factors[fill.accelerator.code]
        first = (fill.starts_at - auction.starts_at) // MINUTE
        end = (fill.ends_at - auction.starts_at) // MINUTE
        found[fill.bid_id].append(Got(first, end, -(-fill.quantity_lots * MICROS // factor)))
    return found


def runs_left(bid: Bid, auction: Auction, got: list[Got]) -> list[Run]:
    """Return the rows that a bid has in the book: none where it no longer fits or is above the cap.

    Blocks and volume bids have one row, hourly bids one for each run of periods in which the same
    amount is left.
    """
    minutes, periods = auction.period_minutes, auction.periods
    start = np.array([(bid.starts_at - auction.starts_at) // MINUTE])
    stop = np.array([(bid.ends_at - auction.starts_at) // MINUTE])
    first, end = whole_periods(start, stop, periods=periods, minutes=minutes)
    window = int(first[0]), int(end[0])
    cap = auction.price_cap_ticks * min(bid.factors_micros)
    if window[0] >= window[1] or bid.limit_ticks * MICROS > cap:
        return []
    if bid.kind == BidKind.BLOCK:
        return _block_run(bid, window, minutes, got)
    left = np.maximum(bid.quantity_lots - _busy(auction, got), 0)
    if bid.kind == BidKind.VOLUME:
        at_once = int(left[slice(*window)].min())
        wanted = volume_left(bid, got) >= minutes
        return [(*window, at_once)] if at_once and wanted else []
    left[: window[0]] = 0
    left[window[1] :] = 0
    return equal_runs(left)


def volume_left(bid: Bid, got: list[Got]) -> int:
    """Return lots of units times minutes that a volume bid still wants."""
    return max((bid.volume_lot_minutes or 0) - sum(g.lots * (g.end - g.first) for g in got), 0)


def _block_run(bid: Bid, window: tuple[int, int], minutes: int, got: list[Got]) -> list[Run]:
    assert bid.duration_minutes is not None
    periods, rest = divmod(bid.duration_minutes, minutes)
    if got or rest or periods > window[1] - window[0]:
        return []
    return [(*window, bid.quantity_lots)]


def _busy(auction: Auction, got: list[Got]) -> Ints:
    columns = np.array([(g.first, g.end, g.lots) for g in got], dtype=np.int64).reshape(-1, 3)
    taken = busiest(
        np.zeros(len(columns), dtype=np.int64),
        (columns[:, 0], columns[:, 1]),
        columns[:, 2],
        rows=1,
        periods=auction.periods,
        minutes=auction.period_minutes,
    )
    return np.asarray(taken[0])


def _job_names(bids: Sequence[Bid]) -> dict[tuple[int, str], str]:
    """Name each group after its first bid, so that the public book does not say whose it is."""
    names: dict[tuple[int, str], str] = {}
    for bid in sorted(bids, key=lambda bid: bid.public_id):
        if bid.group:
            names.setdefault((bid.organization_id, bid.group), bid.public_id)
    return names


def _row(name: str, bid: Bid, run: Run, *, minutes: int, volume: int, job: str) -> list[str]:
    first, end, lots = run
    latency = bid.latency_micros_max
    unit_periods = min(volume // minutes, lots * (end - first))
    return [
        name,
        bid.kind,
        bid.origin.code,
        format_scaled(lots, scale=LOTS),
        format_scaled(bid.limit_ticks, scale=TICKS),
        str(first),
        str(end),
        str(bid.duration_minutes // minutes) if bid.duration_minutes else "",
        format_scaled(unit_periods, scale=LOTS) if bid.kind == BidKind.VOLUME else "",
        "" if latency is None else format_scaled(latency, scale=MICROS),
        format_scaled(bid.gbps_micros, scale=MICROS),
        job,
        " ".join(bid.regions),
        format_scaled(bid.renewable_micros_min, scale=MICROS),
    ]


def _csv(rows: list[list[str]]) -> bytes:
    """Join rows that hold no commas and no quotes: codes, ids and numbers."""
    return "".join(f"{','.join(row)}\n" for row in rows).encode()
