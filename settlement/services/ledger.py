"""The one writer of transfers: batches of up to 10,000, posted whole or not at all.

A batch is written as sets: one COPY of its rows, one update of the holds it captures, one of the
accounts it moves, each touched once. Batches wait for each other, since they form a hash chain;
bidders, who only freeze money, wait for one only where it moves an account of theirs. All locks go
chain, accounts, holds: in one database transaction post first, then place or release holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from exchange.foundation.arrays import spelled
from settlement.models import AccountKind
from settlement.queries.chain import LINE, chain_sha256, content_sha256
from settlement.services.holds import InsufficientFunds, UnknownHold
from settlement.services.ledger_accounts import accounts_of, clearing_account, house_account
from settlement.services.posting_checks import (
    HoldOfAnother,
    TwoCurrencies,
    UnknownAccount,
    UnknownPeriod,
    UnknownTransfer,
    lock_and_check,
)
from settlement.services.posting_rows import NewTransfer, Sums, id_in, instant, lines_of

__all__ = [
    "AccountKind",
    "BatchDiffers",
    "BatchTooLarge",
    "HoldOfAnother",
    "HoldOverdrawn",
    "InsufficientFunds",
    "NewTransfer",
    "Posted",
    "RepeatedTransfer",
    "ReversedBefore",
    "TransferDiffers",
    "TwoCurrencies",
    "UnknownAccount",
    "UnknownHold",
    "UnknownPeriod",
    "UnknownTransfer",
    "accounts_of",
    "clearing_account",
    "house_account",
    "post_all",
    "post_batch",
]

BATCH_MAX = 10_000
Given = dict[str, NewTransfer]  # by canonical line
CHAIN_LOCK = 0x6C6564676572  # "ledger"; advisory, held until the database transaction ends


class TransferDiffers(Exception):
    """A transfer with this key was posted before, with other content."""


class BatchDiffers(Exception):
    """A batch with this key was posted before, without some of these transfers."""


class RepeatedTransfer(Exception):
    """One batch names the same transfer twice."""


class BatchTooLarge(Exception):
    """More transfers than one batch takes."""


class ReversedBefore(Exception):
    """A transfer is undone at most once."""


class HoldOverdrawn(Exception):
    """More would be captured of a hold than is still open."""


@dataclass(frozen=True, slots=True)
class Posted:
    """How many transfers are new, and how many had been posted before with the same content."""

    inserted: int
    replayed: int


@dataclass(frozen=True, slots=True)
class _Link:
    """The place in the chain that the next batch takes."""

    batch_id: int
    posted_at: datetime
    previous_id: int | None
    previous_sha256: bytes | None


NEXT_LINK = """
SELECT nextval(pg_get_serial_sequence('settlement_batch', 'id')), market_now(), last.id, last.sha256
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT id, sha256 FROM settlement_batch ORDER BY id DESC LIMIT 1) AS last ON true
"""
POSTED_BEFORE = f"SELECT {LINE} FROM settlement_transfer WHERE id = ANY(%s::uuid[])"  # noqa: S608
# Straight into the table: the chain's lock keeps every other writer of transfers waiting.
COPY = """
COPY settlement_transfer (id, debit_id, credit_id, amount_micros, code, hold_id, period_id, run_no,
                          reverses_id, event_at, batch_id) FROM STDIN
