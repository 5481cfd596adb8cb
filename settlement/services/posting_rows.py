"""A transfer before it is posted: its id, its one canonical line, and what a set adds up to."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from settlement.models.transfers import TRANSFER_IDS

NULL = r"\N"  # as COPY writes it
_NAMESPACE = TRANSFER_IDS.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}  # RFC 9562


class NewTransfer(NamedTuple):
    """``amount_micros`` from account ``debit_id`` to account ``credit_id``.

    ``key`` is the business key that makes a retry the same row, e.g. ``period 7, run 1, charge``.
    With ``hold_id`` the money comes out of that hold, which must be on the debit account.
    """

    key: str
    debit_id: int
    credit_id: int
    amount_micros: int
    code: int
    event_at: datetime
    hold_id: int | None = None
    period_id: int | None = None
    run_no: int | None = None
    reverses_id: uuid.UUID | None = None

    @property
    def id(self) -> uuid.UUID:
        """The uuid5 of the business key."""
        return transfer_id(self.key)


def transfer_id(key: str) -> uuid.UUID:
    """Return the id of the transfer with this business key: its uuid5."""
    return uuid.UUID(hex=_uuid5_hex(key))


def _uuid5_hex(key: str) -> str:
    """Return what ``uuid.uuid5(TRANSFER_IDS, key).hex`` is, without making the objects."""
    text = hashlib.sha1(_NAMESPACE + key.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:12]}5{text[13:16]}{_VARIANT[text[16]]}{text[17:32]}"


def instant(at: datetime) -> str:
    """Return a moment as text in UTC, with all its microseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def line_of(new: NewTransfer, event_at: str) -> str:
    """Return the transfer's canonical line (settlement.queries.chain), which COPY reads as well."""
    return (
        f"{_uuid5_hex(new.key)}\t{new.debit_id}\t{new.credit_id}\t{new.amount_micros}\t{new.code:d}"
        f"\t{_text(new.hold_id)}\t{_text(new.period_id)}\t{_text(new.run_no)}"
        f"\t{new.reverses_id.hex if new.reverses_id else NULL}\t{event_at}"
    )


def lines_of(transfers: Sequence[NewTransfer]) -> list[str]:
    """Return the canonical lines of ``transfers``, in the same order."""
    moments = {at: instant(at) for at in {each.event_at for each in transfers}}
    return [line_of(each, moments[each.event_at]) for each in transfers]


def id_in(line: str) -> str:
    """Return the id that a canonical line begins with: 32 hex digits."""
    return line[:32]


@dataclass(slots=True)
class Sums:
    """What a set of transfers does to each account and each hold."""

    debits: Counter[int] = field(default_factory=Counter)
    credits: Counter[int] = field(default_factory=Counter)
    captures: Counter[int] = field(default_factory=Counter)  # by account
    holds: Counter[int] = field(default_factory=Counter)
    amount: int = 0

    @classmethod
    def of(cls, transfers: Iterable[NewTransfer]) -> "Sums":
        """Add up ``transfers``, each of which captures a hold on its own debit account."""
        sums = cls()
        for each in transfers:
            amount = each.amount_micros
            sums.debits[each.debit_id] += amount
            sums.credits[each.credit_id] += amount
            sums.amount += amount
            if each.hold_id is not None:
                sums.holds[each.hold_id] += amount
                sums.captures[each.debit_id] += amount
        return sums

    def of_accounts(self) -> list[list[int]]:
        """Return four columns: account, its debits, its credits, what it captures."""
        accounts = sorted(self.debits.keys() | self.credits.keys())
        sides = (self.debits, self.credits, self.captures)
        return [accounts, *([side[account] for account in accounts] for side in sides)]


def _text(number: int | None) -> str:
    return NULL if number is None else str(number)
