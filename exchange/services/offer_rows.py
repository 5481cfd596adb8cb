"""Rows of a file that name offers: which say something new, and what their edits run into."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, NotADecimal, parse_scaled
from exchange.models import Offer
from exchange.models.offers import OFFER_STATES_LIVE
from exchange.services.csv_rows import CsvFault, CsvRow
from exchange.services.faults import TermsRefused
from exchange.services.offer_terms import PLACE_FIELDS, TERM_FIELDS, said_terms
from exchange.services.offers import CapacityExceeded, edit_offer

EDITS_MAX: Final = 1_000  # of one file; each is a version of its own, checked on its own


@dataclass(frozen=True, slots=True)
class NamedRow:
    """An edit: the row, its offer, and the members of a body that say what changes."""

    row: CsvRow
    offer: Offer
    changes: dict[str, Any]


@dataclass(slots=True)
class SortedRows:
    """A file's rows by what is to become of them; ``edits`` that free capacity come first."""

    fresh: list[CsvRow] = field(default_factory=list)
    edits: list[NamedRow] = field(default_factory=list)
    unchanged: int = 0
    faults: list[CsvFault] = field(default_factory=list)


def sort_rows(rows: Sequence[CsvRow], caller: Caller) -> SortedRows:
    """Sort rows into new offers, edits and those that say what is the case already."""
    ids = {name for row in rows if (name := row.cells.get("offer"))}
    own = Offer.objects.visible_to(caller).filter(provider_id=caller.organization_id)
    offers = {offer.public_id: offer for offer in own.filter(public_id__in=ids).with_terms()}
    found, seen = SortedRows(), dict[str, int]()
    for row in rows:
        name = row.cells.get("offer", "")
        if not name:
            found.fresh.append(row)
        elif name not in offers:
            found.faults.append(_fault(row, "offer", "offer_unknown", "there is no such offer"))
        elif seen.setdefault(name, row.number) != row.number:
            detail = f"row {seen[name]} names the same offer"
            found.faults.append(_fault(row, "offer", "row_repeated", detail))
        else:
            _sort_named(row, offers[name], found)
    found.edits.sort(key=_growth)
    for edit in found.edits[EDITS_MAX:]:
        detail = f"at most {EDITS_MAX} offers are changed by one file"
        found.faults.append(_fault(edit.row, "", "csv_too_many_rows", detail))
    del found.edits[EDITS_MAX:]
    return found


def edit_named(edit: NamedRow, caller: Caller) -> list[CsvFault]:
    """Make an edit; return its faults, of which nothing is left in the database."""
    try:
        edit_offer(edit.offer.public_id, edit.changes, version=None, caller=caller)
    except (TermsRefused, CapacityExceeded) as refused:
        return [
            CsvFault(
                edit.row.number,
                str(error["pointer"]).removeprefix("/"),
                error["code"],
                error["detail"],
            )
            for error in refused.errors
        ]
    return []


def _sort_named(row: CsvRow, offer: Offer, found: SortedRows) -> None:
    """Sort a row whose offer is there; one that ended is listed anew if the row thinks it lives."""
    cells, state = row.cells, row.cells.get("state", "")
    if offer.state not in OFFER_STATES_LIVE:
        if state == offer.state:
            found.unchanged += 1
        else:
            found.fresh.append(row)
        return
    changes = _changes(cells, offer)
    faults = _named_faults(row, offer, is_edit=bool(changes))
    if faults:
        found.faults += faults
    elif changes:
        found.edits.append(NamedRow(row, offer, changes))
    else:
        found.unchanged += 1


def _changes(cells: dict[str, str], offer: Offer) -> dict[str, Any]:
    assert offer.terms is not None, offer
    said = said_terms(offer.terms)
    changed = {name: cells[name] for name in TERM_FIELDS if cells[name] != said[name]}
    if "label" in cells and cells["label"] != offer.label:
        changed["label"] = cells["label"]
    return changed


def _named_faults(row: CsvRow, offer: Offer, *, is_edit: bool) -> list[CsvFault]:
    """Return what a row must not say: another place, an edited version, an end of the offer."""
    cells, faults = row.cells, []
    assert offer.terms is not None, offer
    for name, code in zip(PLACE_FIELDS, (offer.site.code, offer.accelerator.code), strict=True):
        if cells[name] != code:
            faults.append(_fault(row, name, "offer_place_fixed", f"the offer is of {code}"))
    version = cells.get("version", "")
    if is_edit and version and version != str(offer.terms.number):
        detail = f"the offer is at version {offer.terms.number}"
        faults.append(_fault(row, "version", "version_stale", detail))
    state = cells.get("state", "")
    if state and state not in OFFER_STATES_LIVE:
        detail = f"the offer is {offer.state}; a file does not end offers"
        faults.append(_fault(row, "state", "state_not_taken", detail))
    return faults


def _growth(edit: NamedRow) -> int:
    """Return by how many lots an edit grows its offer; none for what cannot be read."""
    assert edit.offer.terms is not None, edit.offer
    try:
        lots = parse_scaled(str(edit.changes.get("quantity", "")), scale=LOTS)
    except NotADecimal:
        return 0
    return lots - edit.offer.terms.quantity_lots


def _fault(row: CsvRow, column: str, code: str, detail: str) -> CsvFault:
    return CsvFault(row.number, column, code, detail)
