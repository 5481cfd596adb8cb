"""What buyers offer back of their contracts: settlement says how much is left, hour by hour."""

from collections.abc import Collection, Mapping

import numpy as np

from exchange.engine.book import Ints
from exchange.models import Auction
from settlement.queries.resold import on_sale


def resales_left(auction: Auction, resale_ids: Collection[int]) -> Mapping[int, Ints]:
    """Return, by resale, the lots that it can sell in each period of the auction.

    Nothing where a period of the auction does not lie within one of the contract's.
    """
    left: dict[int, Ints] = {pk: np.zeros(auction.periods, dtype=np.int64) for pk in resale_ids}
    spans = [auction.period(number) for number in range(auction.periods)]
    for each in on_sale(resale_ids) if resale_ids else []:
        for number, span in enumerate(spans):
            if each.starts_at <= span.start and span.end <= each.ends_at:
                left[each.resale_id][number] = each.lots
    return left
