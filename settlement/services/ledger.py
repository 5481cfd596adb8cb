"""The one writer of transfers: batches of up to 10,000, posted whole or not at all.

A batch is one statement over sets: rows in, holds captured, balances moved, each account and hold
touched once. Batches wait for each other, since they form a hash chain; bidders, who only freeze
money, wait for a batch only where it moves an account of theirs. The order of all locks is
chain, accounts, holds: in one database transaction post first, then place or release holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from settlement.models import AccountKind
from settlement.queries.chain import LINE, chain_sha256, content_sha256
from settlement.services.holds import InsufficientFunds, UnknownHold
from settlement.services.ledger_accounts import accounts_of, clearing_account, house_account
from settlement.services.posting_checks import (
    HoldOfAnother,
    TwoCurrencies,
    UnknownAccount,
    UnknownPeriod,
    lock_and_check,
)
from settlement.services.posting_rows import NewTransfer, PostingRows, micros_since_epoch

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
    "TransferDiffers",
    "TwoCurrencies",
    "UnknownAccount",
    "UnknownHold",
    "UnknownPeriod",
    "accounts_of",
    "clearing_account",
    "house_account",
    "post_all",
    "post_batch",
]

BATCH_MAX = 10_000
CHAIN_LOCK = 0x6C6564676572  # "ledger"; advisory, held until the database transaction ends


class TransferDiffers(Exception):
    """A transfer with this key was posted before, with other content."""


class BatchDiffers(Exception):
    """A batch with this key was posted before, without some of these transfers."""


class RepeatedTransfer(Exception):
    """One batch names the same transfer twice."""


class BatchTooLarge(Exception):
    """More transfers than one batch takes."""


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
    posted_micros: int
    previous_id: int | None
    previous_sha256: bytes | None


NEXT_LINK = """
SELECT nextval(pg_get_serial_sequence('settlement_batch', 'id')), market_now(), last.id, last.sha256
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT id, sha256 FROM settlement_batch ORDER BY id DESC LIMIT 1) AS last ON true
"""
POST = """
WITH given AS (
    SELECT * FROM unnest(
        %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[],
        %s::bigint[], %s::bigint[], %s::smallint[], %s::uuid[], %s::bigint[])
    AS given (id, debit_id, credit_id, amount_micros, code,
              hold_id, period_id, run_no, reverses_id, event_micros)
), posted AS (
    INSERT INTO settlement_transfer (batch_id, id, debit_id, credit_id, amount_micros, code,
                                     hold_id, period_id, run_no, reverses_id, event_at)
    SELECT %s, id, debit_id, credit_id, amount_micros, code, hold_id, period_id, run_no,
           reverses_id, timestamptz 'epoch' + event_micros * interval '1 microsecond'
    FROM given
    ON CONFLICT (id) DO NOTHING
    RETURNING debit_id, credit_id, amount_micros, hold_id
), captured AS (
    UPDATE settlement_hold AS hold SET captured_micros = captured_micros + sums.amount
    FROM (SELECT hold_id, sum(amount_micros)::bigint AS amount FROM posted
          WHERE hold_id IS NOT NULL GROUP BY hold_id) AS sums
    WHERE hold.id = sums.hold_id
    RETURNING hold.account_id, sums.amount
), moved AS (
    UPDATE settlement_ledgeraccount AS account
    SET debits_posted = debits_posted + sums.debit, credits_posted = credits_posted + sums.credit,
        debits_pending = debits_pending - sums.captured
    FROM (SELECT account_id, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit,
                 sum(captured)::bigint AS captured
          FROM (SELECT debit_id AS account_id, amount_micros AS debit, 0 AS credit, 0 AS captured
                FROM posted
                UNION ALL SELECT credit_id, 0, amount_micros, 0 FROM posted
                UNION ALL SELECT account_id, 0, 0, amount FROM captured) AS sides
          GROUP BY account_id) AS sums
    WHERE account.id = sums.account_id
)
SELECT count(*), coalesce(sum(amount_micros), 0)::bigint FROM posted
"""
REPLAYED = f"SELECT {LINE} FROM settlement_transfer WHERE id = ANY(%s::uuid[]) AND batch_id <> %s"  # noqa: S608
SEAL = """
INSERT INTO settlement_batch (id, key, previous_id, transfers_count, amount_micros,
                              content_sha256, sha256, posted_at)
