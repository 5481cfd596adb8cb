"""Faults to plant in books that were kept: SQL past every trigger, and the rules that it breaks.

0 stands for the rules about batches. In the books is one charge of 300 under the hold ``bid``.
"""

FAULTS: dict[str, tuple[str, set[int]]] = {
    "one side only": (
        """UPDATE settlement_ledgeraccount SET debits_posted = debits_posted + 1
           WHERE kind = 'external'""",
        {1, 2},
    ),
    "a forged balance": (
        """UPDATE settlement_ledgeraccount SET credits_posted = credits_posted + 7,
           debits_posted = debits_posted + 7 WHERE kind = 'fee'""",
        {2},
    ),
    "a lost transfer": (
        "DELETE FROM settlement_transfer WHERE amount_micros = 300",
        {0, 2, 4},
    ),
    "a changed amount": (
        "UPDATE settlement_transfer SET amount_micros = 301 WHERE amount_micros = 300",
        {0, 2, 4},
    ),
    "pending money without a hold": (
        """UPDATE settlement_ledgeraccount SET debits_pending = debits_pending + 1
           WHERE kind = 'available'""",
        {3},
    ),
    "a lost hold": ("DELETE FROM settlement_hold WHERE key = 'other'", {3}),
    "a capture that no transfer made": (
        """UPDATE settlement_hold SET captured_micros = captured_micros + 1,
           released_micros = released_micros - 1 WHERE key = 'bid'""",
        {4},
    ),
    "a release that was not recorded": (
        "DELETE FROM settlement_holdrelease WHERE reason = 'published'",
        {4},
    ),
    "an overdrawn buyer": (
        """UPDATE settlement_ledgeraccount SET credits_posted = 100 WHERE id =
           (SELECT debit_id FROM settlement_transfer WHERE amount_micros = 300)""",
        {1, 2, 5},
    ),
    "two currencies": (
        """UPDATE settlement_ledgeraccount SET currency = 'XTS' WHERE id =
           (SELECT debit_id FROM settlement_transfer WHERE amount_micros = 300)""",
        {1, 6},
    ),
    "an account that is gone": (
        """DELETE FROM settlement_ledgeraccount WHERE id =
           (SELECT debit_id FROM settlement_transfer WHERE amount_micros = 300)""",
        {1, 2, 6},
    ),
    "clearing money that stays": (
        """UPDATE settlement_ledgeraccount SET credits_posted = credits_posted + 5
           WHERE kind = 'clearing'""",
        {1, 2, 7},
    ),
    "a hold captured for another": (
        """UPDATE settlement_transfer SET debit_id =
           (SELECT account_id FROM settlement_hold WHERE key = 'other')
           WHERE amount_micros = 300""",
        {0, 2, 8},
    ),
    "another reason for the same money": (
        "UPDATE settlement_transfer SET code = 70 WHERE amount_micros = 300",
        {0},
    ),
    "another time for the same money": (
        """UPDATE settlement_transfer SET event_at = event_at + interval '1 microsecond'
           WHERE amount_micros = 300""",
        {0},
    ),
    "a batch that was cut out": ("DELETE FROM settlement_batch WHERE key = 'run 1'", {0}),
    "a batch that was renamed": (
        "UPDATE settlement_batch SET key = 'run 2' WHERE key = 'run 1'",
        {0},
    ),
    "a batch in another place": (
        "UPDATE settlement_batch SET previous_id = id WHERE key = 'run 1'",
        {0},
    ),
    "a batch hashed anew after a change": (
        "UPDATE settlement_batch SET content_sha256 = sha256('forged') WHERE key = 'run 1'",
        {0},
    ),
}
