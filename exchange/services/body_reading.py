"""Read the bodies around bids: a bulk of them, and the reason for taking one back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from exchange.services.body_fields import Fields
from exchange.services.bulk_bids import BULK_MAX
from exchange.services.faults import Fault, Faults, TermsRefused

REASON_MAX: Final = 200


class Bulk(NamedTuple):
    """Bodies of bids, unread, and whether it is all or nothing."""

    bodies: list[Any]
    atomic: bool


def read_bulk(body: object) -> Bulk:
    """Return the bulk in ``body``. Raises TermsRefused."""
    fields, faults = fields_of(body)
    fields.refuse_unknown({"bids", "atomic"})
    bodies = fields.listed("bids", most=BULK_MAX)
    if bodies is not None and not bodies:
        fields.fault("bids", "bids_missing", "at least one bid is needed")
    atomic = fields.flag("atomic")
    raise_any(faults)
    return Bulk(bodies or [], atomic)


def read_reason(body: object) -> str:
    """Return the reason in ``body``, which may say nothing. Raises TermsRefused."""
    fields, faults = fields_of(body or {})
    fields.refuse_unknown({"reason"})
    reason = fields.words("reason", most=REASON_MAX)
    raise_any(faults)
    return reason


def fields_of(body: object) -> tuple[Fields, Faults]:
    """Return the fields of an object. Raises TermsRefused for anything else."""
    if not isinstance(body, Mapping):
        raise TermsRefused([Fault("", "body_not_object", "the body is a JSON object")])
    faults = Faults()
    return Fields(body, faults), faults


def raise_any(faults: Faults) -> None:
    """Raise TermsRefused if anything was found."""
    if faults:
        raise TermsRefused(faults.found)


def read_offer_body(body: object) -> tuple[dict[str, Any], bool]:
    """Return the offer in ``body``, unread, and whether it is a draft. Raises TermsRefused."""
    fields, faults = fields_of(body)
    draft = fields.flag("draft")
    raise_any(faults)
    assert isinstance(body, Mapping), "fields_of refused anything else"
    return {name: value for name, value in body.items() if name != "draft"}, draft


def read_span(
    said: Mapping[str, str | None], *, start: datetime, length: timedelta, most: timedelta
) -> tuple[datetime, datetime]:
    """Return the span that a query asks for. Raises TermsRefused.

    Unless said otherwise it is ``length`` from ``start``, or from where the query lets it start.
    """
    faults = Faults()
    fields = Fields(said, faults)
    starts_at = fields.instant("starts_at") if said["starts_at"] else start
    ends_at = fields.instant("ends_at") if said["ends_at"] else (starts_at or start) + length
    if starts_at is not None and ends_at is not None:
        if starts_at >= ends_at:
            fields.fault("ends_at", "window_empty", "it ends before it starts")
        elif ends_at - starts_at > most:
            fields.fault("ends_at", "window_too_long", f"at most {most.days} days")
    if faults or starts_at is None or ends_at is None:
        raise TermsRefused(faults.found)
    return starts_at, ends_at
