"""Offers from a CSV file: a report of every row, and all of them or none.

A file that was exported may be mended in a spreadsheet and sent back: a row that names an offer
edits it where it says something else and leaves it alone where it does not; a row without a name,
or of an offer that has ended since, is listed as a new one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, format_scaled
from exchange.models import Offer, OfferState, Site
from exchange.queries.capacity import FreeLots, Place, holdings_at
from exchange.queries.offer_files import FATE, read_label
from exchange.services.csv_rows import CsvFault, CsvRow, FileRefused, read_rows, row_faults
from exchange.services.faults import Faults
from exchange.services.offer_rows import NamedRow, edit_named, sort_rows
from exchange.services.offer_terms import (
    PLACE_FIELDS,
    TERM_FIELDS,
    NewOffer,
    offer_rules,
    read_new_offer,
)
from exchange.services.offers import (
    lock_sites,
    refuse_in_freeze,
    refuse_in_halted_places,
    refuse_uncovered,
    write_offers,
)

COLUMNS: Final = (*PLACE_FIELDS, *TERM_FIELDS)
OPTIONAL: Final = ("label",)


class Imported(NamedTuple):
    """What a file did: offers listed, offers changed, and how many rows said nothing new."""

    listed: list[Offer]
    changed: list[Offer]
    unchanged: int


class RowReport(NamedTuple):
    """What would become of one row that names no offer."""

    row: CsvRow
    new: NewOffer | None
    faults: tuple[CsvFault, ...]


@transaction.atomic
def import_offers(raw: bytes, *, caller: Caller) -> Imported:
    """List every new offer of the file, active at once, and make the edits of the others.

    Raises FileRefused with the faults of all rows, CollateralMissing, MarketFrozen and PartHalted;
    nothing is written then. Edits come first, so that new offers find what they set free.
    """
    refuse_in_freeze()
    rows = read_rows(raw, needed=COLUMNS, optional=(*OPTIONAL, *FATE))
    lock_sites(_sites_of(rows, caller))
    sorted_rows = sort_rows([_labelled(row) for row in rows], caller)
    faults = list(sorted_rows.faults)
    changed = _edit(sorted_rows.edits, caller, faults)
    reports = _check_rows(sorted_rows.fresh, caller)
    faults += [fault for report in reports for fault in report.faults]
    if faults:
        raise FileRefused(sorted(faults, key=lambda fault: fault.row))
    news = [report.new for report in reports if report.new is not None]
    refuse_in_halted_places({(new.site_id, new.accelerator_id) for new in news})
    refuse_uncovered([new.terms for new in news], caller)
    listed = write_offers(news, caller=caller, state=OfferState.ACTIVE) if news else []
    return Imported(listed, changed, sorted_rows.unchanged)


def _sites_of(rows: Sequence[CsvRow], caller: Caller) -> list[int]:
    """Return the caller's sites: whichever a row names, and those of the offers it names."""
    codes = {row.cells.get("site", "") for row in rows}
    ids = {name for row in rows if (name := row.cells.get("offer"))}
    own = Site.objects.filter(provider_id=caller.organization_id)
    named = Offer.objects.visible_to(caller).filter(public_id__in=ids)
    return [
        *own.filter(code__in=codes).values_list("pk", flat=True),
        *named.filter(provider_id=caller.organization_id).values_list("site_id", flat=True),
    ]


def _labelled(row: CsvRow) -> CsvRow:
    label = row.cells.get("label")
    return row if label is None else CsvRow(row.number, row.cells | {"label": read_label(label)})


def _edit(edits: Sequence[NamedRow], caller: Caller, faults: list[CsvFault]) -> list[Offer]:
    changed = []
    for edit in edits:
        found = edit_named(edit, caller)
        faults += found
        if not found:
            changed.append(edit.offer)
    return changed


def _check_rows(rows: Sequence[CsvRow], caller: Caller) -> list[RowReport]:
    rules = offer_rules()
    reports = []
    first_of: dict[NewOffer, int] = {}
    for row in rows:
        faults = Faults()
        terms = {name: cell for name, cell in row.cells.items() if name not in FATE}
        new = read_new_offer(terms, rules, caller.organization_id, faults)
        if new is not None and first_of.setdefault(new, row.number) != row.number:
            faults.add("", "row_repeated", f"row {first_of[new]} says the same")
        reports.append(RowReport(row, new, tuple(row_faults(row.number, faults))))
    return _check_free(reports)


def _check_free(reports: Sequence[RowReport]) -> list[RowReport]:
    """Add a fault to each row that promises more than the rows above it and other offers leave."""
    news = [report.new for report in reports if report.new is not None]
    if not news:
        return list(reports)
    free = _free_lots(news)
    return [_check_row(report, free) for report in reports]


def _check_row(report: RowReport, free: Mapping[Place, FreeLots]) -> RowReport:
    new = report.new
    if new is None or report.faults:
        return report
    terms = new.terms
    place = new.site_id, new.accelerator_id
    short = free[place].take(terms.starts_at, terms.ends_at, terms.quantity_lots)
    if short is None:
        return report
    detail = f"{format_scaled(short.lots, scale=LOTS)} are free from {short.starts_at.isoformat()}"
    fault = CsvFault(report.row.number, "quantity", "capacity_exceeded", detail)
    return report._replace(faults=(fault,))


def _free_lots(news: Sequence[NewOffer]) -> dict[Place, FreeLots]:
    spans: dict[Place, list[tuple[datetime, datetime]]] = defaultdict(list)
    for new in news:
        spans[new.site_id, new.accelerator_id].append((new.terms.starts_at, new.terms.ends_at))
    starts_at = min(new.terms.starts_at for new in news)
    ends_at = max(new.terms.ends_at for new in news)
    holdings = holdings_at(spans, starts_at, ends_at)
    return {place: FreeLots(holdings[place], there) for place, there in spans.items()}
