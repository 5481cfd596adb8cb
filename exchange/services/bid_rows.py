"""Bids into their table: one by INSERT, many by COPY, the same columns in the same order.

Written out because the rows of a bulk never become model instances: a thousand of them are one
text, and every value in it was checked to have a plain spelling.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db import connection

from accounts.models.callers import Caller
from exchange.models import BidState, TimeInForce
from exchange.queries.bid_terms import BidCard, BidTerms
from exchange.services.auctions import actor_name

COLUMNS: Final = (
    *("public_id", "organization_id", "placed_by_id", "actor", "project", "label", "kind"),
    *("time_in_force", "auction_id", "origin_id", "starts_at", "ends_at", "quantity_lots"),
    *("limit_ticks", "duration_minutes", "volume_lot_minutes", '"group"', "latency_micros_max"),
    *("gbps_micros", "renewable_micros_min", "regions", "accelerators", "factors_micros"),
    *("ai_model_id", "dtype", "greatest_cost_micros", "hold_key", "state", "reason_code"),
    *("reason_detail", "placed_at", "moved_at"),
)
_INSERT: Final = (
    f"INSERT INTO exchange_bid ({', '.join(COLUMNS)})"  # noqa: S608 - our own column names
    f" VALUES ({', '.join(['%s'] * len(COLUMNS))})"
)
_BATCH: Final = 100
_FIRST_STATE: Final = {
    str(TimeInForce.AUCTION): str(BidState.ACCEPTED),
    str(TimeInForce.STANDING): str(BidState.STANDING),
}
_COPY: Final = f"COPY exchange_bid ({', '.join(COLUMNS)}) FROM STDIN"


class NewBid(NamedTuple):
    """A bid that is about to be written, and the hold that covers it."""

    public_id: str
    caller: Caller
    terms: BidTerms
    hold_key: str
    placed_at: datetime

    @property
    def state(self) -> str:
        """Whether it waits for its one auction or stands for all that come."""
        return _FIRST_STATE[self.terms.time_in_force]

    def card(self) -> BidCard:
        """Return the bid as its buyer sees it."""
        return BidCard(
            self.public_id, self.terms, self.state, "", "", self.placed_at, self.placed_at
        )


def insert_bid(bid: NewBid) -> None:
    """Write one row."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, _values(bid))


def copy_bids(bids: Iterable[NewBid], *, meanwhile: Callable[[NewBid], None]) -> None:
    """Write many rows by one COPY; the server takes in a batch while the next is spelt.

    ``meanwhile`` is called with each row that was sent, so that the server need not wait for it.
    """
    left = iter(bids)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while batch := list(islice(left, _BATCH)):
            copy.write("".join([f"{_line(bid)}\n" for bid in batch]))
            for bid in batch:
                meanwhile(bid)


def _values(bid: NewBid, *, spell: Callable[[tuple[Any, ...]], Any] = list) -> tuple[Any, ...]:
    terms = bid.terms
    return (
        bid.public_id,
        bid.caller.organization_id,
        bid.caller.user_id,
        actor_name(bid.caller),
        terms.project,
        terms.label,
        terms.kind,
        terms.time_in_force,
        terms.auction_id,
        terms.origin_id,
        terms.starts_at,
        terms.ends_at,
        terms.quantity_lots,
        terms.limit_ticks,
        terms.duration_minutes,
        terms.volume_lot_minutes,
        terms.group,
        terms.latency_micros_max,
        terms.gbps_micros,
        terms.renewable_micros_min,
        spell(terms.regions),
        spell(terms.accelerators),
        spell(terms.factors_micros),
        terms.ai_model_id,
        terms.dtype,
        terms.greatest_cost_micros,
        bid.hold_key,
        bid.state,
        "",
        "",
        bid.placed_at,
        bid.placed_at,
    )


def _line(bid: NewBid) -> str:
    if "\\" in bid.terms.label:  # the one text that may have any; it is printable, like all
        bid = bid._replace(terms=bid.terms._replace(label=bid.terms.label.replace("\\", r"\\")))
    # Without a call for each text or NULL: a thousand bids have 32,000 values.
    values = _values(bid, spell=_spell_list)
    return "\t".join([r"\N" if v is None else v if type(v) is str else _spell(v) for v in values])


_spell = lru_cache(maxsize=16_384)(str)  # the numbers and moments of a bulk are few


@lru_cache(maxsize=1_024)
def _spell_list(values: tuple[Any, ...]) -> str:
    """Spell an array of names or numbers; names have no quote and no backslash."""
    quoted = [f'"{value}"' for value in values]
    return "{" + ",".join(quoted) + "}"
