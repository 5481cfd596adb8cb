"""The boards of the market watch by their names, and one finding with its evidence."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import FindingKind
from exchange.queries.watch import concentration, pivotal, spikes, withheld
from exchange.queries.watch.findings import Found, Span, Subject, instant
from exchange.queries.watch.related import related_trades
from exchange.queries.watch.trades import TRADES_MAX, TradesBehind, WatchedTrade

BOARDS: Final[dict[str, Callable[[Span], list[Found]]]] = {
    "concentration": concentration.concentration,
    "pivotal": lambda span: pivotal.pivotal_sellers(span, by_accelerator=False),
    "pivotal-accelerators": lambda span: pivotal.pivotal_sellers(span, by_accelerator=True),
    "related": related_trades,
    "withheld": withheld.withheld_capacity,
    "spike": spikes.price_spikes,
}
# The figures that a rule compares with, as they stand in evidence.
RULES: Final[dict[str, dict[str, int]]] = {
    FindingKind.CONCENTRATION: {
        "hhi_low": concentration.HHI_LOW,
        "hhi_high": concentration.HHI_HIGH,
        "share_micros_high": concentration.SHARE_MICROS_HIGH,
    },
    FindingKind.PIVOTAL: {
        "rsi_tight_percent": pivotal.RSI_TIGHT_PERCENT,
        "tight_hours_percent": pivotal.TIGHT_HOURS_PERCENT,
    },
    FindingKind.RELATED: {},
    FindingKind.WITHHELD: {
        "reference_days": withheld.REFERENCE_DAYS,
        "dear_percent": withheld.DEAR_PERCENT,
        "unoffered_percent": withheld.UNOFFERED_PERCENT,
    },
    FindingKind.SPIKE: {
        "median_days": spikes.MEDIAN_DAYS,
        "observed_days_min": spikes.OBSERVED_DAYS_MIN,
        "spike_percent": spikes.SPIKE_PERCENT,
    },
}


def board_of(subject: Subject) -> str:
    """Return the name of the board that a subject stands on."""
    if subject.kind == FindingKind.PIVOTAL and subject.accelerator:
        return "pivotal-accelerators"
    return subject.kind


def finding_of(subject: Subject) -> Found | None:
    """Reckon the board of a subject again and return what it says of it, or None."""
    rows = BOARDS[board_of(subject)](subject.span)
    return next((row for row in rows if row.subject == subject), None)


def evidence_of(found: Found, *, taken_at: datetime) -> dict[str, Any]:
    """Return a finding as a case keeps it: rule, figures and trades, in plain words and numbers.

    At most ``TRADES_MAX`` trades; ``trades_complete`` says whether these are all.
    """
    subject = found.subject
    trades = TradesBehind(found)[0 : TRADES_MAX + 1]
    return {
        "format": "compute-watch-evidence/1",
        "taken_at": instant(taken_at),
        "kind": str(subject.kind),
        "rule": RULES[subject.kind],
        "since": instant(subject.span.since),
        "until": instant(subject.span.until),
        "subject": {
            **subject.said(),
            "names": dict(found.names),
            "why": list(found.why),
        },
        "figures": dict(found.figures),
        "parts": [
            {"ids": list(p.ids), "names": list(p.names), "figures": dict(p.figures)}
            for p in found.parts
        ],
        "hours": [instant(at) for at in found.hours],
        "trades_complete": len(trades) <= TRADES_MAX,
        "trades": [
            dict(zip(TRADE_COLUMNS, trade_row(t), strict=True)) for t in trades[:TRADES_MAX]
        ],
    }


TRADE_COLUMNS: Final = (
    *("contract", "auction", "bid", "buyer", "buyer_name", "seller", "seller_name"),
    *("region", "site", "accelerator", "starts_at", "ends_at", "quantity", "price", "amount"),
)


def trade_row(trade: WatchedTrade) -> tuple[str, ...]:
    """Return a trade as words in the order of ``TRADE_COLUMNS``: instants in UTC, decimals."""
    return (
        *(trade.contract, trade.auction, trade.bid, trade.buyer, trade.buyer_name),
        *(trade.seller, trade.seller_name, trade.region, trade.site, trade.accelerator),
        instant(trade.starts_at),
        instant(trade.ends_at),
        format_scaled(trade.quantity_lots, scale=LOTS),
        format_scaled(trade.price_ticks, scale=TICKS),
        format_scaled(trade.amount_micros, scale=MICROS),
    )
