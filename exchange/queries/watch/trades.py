"""The trades behind a finding: hours of contracts, with who bought and who sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from accounts.models import Organization
from exchange.models import FindingKind
from exchange.queries.watch.findings import Found, Subject
from exchange.queries.watch.sellers import known_sellers

TRADES_MAX: Final = 20_000  # of a file or of a case's evidence
_TRADES: Final = """
SELECT contract.public_id, contract.auction_id, contract.bid_id, buyer.public_id, buyer.name,
       seller.public_id, seller.name, contract.region_code, contract.site_code,
       contract.accelerator_code, period.starts_at, period.ends_at, period.quantity_lots,
       period.price_ticks,
       (period.quantity_lots * period.price_ticks
        * (extract(epoch FROM period.ends_at - period.starts_at)::bigint / 60) / 60)::bigint
FROM exchange_auction AS auction
JOIN settlement_contract AS contract ON contract.auction_id = auction.public_id
JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
JOIN accounts_organization AS buyer ON buyer.id = contract.buyer_id
JOIN accounts_organization AS seller ON seller.id = contract.provider_id
WHERE auction.state = 'published'
  AND auction.starts_at < %(until)s AND auction.ends_at > %(since)s
  AND period.starts_at < %(until)s AND period.ends_at > %(since)s
  AND (%(region)s = '' OR contract.region_code = %(region)s)
  AND (%(accelerator)s = '' OR contract.accelerator_code = %(accelerator)s)
  AND (%(sellers)s::bigint[] IS NULL OR contract.provider_id = ANY (%(sellers)s))
  AND (%(buyer)s::bigint IS NULL OR contract.buyer_id = %(buyer)s)
  AND (%(hours)s::timestamptz[] IS NULL OR EXISTS (
        SELECT FROM unnest(%(hours)s::timestamptz[]) AS hour (at)
        WHERE hour.at >= period.starts_at AND hour.at < period.ends_at))
ORDER BY period.starts_at, contract.id
LIMIT %(most)s OFFSET %(skip)s
"""


@dataclass(frozen=True, slots=True)
class WatchedTrade:
    """An hour (or another period) of a contract; ``amount_micros`` at the clearing price."""

    contract: str
    auction: str
    bid: str
    buyer: str
    buyer_name: str
    seller: str
    seller_name: str
    region: str
    site: str
    accelerator: str
    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    price_ticks: int
    amount_micros: int


class TradesBehind(Sequence[WatchedTrade]):
    """The trades of a finding, read slice by slice.

    Of a concentrated market and of a spike all trades; of a pivotal seller its own, in the hours
    in which it was pivotal; of related organizations those between them; of withheld capacity what
    others traded of the same accelerator in that region and in those hours.
    """

    def __init__(self, found: Found) -> None:
        subject = found.subject
        self._asked: dict[str, Any] = {
            **subject.span.params(),
            "region": subject.region,
            "accelerator": subject.accelerator,
            "sellers": _sellers(subject),
            "buyer": _number(subject.buyer) if subject.buyer else None,
            "hours": list(found.hours) if _is_of_hours(subject) else None,
        }

    def __getitem__(self, part: slice) -> list[WatchedTrade]:  # type: ignore[override]
        """Return the trades of a slice with both of its ends."""
        first, end = part.start or 0, part.stop
        with connection.cursor() as cursor:
            cursor.execute(_TRADES, {**self._asked, "most": end - first, "skip": first})
            return [WatchedTrade(*row) for row in cursor.fetchall()]

    def __len__(self) -> int:
        """Return how many there are, up to ``TRADES_MAX``."""
        return len(self[0:TRADES_MAX])


def _is_of_hours(subject: Subject) -> bool:
    kinds = (FindingKind.PIVOTAL, FindingKind.WITHHELD, FindingKind.SPIKE)
    return subject.kind in kinds


def _sellers(subject: Subject) -> list[int] | None:
    if subject.kind == FindingKind.RELATED:
        return [_number(subject.seller)]
    if subject.kind != FindingKind.PIVOTAL:
        return None
    sellers = known_sellers()
    return sellers.members(sellers.lead(_number(subject.seller)))


def _number(public_id: str) -> int:
    """Return an organization's number; one that is in no trade where there is no such."""
    found = Organization.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    return found if found is not None else 0
