"""Offers as a CSV file: the columns that an import takes, and what became of each.

An exported file can be imported: a row names its offer, and changes it where it says otherwise.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import Offer

TERMS: Final = ("site", "accelerator", "starts_at", "ends_at", "quantity", "price", "label")
FATE: Final = ("offer", "version", "state")
FORMULA_MARKS: Final = ("=", "+", "-", "@")
QUOTE: Final = "'"


def offer_lines(offers: Iterable[Offer]) -> Iterator[str]:
    """Yield the header and a line for each offer that was read with its terms."""
    yield _line((*TERMS, *FATE))
    for offer in offers:
        version = offer.terms
        assert version is not None, offer
        yield _line(
            (
                offer.site.code,
                offer.accelerator.code,
                version.starts_at.isoformat(),
                version.ends_at.isoformat(),
                format_scaled(version.quantity_lots, scale=LOTS),
                format_scaled(version.price_ticks, scale=TICKS),
                _as_text(offer.label),
                offer.public_id,
                str(version.number),
                offer.state,
            )
        )


def _line(cells: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def read_label(cell: str) -> str:
    """Return the label that an exported cell stands for."""
    return cell.removeprefix(QUOTE) if _is_formula(cell) else cell


def _as_text(label: str) -> str:
    """Keep a spreadsheet from taking a provider's words for a formula."""
    return f"{QUOTE}{label}" if _is_formula(label) else label


def _is_formula(text: str) -> bool:
    """Return whether these words would be a formula, were it not for quotes before them."""
    return text.lstrip(QUOTE).startswith(FORMULA_MARKS)