VALUES (%s, %s, %s, %s, %s, %s, %s,
        timestamptz 'epoch' + %s * interval '1 microsecond')
"""
REFUSAL_OF_CONSTRAINT = {
    "ledger_account_covered": InsufficientFunds,
    "hold_not_overdrawn": HoldOverdrawn,
    "settlement_batch_key_key": BatchDiffers,
}


def post_batch(transfers: Sequence[NewTransfer], *, key: str) -> Posted:
    """Post all of ``transfers``, or none; repeats of what was posted before change nothing.

    Raises TransferDiffers, BatchDiffers, RepeatedTransfer, BatchTooLarge, InsufficientFunds,
    HoldOverdrawn, HoldOfAnother, TwoCurrencies, UnknownAccount, UnknownHold, UnknownPeriod.
    """
    if not transfers:
        return Posted(0, 0)
    if len(transfers) > BATCH_MAX:
        raise BatchTooLarge(f"batch {key}: {len(transfers)} transfers, at most {BATCH_MAX}")
    rows = PostingRows.of(transfers)
    if len(set(rows.ids)) < len(transfers):
        raise RepeatedTransfer(f"batch {key} names a transfer twice")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return _post(cursor, transfers, rows, key=key)
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


def _post(
    cursor: CursorWrapper, transfers: Sequence[NewTransfer], rows: PostingRows, *, key: str
) -> Posted:
    link = _take_link(cursor)
    lock_and_check(cursor, transfers)
    cursor.execute(POST, [*rows.columns, link.batch_id])
    inserted, amount = cursor.fetchone()
    lines = rows.lines
    if inserted < len(lines):
        replayed = _replayed(cursor, rows, link.batch_id)
        lines = [line for line in lines if line not in replayed]
    if inserted:
        _seal(cursor, link, key=key, amount=amount, lines=lines)
    return Posted(inserted, len(transfers) - inserted)


def _take_link(cursor: CursorWrapper) -> _Link:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    cursor.execute(NEXT_LINK)  # a statement of its own: it must see what the lock waited for
    batch_id, posted_at, previous_id, sha256 = cursor.fetchone()
    return _Link(batch_id, micros_since_epoch(posted_at), previous_id, sha256)


def _replayed(cursor: CursorWrapper, rows: PostingRows, batch_id: int) -> set[str]:
    """Return the lines that had been posted before; refuse if one of them was another line."""
    cursor.execute(REPLAYED, [rows.columns[0], batch_id])
    replayed = {line for (line,) in cursor.fetchall()}
    different = replayed.difference(rows.lines)
    if different:
        name = min(different).partition("\t")[0]
        raise TransferDiffers(f"transfer {name} was posted before with other content")
    return replayed


def _seal(
    cursor: CursorWrapper, link: _Link, *, key: str, amount: int, lines: Sequence[str]
) -> None:
    content = content_sha256(lines)
    facts = f"{key}\t{len(lines)}\t{amount}\t{link.posted_micros}"
    cursor.execute(
        SEAL,
        [
            link.batch_id,
            key,
            link.previous_id,
            len(lines),
            amount,
            content,
            chain_sha256(link.previous_sha256, content, facts),
            link.posted_micros,
        ],
    )


def _refusal(error: IntegrityError, key: str) -> Exception:
    """Name the rule that the database enforced."""
    diagnosis = getattr(error.__cause__, "diag", None)
    name = str(getattr(diagnosis, "constraint_name", ""))
    refusal = REFUSAL_OF_CONSTRAINT.get(name)
    return refusal(f"batch {key}: {diagnosis.message_detail}") if refusal and diagnosis else error
