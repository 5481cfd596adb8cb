"""Up to a thousand bids at once: one validation pass, one hold statement, one COPY.

Each bid is answered on its own, in order, and a bad one does not harm the rest, unless the
sender wants all or nothing.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.ids import new_id
from exchange.queries.bid_terms import BidCard, BidTerms
from exchange.services.bid_holds import cover_group
from exchange.services.bid_rows import NewBid, copy_bids
from exchange.services.bid_terms import auction_named_in, read_bid_terms
from exchange.services.faults import Fault, Faults, TermsRefused
from exchange.services.gates import AuctionNotOpen, Floor, hold_gates
from settlement.services.holds import HoldRequest, InsufficientFunds, place_holds

BULK_MAX: Final = 1_000
AUCTIONS_MAX: Final = 16  # in one bulk; each is locked
NOT_COVERED: Final = "the money that is available does not cover its greatest cost"

Answer = BidCard | TermsRefused | AuctionNotOpen | InsufficientFunds
"""What became of one bid of a bulk: the placed bid, or its own refusal."""


class BulkRefused(Exception):
    """All or nothing was asked for, and not every bid could be placed; ``errors`` say which."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """Keep the errors of all bids, their places counted within the bulk."""
        assert errors
        self.errors = errors
        super().__init__("no bid was placed: all or nothing was asked for")


class _Item(NamedTuple):
    """A bid of the bulk that kept every rule, and the place it came from."""

    place: int
    public_id: str
    terms: BidTerms


@transaction.atomic
def place_bids(bodies: Sequence[object], *, caller: Caller, atomic: bool) -> list[Answer]:
    """Place what can be placed; return one answer per body, in order.

    With ``atomic`` everything is placed or nothing is, and BulkRefused says why. Raises
    MarketFrozen, and TermsRefused for a bulk that names too many auctions.
    """
    assert len(bodies) <= BULK_MAX, "the door counts before it asks"
    floor = hold_gates(_auctions_named(bodies))
    answers: dict[int, Answer] = {}
    good = []
    for place, body in enumerate(bodies):
        found = _read(body, floor)
        if isinstance(found, BidTerms):
            good.append(_Item(place, new_id("bid"), found))
        else:
            answers[place] = found
    bids = dict(_cover(good, caller, floor))
    for item in good:
        refusal = InsufficientFunds(NOT_COVERED)
        answers[item.place] = bids[item.place].card() if item.place in bids else refusal
    if atomic:
        _refuse_any(answers)
    if bids:
        copy_bids(bids.values())
    return [answers[place] for place in range(len(bodies))]


def _auctions_named(bodies: Sequence[object]) -> set[str]:
    named = {name for body in bodies if (name := auction_named_in(body)) is not None}
    if len(named) > AUCTIONS_MAX:
        detail = f"a bulk names at most {AUCTIONS_MAX} auctions"
        raise TermsRefused([Fault("/bids", "bids_too_many_auctions", detail)])
    return named


def _read(body: object, floor: Floor) -> BidTerms | TermsRefused | AuctionNotOpen:
    faults = Faults()
    terms = read_bid_terms(body, floor, faults)
    gate = floor.gates.get(auction_named_in(body) or "")
    if gate is not None and not floor.is_open(gate):
        return floor.refusal_of(gate)
    return TermsRefused(faults.found) if terms is None else terms


def _cover(good: Sequence[_Item], caller: Caller, floor: Floor) -> "list[tuple[int, NewBid]]":
    """Hold the money, and return the bids that it covered by their places in the bulk."""
    covered = [
        *_cover_alone([item for item in good if not item.terms.group], caller),
        *_cover_groups([item for item in good if item.terms.group], caller),
    ]
    return [
        (item.place, NewBid(item.public_id, caller, item.terms, key, floor.now))
        for item, key in sorted(covered)
    ]


def _cover_alone(items: Sequence[_Item], caller: Caller) -> list[tuple[_Item, str]]:
    organization_id = caller.organization_id
    requests = [
        HoldRequest(item.public_id, organization_id, item.terms.greatest_cost_micros)
        for item in items
    ]
    fits = place_holds(requests) if requests else []
    return [(item, item.public_id) for item, fit in zip(items, fits, strict=True) if fit]


def _cover_groups(items: Sequence[_Item], caller: Caller) -> list[tuple[_Item, str]]:
    """Cover the alternatives of each job together: all of those sent, or none of them."""
    groups: dict[tuple[int, str], list[_Item]] = {}
    for item in items:
        groups.setdefault((item.terms.auction_id or 0, item.terms.group), []).append(item)
    covered: list[tuple[_Item, str]] = []
    for _, members in sorted(groups.items()):
        dearest = max(item.terms.greatest_cost_micros for item in members)
        try:
            with transaction.atomic():
                key = cover_group(caller.organization_id, members[0].terms, dearest)
        except InsufficientFunds:
            continue
        covered.extend((item, key) for item in members)
    return covered


def _refuse_any(answers: dict[int, Answer]) -> None:
    errors: list[dict[str, str]] = []
    for place, answer in sorted(answers.items()):
        if isinstance(answer, TermsRefused):
            errors.extend(
                {**error, "pointer": f"/bids/{place}{error['pointer']}"} for error in answer.errors
            )
        elif isinstance(answer, AuctionNotOpen):
            errors.append(_error(f"/bids/{place}/auction", "auction_not_open", answer))
        elif isinstance(answer, InsufficientFunds):
            errors.append(_error(f"/bids/{place}", "insufficient_funds", answer))
    if errors:
        raise BulkRefused(errors)


def _error(pointer: str, code: str, refusal: Exception) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "detail": str(refusal)}
