"""Read the bodies around bids: a bulk of them, and the reason for taking one back."""

from collections.abc import Mapping
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
    fields.refuse_unknown(("bids", "atomic"))
    bodies = fields.listed("bids", most=BULK_MAX)
    if bodies is not None and not bodies:
        fields.fault("bids", "bids_missing", "at least one bid is needed")
    atomic = fields.flag("atomic")
    raise_any(faults)
    return Bulk(bodies or [], atomic)


def read_reason(body: object) -> str:
    """Return the reason in ``body``, which may say nothing. Raises TermsRefused."""
    fields, faults = fields_of(body or {})
    fields.refuse_unknown(("reason",))
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
