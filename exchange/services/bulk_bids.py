"""Up to a thousand bids at once: one validation pass, one hold statement, one COPY.

Each bid is answered on its own, in order, and a bad one does not harm the rest, unless the
sender wants all or nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.ids import new_id
from exchange.queries.bid_terms import BidCard, BidTerms
from exchange.services.bid_holds import GroupHold, Job, cover_group, holds_of_groups
from exchange.services.bid_rows import NewBid, copy_bids
from exchange.services.bid_terms import auction_named_in, read_bid_terms
from exchange.services.faults import Fault, Faults, TermsRefused
from exchange.services.gates import AuctionNotOpen, Floor, PartHalted, hold_gates
from exchange.services.position_limits import PositionLimitExceeded, positions_of
from settlement.services.budgets import BudgetExceeded, Budgets, UnknownProject
from settlement.services.holds import HoldRequest, InsufficientFunds, cover_holds

BULK_MAX: Final = 1_000
AUCTIONS_MAX: Final = 16  # in one bulk; each is locked

Refusal = (
    TermsRefused
    | AuctionNotOpen
    | PositionLimitExceeded
    | UnknownProject
    | BudgetExceeded
    | InsufficientFunds
)
Answer = BidCard | Refusal
"""What became of one bid of a bulk: the placed bid, or its own refusal."""

CODES: Final[dict[type[Exception], str]] = {
    InsufficientFunds: "insufficient_funds",
    BudgetExceeded: "budget_exceeded",
    UnknownProject: "project_unknown",
    PositionLimitExceeded: "position_limit",
}


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
def place_bids(
    bodies: Sequence[object],
    *,
    caller: Caller,
    atomic: bool,
    meanwhile: Callable[[BidCard], None] = lambda _card: None,
) -> list[Answer]:
    """Place what can be placed; return one answer per body, in order.

    With ``atomic`` everything is placed or nothing is, and BulkRefused says why. ``meanwhile`` is
    called with each bid while the database takes in the rows: to print it then takes no time.
    Raises MarketFrozen, and TermsRefused for a bulk that names too many auctions.
    """
    assert len(bodies) <= BULK_MAX, "the door counts before it asks"
    floor = hold_gates(_auctions_named(bodies), bidder=caller.organization_id)
    answers: dict[int, Answer] = {}
    read = []
    for place, body in enumerate(bodies):
        found = _read(body, floor)
        if isinstance(found, BidTerms):
            read.append(_Item(place, new_id("bid"), found))
        else:
            answers[place] = found
    good = _within_limits(read, caller, floor, answers)
    bids = dict(_cover(good, caller, floor, answers))
    cards = {bid.public_id: bid.card() for bid in bids.values()}
    answers |= {place: cards[bid.public_id] for place, bid in bids.items()}
    if atomic:
        _refuse_any(answers)
    if bids:
        copy_bids(bids.values(), meanwhile=lambda bid: meanwhile(cards[bid.public_id]))
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
    if terms is None:
        return TermsRefused(faults.found)
    return floor.halt_of(terms.regions, terms.accelerators) or terms


def _within_limits(
    items: Sequence[_Item], caller: Caller, floor: Floor, answers: dict[int, Answer]
) -> list[_Item]:
    """Return the bids that keep the position limit and name projects that there are."""
    named = {item.terms.project for item in items if item.terms.project}
    missing = Budgets.missing(caller.organization_id, named)
    positions = positions_of(caller.organization_id) if items and floor.limited else None
    kept = []
    for item in items:
        project = item.terms.project
        refusal: Refusal | None = UnknownProject(project) if project in missing else None
        if refusal is None and positions is not None:
            refusal = positions.refusal_of_bid(item.terms)
        if refusal is None:
            kept.append(item)
        else:
            answers[item.place] = refusal
    return kept


def _cover(
    good: Sequence[_Item], caller: Caller, floor: Floor, answers: dict[int, Answer]
) -> "list[tuple[int, NewBid]]":
    """Hold the money, and return the bids that it covered by their places in the bulk.

    What refused the others goes to ``answers``.
    """
    groups = _groups_of(good)
    # Groups are locked before accounts, as by whoever adds a single alternative to one.
    there = holds_of_groups(caller.organization_id, groups) if groups else {}
    fresh = [[item] for item in good if not item.terms.group]
    fresh += [members for job, members in groups.items() if job not in there]
    grown = [(members, there[job]) for job, members in groups.items() if job in there]
    covered = [*_cover_fresh(fresh, caller, answers), *_cover_grown(grown, caller, answers)]
    return [
        (item.place, NewBid(item.public_id, caller, item.terms, key, floor.now))
        for item, key in sorted(covered)
    ]


def _groups_of(items: Sequence[_Item]) -> dict[Job, list[_Item]]:
    """Return the alternatives of each job; all of them are covered, or none."""
    groups: dict[Job, list[_Item]] = {}
    for item in items:
        if item.terms.group:
            groups.setdefault((item.terms.auction_id, item.terms.group), []).append(item)
    return groups


def _cover_fresh(
    parcels: Sequence[list[_Item]], caller: Caller, answers: dict[int, Answer]
) -> list[tuple[_Item, str]]:
    """Hold once for each parcel what its dearest bid may cost, in one statement for all."""
    requests = [
        HoldRequest(
            members[0].public_id if not members[0].terms.group else new_id("grp"),
            caller.organization_id,
            _dearest(members).terms.greatest_cost_micros,
            _dearest(members).terms.project,
        )
        for members in parcels
    ]
    refusals = cover_holds(requests) if requests else []
    covered: list[tuple[_Item, str]] = []
    for members, request, refusal in zip(parcels, requests, refusals, strict=True):
        if refusal is None:
            covered.extend((item, request.key) for item in members)
        else:
            answers.update((item.place, refusal) for item in members)
    return covered


def _cover_grown(
    parcels: Sequence[tuple[list[_Item], GroupHold]], caller: Caller, answers: dict[int, Answer]
) -> list[tuple[_Item, str]]:
    """Cover alternatives of jobs that have some in the market; a dearer one is rare."""
    covered: list[tuple[_Item, str]] = []
    for members, hold in parcels:
        key, dearest = hold.key, _dearest(members).terms
        if dearest.greatest_cost_micros > hold.most_micros:
            try:
                with transaction.atomic():
                    cost = dearest.greatest_cost_micros
                    key = cover_group(caller.organization_id, dearest, cost)
            except (InsufficientFunds, BudgetExceeded) as refusal:
                answers.update((item.place, refusal) for item in members)
                continue
        covered.extend((item, key) for item in members)
    return covered


def _dearest(members: Sequence[_Item]) -> _Item:
    return max(members, key=lambda item: item.terms.greatest_cost_micros)


def _refuse_any(answers: dict[int, Answer]) -> None:
    errors: list[dict[str, str]] = []
    for place, answer in sorted(answers.items()):
        if isinstance(answer, TermsRefused):
            errors.extend(
                {**error, "pointer": f"/bids/{place}{error['pointer']}"} for error in answer.errors
            )
        elif isinstance(answer, PartHalted):
            errors.append(_error(f"/bids/{place}", "part_halted", answer))
        elif isinstance(answer, AuctionNotOpen):
            errors.append(_error(f"/bids/{place}/auction", "auction_not_open", answer))
        elif isinstance(answer, Exception):
            errors.append(_error(f"/bids/{place}", CODES[type(answer)], answer))
    if errors:
        raise BulkRefused(errors)


def _error(pointer: str, code: str, refusal: Exception) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "detail": str(refusal)}
