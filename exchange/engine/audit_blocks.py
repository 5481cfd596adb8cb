"""Blocks at the published prices: no accepted one loses; the rejected winners and the regret."""

from dataclasses import dataclass

import numpy as np

from exchange.engine.audit_case import Case
from exchange.engine.book import BidKind, Book
from exchange.engine.bound import best_by_job, block_surpluses, block_values, job_of


@dataclass(frozen=True, slots=True)
class BlockReview:
    """Who would have gained: names of blocks, and micro-ticks x lots in all.

    ``regret`` is, over groups and blocks in none, the best surplus at the prices minus what was
    obtained.
    """

    rejected_winners: list[str]
    regret: int


def obtained_surpluses(case: Case) -> dict[int, int]:
    """Give what each accepted block gains at the case's prices, in micro-ticks x lots."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    rows = np.flatnonzero(bids.kind[fills.bid] == BidKind.BLOCK)
    if not len(rows):
        return {}
    blocks, start = np.unique(fills.bid[rows], return_index=True)
    paid = case.row_costs[rows].astype(object) * fills.quantity_lots[rows]
    gains = block_values(case.book, blocks) - np.add.reduceat(paid, start)
    return dict(zip(blocks.tolist(), gains.tolist(), strict=True))


def check_blocks_gain(case: Case, gained: dict[int, int]) -> None:
    """Check that no accepted block loses more than its ticks: one in every price it pays."""
    fills = case.clearing.bid_fills
    ticks = case.row_ticks
    losers = {bid: gain for bid, gain in gained.items() if gain < 0}
    for bid, gain in losers.items():
        rows = slice(*np.searchsorted(fills.bid, [bid, bid + 1]).tolist())
        pairs = zip(ticks[rows].tolist(), fills.quantity_lots[rows].tolist(), strict=True)
        if -gain > sum(tick * lots for tick, lots in pairs):
            reason = f"loses {-gain / 1e12:g} an hour's price at the published prices"
            case.failures.add("block_loses", case.bid_name(bid), reason)


def review_blocks(case: Case, gained: dict[int, int]) -> BlockReview:
    """Name the blocks that would have gained more than their job did, and add up by how much."""
    obtained = {job_of(case.book, bid): gain for bid, gain in gained.items()}
    surpluses = block_surpluses(case.book, case.reach, case.prices)
    winners = [
        str(case.book.bids.names[bid])
        for bid, gain in sorted(surpluses.items())
        if bid not in gained and gain > max(0, obtained.get(job_of(case.book, bid), 0))
    ]
    return BlockReview(winners, regret_of(case.book, surpluses, obtained))


def regret_of(book: Book, surpluses: dict[int, int], obtained: dict[tuple[int, int], int]) -> int:
    """Give what jobs would gain at their best above what they obtained, added up."""
    return sum(best_by_job(book, surpluses).values()) - sum(obtained.values())
