"""Invariants of accounts, transfers, holds and batches."""

from settlement.queries.invariants.rule import Invariant

LEDGER = (
    Invariant(
        1,
        "debits = credits per currency",
        """
        SELECT currency, sum(debits_posted), sum(credits_posted) FROM settlement_ledgeraccount
        GROUP BY currency HAVING sum(debits_posted) <> sum(credits_posted)
        """,
    ),
    Invariant(
        2,
        "stored balances = sums of transfers",
        """
        WITH sums AS (
            SELECT account_id, sum(debit) AS debit, sum(credit) AS credit
            FROM (SELECT debit_id AS account_id, amount AS debit, 0 AS credit FROM transfer_sums
                  UNION ALL SELECT credit_id, 0, amount FROM transfer_sums) AS sides
            GROUP BY account_id)
        SELECT coalesce(account.id, sums.account_id), debits_posted, debit, credits_posted, credit
        FROM settlement_ledgeraccount AS account FULL JOIN sums ON sums.account_id = account.id
        WHERE debits_posted IS DISTINCT FROM coalesce(debit, 0)
           OR credits_posted IS DISTINCT FROM coalesce(credit, 0)
        """,
    ),
    Invariant(
        3,
        "pending = open parts of holds",
        """
        SELECT account.id, account.debits_pending, opened.amount
        FROM settlement_ledgeraccount AS account LEFT JOIN (
            SELECT account_id, sum(amount_micros - captured_micros - released_micros) AS amount
            FROM settlement_hold GROUP BY account_id) AS opened ON opened.account_id = account.id
        WHERE account.debits_pending <> coalesce(opened.amount, 0)
        """,
    ),
    Invariant(
        4,
        "captured of a hold = sum of its transfers, released = sum of its releases",
        """
        SELECT coalesce(hold.id, captures.hold_id), captured_micros, captures.amount,
               released_micros, releases.amount
        FROM settlement_hold AS hold
        FULL JOIN (SELECT hold_id, sum(amount) AS amount FROM transfer_sums
                   WHERE hold_id IS NOT NULL GROUP BY hold_id) AS captures
            ON captures.hold_id = hold.id
        LEFT JOIN (SELECT hold_id, sum(amount_micros) AS amount FROM settlement_holdrelease
                   GROUP BY hold_id) AS releases ON releases.hold_id = hold.id
        WHERE captured_micros IS DISTINCT FROM coalesce(captures.amount, 0)
           OR released_micros IS DISTINCT FROM coalesce(releases.amount, 0)
        """,
    ),
    Invariant(
        5,
        "a buyer's money is never overdrawn beyond its credit",
        """
        SELECT id, credits_posted + credit_micros - debits_posted - debits_pending
        FROM settlement_ledgeraccount
        WHERE kind = 'available'
          AND debits_posted + debits_pending > credits_posted + credit_micros
        """,
    ),
    Invariant(
        6,
        "one currency per transfer",
        """
        SELECT debit_id, credit_id, debit.currency, credit.currency
        FROM (SELECT DISTINCT debit_id, credit_id FROM transfer_sums) AS pair
        LEFT JOIN settlement_ledgeraccount AS debit ON debit.id = debit_id
        LEFT JOIN settlement_ledgeraccount AS credit ON credit.id = credit_id
        WHERE debit.currency IS NULL OR credit.currency IS NULL
           OR debit.currency <> credit.currency
        """,
    ),
    Invariant(
        7,
        "every clearing account nets to zero",
        """
        SELECT id, reference, credits_posted - debits_posted FROM settlement_ledgeraccount
        WHERE kind = 'clearing' AND debits_posted <> credits_posted
        """,
    ),
    Invariant(
        8,
        "a hold's captures debit its own account",
        """
        SELECT hold.id, hold.account_id, sums.debit_id
        FROM transfer_sums AS sums JOIN settlement_hold AS hold ON hold.id = sums.hold_id
        WHERE sums.debit_id <> hold.account_id
        """,
    ),
    Invariant(
        0,
        "batches hold what they say, one after the other",
        r"""
        SELECT batch.id, batch.key
        FROM settlement_batch AS batch
        LEFT JOIN settlement_batch AS previous ON previous.id = batch.previous_id
        LEFT JOIN LATERAL (SELECT max(id) AS id FROM settlement_batch AS earlier
                           WHERE earlier.id < batch.id) AS earlier ON true
        FULL JOIN batch_sums AS sums ON sums.batch_id = batch.id
        WHERE batch.previous_id IS DISTINCT FROM earlier.id
           OR batch.transfers_count IS DISTINCT FROM sums.count
           OR batch.amount_micros IS DISTINCT FROM sums.amount
           OR batch.sha256 IS DISTINCT FROM sha256(convert_to(concat(
                encode(previous.sha256, 'hex'), E'\n', encode(batch.content_sha256, 'hex'), E'\n',
                encode(sha256(convert_to(concat(
                    batch.key, E'\t', batch.transfers_count, E'\t', batch.amount_micros, E'\t',
                    to_char(batch.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
                    'UTF8')), 'hex')), 'UTF8'))
        """,
    ),
)
