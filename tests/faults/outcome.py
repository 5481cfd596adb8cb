"""What a played day came to, told so that two plays of the same day can be compared byte by byte.

Public ids differ from play to play; what is named by them is told by the order's own label. The
hashes of the book and of the result follow from the names, so they are left out as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ARCHIVE = """
SELECT result.archive FROM exchange_clearingresult result
WHERE EXISTS (SELECT FROM exchange_bid bid WHERE bid.auction_id = result.auction_id)
"""
LABELS = """
SELECT public_id, label FROM exchange_bid UNION ALL SELECT public_id, label FROM exchange_offer
UNION ALL SELECT public_id, 'auction' FROM exchange_auction
"""
SHA256 = re.compile(rb"\b[0-9a-f]{64}\b")
PUBLIC_ID = re.compile(rb"\b[a-z]{2,5}_[0-9a-z]{26}\b")
PRICES = """
SELECT site.code, accelerator.code, price.period, price.price_ticks
FROM exchange_cellprice price
JOIN exchange_site site ON site.id = price.site_id
JOIN exchange_accelerator accelerator ON accelerator.id = price.accelerator_id ORDER BY 1, 2, 3
"""
FILLS = """
SELECT bid.label, site.code, accelerator.code, fill.period, fill.quantity_lots
FROM exchange_bidfill fill JOIN exchange_bid bid ON bid.id = fill.bid_id
JOIN exchange_site site ON site.id = fill.site_id
JOIN exchange_accelerator accelerator ON accelerator.id = fill.accelerator_id
ORDER BY 1, 2, 3, 4
"""
RUNS = """
SELECT bid.label, contract.site_code, contract.accelerator_code, period.starts_at, period.state,
       run.run_no, run.delivered_ms, run.buyer_due_micros, run.seller_due_micros, run.penalty_micros
FROM settlement_settlementrun run
JOIN settlement_deliveryperiod period ON period.id = run.period_id
JOIN settlement_contract contract ON contract.id = period.contract_id
JOIN exchange_bid bid ON bid.public_id = contract.bid_id
ORDER BY 1, 2, 3, 4, run.run_no
"""
MOVED = "SELECT code, sum(amount_micros)::bigint FROM settlement_transfer GROUP BY 1 ORDER BY 1"
BALANCES = """
SELECT coalesce(organization.name, ''), account.kind,
       sum(account.credits_posted - account.debits_posted)::bigint,
       sum(account.debits_pending)::bigint
FROM settlement_ledgeraccount account
LEFT JOIN accounts_organization organization ON organization.id = account.owner_id
WHERE account.kind <> 'clearing' GROUP BY 1, 2
HAVING sum(account.credits_posted - account.debits_posted) <> 0 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a day came to; the same day always comes to the same."""

    published: Mapping[str, bytes]  # every archived file of the book and of the result
    prices: list[Any]
    fills: list[Any]
    runs: list[Any]
    moved: list[Any]
    balances: list[Any]


def outcome_of(database_url: str, archive: Path) -> Outcome:
    """Read what the day in this database and archive came to."""
    with psycopg.connect(database_url) as database:
        labels = {name.encode(): label for name, label in database.execute(LABELS).fetchall()}
        asked = (PRICES, FILLS, RUNS, MOVED, BALANCES)
        rows = [database.execute(query).fetchall() for query in asked]
        ((result,),) = database.execute(ARCHIVE).fetchall()
    folder = archive / str(result)
    published = _files("book", folder.parent / "book", labels)
    return Outcome(published | _files("result", folder, labels), *rows)


def _files(name: str, folder: Path, labels: Mapping[bytes, str]) -> dict[str, bytes]:
    """Return the files of a folder, orders and the auction called as they are in every play."""
    files = {}
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        text = PUBLIC_ID.sub(lambda found: labels[found[0]].encode(), path.read_bytes())
        files[f"{name}/{path.relative_to(folder)}"] = SHA256.sub(b"sha256", text)
    return files
