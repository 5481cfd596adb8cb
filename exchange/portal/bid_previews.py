"""A preview on a page: what would become of a bid, what would help, what the last auction says."""

from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from exchange.engine.shapes import Outcome
from exchange.foundation.money import TICKS
from exchange.portal.bid_forms import BidForm, fields_of_change
from exchange.portal.bid_words import HINDSIGHT, rule_of
from exchange.services.hindsight import Hindsight
from exchange.services.previews import Preview


def preview_context(preview: Preview, form: BidForm, posted: QueryDict) -> dict[str, Any]:
    """Return what the page of a form shows of a preview, with links to the form so changed."""
    sieves = [
        (rule_of(sieve.constraint), sieve.excluded, sieve.left)
        for sieve in preview.screening.sieves
    ]
    return {
        "preview": preview,
        "decisive": rule_of(preview.screening.decisive),
        "sieves": sieves,
        "changes": _linked(preview.changes, form, posted),
        "hindsight": _hindsight_context(preview.hindsight, form, posted),
    }


def _hindsight_context(
    hindsight: Hindsight | None, form: BidForm, posted: QueryDict
) -> dict[str, Any] | None:
    """Say what the auction published last would have done with the bid."""
    if hindsight is None:
        return None
    answer, minutes = hindsight.answer, hindsight.auction.period_minutes
    return {
        "auction": hindsight.auction,
        "moved_days": hindsight.moved_days,
        "said": HINDSIGHT[answer.outcome],
        "is_filled": answer.outcome == Outcome.FILLED,
        "filled": answer.filled_lots * minutes // 60,
        "wanted": answer.wanted_lots * minutes // 60,
        "moves_prices": answer.moves_prices,
        "average": _micros(answer.average),
        "cheapest": _micros(answer.cheapest),
        "needed_ticks": answer.needed_ticks,
        "places": [
            (
                *(place.site, place.accelerator),
                *(hindsight.moment(place.first), hindsight.moment(place.end)),
                place.unit_lots * minutes // 60,
                _micros(place.unit_cost),
            )
            for place in answer.placements
        ],
        "changes": _linked(hindsight.changes, form, posted),
    }


def _micros(micro_ticks: int | None) -> int | None:
    """Return a price in micro-units, rounded up."""
    return None if micro_ticks is None else -(-micro_ticks // TICKS)


def _linked(
    changes: Iterable[dict[str, Any]], form: BidForm, posted: QueryDict
) -> list[tuple[str, str, str]]:
    """Return changes as what they change, to what, and the form filled in with it."""
    return [
        (
            ", ".join(str(rule_of(member)) for member in change),
            _shown(change),
            _address(posted, fields_of_change(change, form)),
        )
        for change in changes
    ]


def _shown(change: dict[str, Any]) -> str:
    """Say the new values of a change, as plainly as they are written."""
    return "; ".join(
        value
        if isinstance(value, str)
        else ", ".join(each if isinstance(each, str) else each["accelerator"] for each in value)
        for value in change.values()
    )


def _address(posted: QueryDict, changed: dict[str, Any]) -> str:
    """Return the address of the form filled in as it was, but for the change."""
    query = posted.copy()
    for name in ("csrfmiddlewaretoken", "preview", "place"):
        query.pop(name, None)
    for name, value in changed.items():
        query.setlist(name, value if isinstance(value, list) else [value])
    return f"{reverse('bid_new')}?{query.urlencode()}"
