"""The money behind bids: one hold a bid, and one for all alternatives of a group.

A group holds its dearest alternative. The amount of a hold never grows, so a dearer alternative
replaces the group's hold by a new one, in the same database transaction. It is the dearest
alternative whose project's budget it reserves.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Max, Q

from exchange.foundation.ids import new_id
from exchange.models import Bid
from exchange.models.bids import BID_STATES_LIVE, BidQuerySet
from exchange.queries.bid_terms import BidTerms
from settlement.services.holds import HoldRequest, place_hold, release_holds, resize_holds

REPLACED: Final = "replaced by the hold of a dearer alternative"
_LOCK_GROUPS: Final = """
SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name
"""
_HOLDS_OF_GROUPS: Final = """
SELECT auction_id, "group", min(hold_key), max(greatest_cost_micros) FROM exchange_bid
WHERE organization_id = %s AND "group" = ANY(%s) AND "group" <> '' AND state = ANY(%s)
GROUP BY 1, 2
"""


class GroupHold(NamedTuple):
    """The one hold of a group, and the cost of its dearest alternative, which it covers."""

    key: str
    most_micros: int


Job = tuple[int | None, str]
"""What makes blocks alternatives of one another: the auction, None for standing, and the group."""


def cover_bid(organization_id: int, public_id: str, terms: BidTerms) -> str:
    """Freeze what the bid may cost and return the hold's key. Raises what place_hold does."""
    if terms.group:
        return cover_group(organization_id, terms, terms.greatest_cost_micros)
    cost = terms.greatest_cost_micros
    place_hold(HoldRequest(public_id, organization_id, cost, terms.project))
    return public_id


def cover_group(organization_id: int, terms: BidTerms, cost_micros: int) -> str:
    """Let the group's one hold cover an alternative of this cost, and return its key."""
    lock_group(organization_id, terms.auction_id, terms.group)
    members = group_members(organization_id, terms.auction_id, terms.group)
    kept = members.values_list("hold_key", flat=True).first()
    dearest = members.aggregate(most=Max("greatest_cost_micros"))["most"]
    if kept is not None and cost_micros <= dearest:
        return kept
    key = new_id("grp")
    if kept is not None:
        release_holds([kept], REPLACED)
    place_hold(HoldRequest(key, organization_id, cost_micros, terms.project))
    members.update(hold_key=key)
    return key


def uncover_bid(bid: Bid, reason: str) -> None:
    """Free what no longer needs to be frozen now that ``bid`` has left the market."""
    most = None
    if bid.group:
        members = group_members(bid.organization_id, bid.auction_id, bid.group)
        most = members.exclude(pk=bid.pk).aggregate(most=Max("greatest_cost_micros"))["most"]
    resize_holds({bid.hold_key: most or 0}, reason)


def lock_group(organization_id: int, auction_id: int | None, group: str) -> None:
    """Let one writer at a time count a group's alternatives, until the transaction's end."""
    _lock_groups(organization_id, [(auction_id, group)])


def holds_of_groups(organization_id: int, jobs: Collection[Job]) -> dict[Job, GroupHold]:
    """Lock the groups, and return the holds of those that have alternatives in the market.

    Groups of the same names in other auctions may be among them.
    """
    _lock_groups(organization_id, jobs)
    names = [group for _, group in jobs]
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS_OF_GROUPS, [organization_id, names, list(map(str, BID_STATES_LIVE))])
        return {(row[0], row[1]): GroupHold(row[2], row[3]) for row in cursor.fetchall()}


def _lock_groups(organization_id: int, jobs: Collection[Job]) -> None:
    # Sorted, so that two bulks wait for each other and never both.
    names = sorted(f"group/{organization_id}/{auction_id}/{group}" for auction_id, group in jobs)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_GROUPS, [names])


def group_members(organization_id: int, auction_id: int | None, group: str) -> BidQuerySet:
    """Return the alternatives of a job that may still be filled."""
    there = Q(auction__isnull=True) if auction_id is None else Q(auction_id=auction_id)
    return Bid.objects.live().filter(there, organization_id=organization_id, group=group)
