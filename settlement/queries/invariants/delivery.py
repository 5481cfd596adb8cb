"""Invariants of periods, their runs and what was posted for them."""

from settlement.queries.invariants.rule import Invariant

DELIVERY = (
    Invariant(
        9,
        "net posted for a period = due of its last run",
        """
        WITH last AS (
            SELECT DISTINCT ON (period_id) period_id,
                   buyer_due_micros + buyer_fee_micros AS charge,
                   seller_due_micros - seller_fee_micros AS earning, penalty_micros AS penalty
            FROM settlement_settlementrun ORDER BY period_id, run_no DESC
        ), posted AS (
            SELECT period_id,
                   sum(CASE WHEN code <> 10 THEN 0 WHEN debit.kind = 'available' THEN amount
                            ELSE -amount END) AS charge,
                   sum(CASE WHEN code <> 20 THEN 0 WHEN credit.kind = 'payable' THEN amount
                            ELSE -amount END) AS earning,
                   sum(CASE WHEN code <> 50 THEN 0 WHEN debit.kind = 'payable' THEN amount
                            ELSE -amount END) AS penalty
            FROM period_sums
            JOIN settlement_ledgeraccount AS debit ON debit.id = debit_id
            JOIN settlement_ledgeraccount AS credit ON credit.id = credit_id
            GROUP BY period_id
        )
        SELECT coalesce(last.period_id, posted.period_id), last.charge, posted.charge,
               last.earning, posted.earning, last.penalty, posted.penalty
        FROM last FULL JOIN posted USING (period_id)
        WHERE (last.charge, last.earning, last.penalty) IS NULL
           OR (last.charge, last.earning, last.penalty) IS DISTINCT FROM
              (coalesce(posted.charge, 0), coalesce(posted.earning, 0),
               coalesce(posted.penalty, 0))
        """,
    ),
    Invariant(
        10,
        "runs of a period have numbers without gaps, up to the next one due",
        """
        SELECT period.id, period.state, period.next_run_no, runs.count, runs.last
        FROM settlement_deliveryperiod AS period
        LEFT JOIN (SELECT period_id, count(*), max(run_no) AS last FROM settlement_settlementrun
                   GROUP BY period_id) AS runs ON runs.period_id = period.id
        WHERE coalesce(runs.count, 0) <> coalesce(runs.last, 0)
           OR coalesce(runs.last, 0) <>
              CASE period.state WHEN 'final' THEN 4 ELSE period.next_run_no - 1 END
        """,
    ),
    Invariant(
        11,
        "final only after the deadline and without an undecided dispute",
        """
        SELECT period.id, run.ran_at FROM settlement_deliveryperiod AS period
        JOIN settlement_contract AS contract ON contract.id = period.contract_id
        LEFT JOIN settlement_settlementrun AS run ON run.period_id = period.id AND run.run_no = 4
        WHERE period.state = 'final'
          AND (run.ran_at IS NULL
               OR run.ran_at < period.ends_at + contract.dispute_days * interval '1 day'
               OR EXISTS (SELECT FROM settlement_dispute AS dispute
                          WHERE dispute.period_id = period.id AND dispute.decided_at IS NULL))
        """,
    ),
    Invariant(
        12,
        "0 <= delivered <= contracted, and that is quantity x time",
        """
        SELECT run.id, run.delivered_ms, run.contracted_ms FROM settlement_settlementrun AS run
        LEFT JOIN settlement_deliveryperiod AS period ON period.id = run.period_id
        WHERE run.delivered_ms NOT BETWEEN 0 AND run.contracted_ms OR period.id IS NULL
           OR run.contracted_ms <>
              period.quantity_lots * extract(epoch FROM period.ends_at - period.starts_at)
        """,
    ),
)
