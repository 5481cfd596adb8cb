"""What the domain refused, as a form or a report says it in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from exchange.portal.refusal_words import REFUSAL_ENDS, REFUSAL_WORDS
from exchange.services.bids import BidNotFound, BidNotLive
from exchange.services.faults import TermsRefused
from exchange.services.gates import AuctionNotOpen, MarketFrozen, PartHalted
from exchange.services.maintenance import MaintenanceNotFound
from exchange.services.offers import (
    CapacityExceeded,
    OfferChanged,
    OfferNotFound,
    OfferNotLive,
)
from exchange.services.position_limits import PositionLimitExceeded
from settlement.services.budgets import BudgetExceeded, UnknownProject
from settlement.services.collateral import CollateralMissing
from settlement.services.holds import InsufficientFunds

# Exceptions that the pages expect; those without faults of their own are one fact, by its code.
CODES: Mapping[type[Exception], str] = {
    TermsRefused: "",
    AuctionNotOpen: "auction_not_open",
    BidNotFound: "bid_not_found",
    BidNotLive: "bid_not_live",
    BudgetExceeded: "budget_exceeded",
    InsufficientFunds: "insufficient_funds",
    PositionLimitExceeded: "position_limit",
    UnknownProject: "project_unknown",
    CapacityExceeded: "capacity_exceeded",
    PartHalted: "part_halted",
    MarketFrozen: "market_frozen",
    OfferChanged: "offer_changed",
    OfferNotFound: "offer_not_found",
    OfferNotLive: "offer_not_live",
    CollateralMissing: "collateral_missing",
    MaintenanceNotFound: "maintenance_not_found",
}
REFUSALS = tuple(CODES)


def words_of(code: str, detail: str) -> "str | Promise":
    """Return what a stable code means; its detail in English where no words are kept for it."""
    ends = (words for end, words in REFUSAL_ENDS.items() if code.endswith(end))
    return REFUSAL_WORDS.get(code) or next(ends, detail)


def detail_for_reader(detail: str) -> str:
    """Return the domain's own sentence where the reader has its language, else nothing."""
    return detail if get_language() == "en" else ""


def words_of_refusal(refused: Exception) -> str:
    """Return what a refusal as a whole means; a halt's in the operator's own words."""
    words = str(words_of(CODES[type(refused)], str(refused)))
    if isinstance(refused, MarketFrozen | PartHalted):
        return f"{words} {_('Reason')}: {refused.reason}"
    return words


def carry_out(
    form: forms.Form, deed: Callable[[], object], *, fields: Mapping[str, str] | None = None
) -> bool:
    """Do the deed and return whether it was done; a refusal becomes the form's errors.

    ``fields`` names the form's field for a member of the body that is called otherwise there.
    """
    try:
        deed()
    except REFUSALS as refused:
        for error in getattr(refused, "errors", ()):
            _add(form, error, fields or {})
        if not form.errors:
            form.add_error(None, words_of_refusal(refused))
        return False
    return True


def _add(form: forms.Form, error: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    member = str(error["pointer"]).strip("/").partition("/")[0]
    field = fields.get(member, member)
    words = f"{words_of(error['code'], error['detail'])} {detail_for_reader(error['detail'])}"
    form.add_error(field if field in form.fields else None, words.strip())
