"""Invariants of deposits and payouts."""

from settlement.queries.invariants.rule import Invariant

CASH = (
    Invariant(
        0,
        "money asked to be paid out = payouts not submitted, by organization",
        """
        SELECT coalesce(account.owner_id, payout.organization_id), account.micros, payout.micros
        FROM (SELECT owner_id, sum(credits_posted - debits_posted) AS micros
              FROM settlement_ledgeraccount WHERE kind = 'withdrawing' GROUP BY owner_id) AS account
        FULL JOIN (SELECT organization_id, sum(amount_micros) AS micros FROM settlement_payout
                   WHERE state = 'created' GROUP BY organization_id) AS payout
            ON payout.organization_id = account.owner_id
        WHERE coalesce(account.micros, 0) <> coalesce(payout.micros, 0)
        """,
    ),
    Invariant(
        0,
        "money on its way to banks = payouts submitted and not confirmed",
        """
        SELECT account.micros, payout.micros
        FROM (SELECT coalesce(sum(credits_posted - debits_posted), 0) AS micros
              FROM settlement_ledgeraccount WHERE kind = 'in_transit') AS account,
             (SELECT coalesce(sum(amount_micros), 0) AS micros FROM settlement_payout
              WHERE state = 'submitted') AS payout
        WHERE account.micros <> payout.micros
        """,
    ),
    Invariant(
        0,
        "each step of a payout is one transfer of its amount, undone if it failed or came back",
        """
        SELECT payout.public_id, payout.state, step.name, step.transfer_id
        FROM settlement_payout AS payout
        CROSS JOIN LATERAL (VALUES
            ('asked', asked_id, true),
            ('sent', sent_id, submitted_at IS NOT NULL),
            ('paid', paid_id, confirmed_at IS NOT NULL)) AS step (name, transfer_id, is_due)
        LEFT JOIN settlement_transfer AS first ON first.id = step.transfer_id
        LEFT JOIN settlement_transfer AS undone ON undone.reverses_id = first.id
        WHERE step.is_due <> (first.id IS NOT NULL)
           OR (step.transfer_id IS NOT NULL AND first.id IS NULL)
           OR first.amount_micros <> payout.amount_micros
           OR (first.id IS NOT NULL
               AND (undone.id IS NOT NULL) <> (payout.state IN ('failed', 'returned')))
           OR (undone.id IS NOT NULL
               AND (undone.amount_micros, undone.debit_id, undone.credit_id)
                   <> (first.amount_micros, first.credit_id, first.debit_id))
        """,
    ),
    Invariant(
        0,
        "an approved deposit is one transfer to its organization, undone if it was reversed",
        """
        SELECT deposit.public_id, deposit.state FROM settlement_deposit AS deposit
        LEFT JOIN settlement_transfer AS first ON first.id = deposit.transfer_id
        LEFT JOIN settlement_ledgeraccount AS account ON account.id = first.credit_id
        LEFT JOIN settlement_transfer AS undone ON undone.reverses_id = first.id
        WHERE (deposit.state IN ('posted', 'reversed'))
              <> coalesce(first.amount_micros = deposit.amount_micros
                          AND account.owner_id = deposit.organization_id, false)
           OR (deposit.state = 'reversed') <> (undone.id IS NOT NULL)
        """,
    ),
    Invariant(
        0,
        "nobody approved what they asked for themselves",
        """
        SELECT public_id FROM settlement_payout WHERE asked_by_id = submitted_by_id
        UNION ALL
        SELECT public_id FROM settlement_deposit
        WHERE state IN ('posted', 'reversed') AND entered_by_id = decided_by_id
        """,
    ),
)
