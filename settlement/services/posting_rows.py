"""A transfer before it is posted, and its one canonical line: what is hashed and compared."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from settlement.models.transfers import TRANSFER_IDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
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
    """Return the id of the transfer with this business key."""
    return uuid.uuid5(TRANSFER_IDS, key)


def micros_since_epoch(at: datetime) -> int:
    """Return a moment as whole microseconds, exactly."""
    return (at - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class PostingRows:
    """Transfers as columns of text that PostgreSQL reads as arrays, in order of id."""

    ids: list[str]
    columns: tuple[str, ...]
    lines: list[str]

    @classmethod
    def of(cls, transfers: Sequence[NewTransfer]) -> "PostingRows":
        """Lay out ``transfers`` for one statement."""
        rows = sorted(_row(transfer) for transfer in transfers)
        columns = tuple("{" + ",".join(column) + "}" for column in zip(*rows, strict=True))
        return cls([row[0] for row in rows], columns, ["\t".join(row) for row in rows])


def _row(new: NewTransfer) -> tuple[str, ...]:
    return (
        new.id.hex,
        str(new.debit_id),
        str(new.credit_id),
        str(new.amount_micros),
        str(int(new.code)),
        _text(new.hold_id),
        _text(new.period_id),
        _text(new.run_no),
        new.reverses_id.hex if new.reverses_id else "NULL",
        str(micros_since_epoch(new.event_at)),
    )


def _text(number: int | None) -> str:
    return "NULL" if number is None else str(number)