"""
CAPTURE = """
UPDATE settlement_hold AS hold SET captured_micros = captured_micros + sums.amount
FROM unnest(%s::bigint[], %s::bigint[]) AS sums (hold_id, amount) WHERE hold.id = sums.hold_id
"""
MOVE = """
UPDATE settlement_ledgeraccount AS account
SET debits_posted = debits_posted + sums.debit, credits_posted = credits_posted + sums.credit,
    debits_pending = debits_pending - sums.captured
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS sums (account_id, debit, credit, captured)
WHERE account.id = sums.account_id
"""
SEAL = """
INSERT INTO settlement_batch (id, key, previous_id, transfers_count, amount_micros,
                              content_sha256, sha256, posted_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
POSTED_ONCE = "settlement_transfer_pkey"
REFUSAL_OF_CONSTRAINT = {
    "ledger_account_covered": InsufficientFunds,
    "hold_not_overdrawn": HoldOverdrawn,
    "transfer_reversed_once": ReversedBefore,
    "batch_once": BatchDiffers,
}


def post_batch(transfers: Sequence[NewTransfer], *, key: str) -> Posted:
    """Post all of ``transfers``, or none; repeats of what was posted before change nothing.

    Raises TransferDiffers, BatchDiffers, RepeatedTransfer, BatchTooLarge, InsufficientFunds,
    HoldOverdrawn, HoldOfAnother, ReversedBefore, TwoCurrencies, UnknownAccount, UnknownHold,
    UnknownPeriod, UnknownTransfer.
    """
    if not transfers:
        return Posted(0, 0)
    if len(transfers) > BATCH_MAX:
        raise BatchTooLarge(f"batch {key}: {len(transfers)} transfers, at most {BATCH_MAX}")
    given = dict(zip(lines_of(transfers), transfers, strict=True))
    if len({id_in(line) for line in given}) < len(transfers):
        raise RepeatedTransfer(f"batch {key} names a transfer twice")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return _post(cursor, given, key=key)
    except IntegrityError as error:
        raise _refusal(error, key) from error


def post_all(transfers: Sequence[NewTransfer], *, key: str) -> Posted:
    """Post any number of transfers, as batches ``key/1``, ``key/2``, ... in one go."""
    with transaction.atomic():
        parts = [
            post_batch(part, key=f"{key}/{number}")
            for number, part in enumerate(_parts(transfers), start=1)
        ]
    return Posted(sum(part.inserted for part in parts), sum(part.replayed for part in parts))


def _parts(transfers: Sequence[NewTransfer]) -> Iterator[Sequence[NewTransfer]]:
    for first in range(0, len(transfers), BATCH_MAX):
        yield transfers[first : first + BATCH_MAX]


def _post(cursor: CursorWrapper, given: Given, *, key: str) -> Posted:
    link = _take_link(cursor)
    lock_and_check(cursor, list(given.values()))
    fresh = _write(cursor, given, batch_id=link.batch_id)
    if fresh:
        sums = Sums.of(fresh.values())
        _write_sums(cursor, sums)
        _seal(cursor, link, key=key, amount=sums.amount, lines=sorted(fresh))
    return Posted(len(fresh), len(given) - len(fresh))


def _write(cursor: CursorWrapper, given: Given, *, batch_id: int) -> Given:
    """Write the transfers that are new and return them; refuse what differs from one posted before.

    Mostly all are new, and the table's key says so while they are written. Only if it finds one
    that is not are all of them looked up.
    """
    try:
        with transaction.atomic():
            _copy(cursor, sorted(given), batch_id=batch_id)
    except IntegrityError as error:
        if _constraint_of(error) != POSTED_ONCE:
            raise
    else:
        return given
    before = _posted_before(cursor, given)
    fresh = {line: each for line, each in given.items() if line not in before}
    if fresh:
        _copy(cursor, sorted(fresh), batch_id=batch_id)
    return fresh


def _take_link(cursor: CursorWrapper) -> _Link:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    cursor.execute(NEXT_LINK)  # a statement of its own: it must see what the lock waited for
    return _Link(*cursor.fetchone())


def _copy(cursor: CursorWrapper, lines: Iterable[str], *, batch_id: int) -> None:
    with connection.wrap_database_errors, cursor.copy(COPY) as copy:
        copy.write("".join(f"{line}\t{batch_id}\n" for line in lines))


def _posted_before(cursor: CursorWrapper, given: Given) -> set[str]:
    """Return the lines that were posted before; refuse if one of them reads differently here."""
    cursor.execute(POSTED_BEFORE, [spelled(map(id_in, given))])
    before = {str(line) for (line,) in cursor.fetchall()}
    different = before.difference(given)
    if different:
        raise TransferDiffers(f"transfer {id_in(min(different))} was posted with other content")
    return before


def _write_sums(cursor: CursorWrapper, sums: Sums) -> None:
    if sums.holds:
        cursor.execute(CAPTURE, [spelled(sums.holds), spelled(sums.holds.values())])
    cursor.execute(MOVE, [spelled(column) for column in sums.of_accounts()])


def _seal(
    cursor: CursorWrapper, link: _Link, *, key: str, amount: int, lines: Sequence[str]
) -> None:
    content = content_sha256(lines)
    facts = f"{key}\t{len(lines)}\t{amount}\t{instant(link.posted_at)}"
    sha256 = chain_sha256(link.previous_sha256, content, facts)
    cursor.execute(
        SEAL,
        [link.batch_id, key, link.previous_id, len(lines), amount, content, sha256, link.posted_at],
    )


def _refusal(error: IntegrityError, key: str) -> Exception:
    """Name the rule that the database enforced."""
    diagnosis = getattr(error.__cause__, "diag", None)
    refusal = REFUSAL_OF_CONSTRAINT.get(_constraint_of(error))
    return refusal(f"batch {key}: {diagnosis.message_detail}") if refusal and diagnosis else error


def _constraint_of(error: IntegrityError) -> str:
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""))
