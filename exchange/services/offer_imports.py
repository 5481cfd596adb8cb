"""Offers from a CSV file: a report of every row, and all of them or none.

An exported file is taken as it is: each of its rows is listed as a new offer.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, format_scaled
from exchange.models import Offer, OfferState
from exchange.queries.capacity import FreeLots, Place, holdings_at
from exchange.queries.offer_files import FATE, read_label
from exchange.services.csv_rows import CsvFault, CsvRow, FileRefused, read_rows, row_faults
from exchange.services.faults import Faults
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


class RowReport(NamedTuple):
    """What would become of one row of the file."""

    row: CsvRow
    new: NewOffer | None
    faults: tuple[CsvFault, ...]


@transaction.atomic
def import_offers(raw: bytes, *, caller: Caller) -> list[Offer]:
    """List every offer of the file, active at once; return them in its order.

    Raises FileRefused with the faults of all rows, CollateralMissing, MarketFrozen and PartHalted;
    nothing is written then.
    """
    refuse_in_freeze()
    reports = check_offers(raw, caller=caller)
    faults = [fault for report in reports for fault in report.faults]
    if faults:
        raise FileRefused(faults)
    news = [report.new for report in reports if report.new is not None]
    refuse_in_halted_places({(new.site_id, new.accelerator_id) for new in news})
    refuse_uncovered([new.terms for new in news], caller)
    return write_offers(news, caller=caller, state=OfferState.ACTIVE)


@transaction.atomic
def check_offers(raw: bytes, *, caller: Caller) -> list[RowReport]:
    """Return a report of every row, writing nothing. Raises FileRefused for what is no table.

    The sites' locks are held until the caller's transaction ends, so that an import finds what
    its check found.
    """
    rows = read_rows(raw, needed=COLUMNS, optional=OPTIONAL, unread=FATE)
    rules = offer_rules()
    reports = []
    first_of: dict[NewOffer, int] = {}
    for row in rows:
        faults = Faults()
        new = read_new_offer(_cells_of(row), rules, caller.organization_id, faults)
        if new is not None and first_of.setdefault(new, row.number) != row.number:
            faults.add("", "row_repeated", f"row {first_of[new]} says the same")
        reports.append(RowReport(row, new, tuple(row_faults(row.number, faults))))
    return _check_free(reports)


def _cells_of(row: CsvRow) -> dict[str, str]:
    label = row.cells.get("label")
    return row.cells if label is None else row.cells | {"label": read_label(label)}


def _check_free(reports: Sequence[RowReport]) -> list[RowReport]:
    """Add a fault to each row that promises more than the rows above it and other offers leave."""
    news = [report.new for report in reports if report.new is not None]
    if not news:
        return list(reports)
    lock_sites(new.site_id for new in news)
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
