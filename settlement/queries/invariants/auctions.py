"""What must hold of everything that one auction's contracts moved."""

from settlement.queries.invariants.rule import Invariant

AUCTIONS = (
    Invariant(
        21,
        "per auction: buyers paid + rounding = sellers owed + rents + policy + fees",
        """
        WITH flows AS (
            SELECT clearing.reference AS auction_id, other.kind, sum(paid_in) AS paid_in
            FROM (SELECT credit_id AS clearing_id, debit_id AS other_id, amount AS paid_in
                  FROM transfer_sums
                  UNION ALL SELECT debit_id, credit_id, -amount FROM transfer_sums) AS sides
            JOIN settlement_ledgeraccount AS clearing
                ON clearing.id = clearing_id AND clearing.kind = 'clearing'
            JOIN settlement_ledgeraccount AS other ON other.id = other_id
            GROUP BY clearing.reference, other.kind
        ), moved AS (
            SELECT auction_id,
                   coalesce(sum(paid_in) FILTER (WHERE kind = 'available'), 0) AS paid,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'payable'), 0) AS owed,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'fee'), 0) AS fees,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'congestion_rent'), 0) AS links,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'power_rent'), 0) AS power,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'policy'), 0) AS policy,
                   coalesce(-sum(paid_in) FILTER (WHERE kind = 'rounding'), 0) AS rounding
            FROM flows GROUP BY auction_id
        ), last AS (
            SELECT DISTINCT ON (period_id) * FROM settlement_settlementrun
            ORDER BY period_id, run_no DESC
        ), due AS (
            SELECT auction_id,
                   coalesce(sum(buyer_due_micros + buyer_fee_micros), 0) AS paid,
                   coalesce(sum(seller_due_micros - seller_fee_micros), 0) AS owed,
                   coalesce(sum(buyer_fee_micros + seller_fee_micros), 0) AS fees,
                   coalesce(sum(congestion_micros), 0) AS links,
                   coalesce(sum(power_micros), 0) AS power,
                   coalesce(-sum(policy_micros), 0) AS policy,
                   coalesce(sum(rounding_micros), 0) AS rounding
            FROM settlement_contract AS contract
            LEFT JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
            LEFT JOIN last ON last.period_id = period.id
            GROUP BY auction_id
        )
        SELECT due.auction_id, moved.paid, due.paid, moved.owed, due.owed, moved.fees, due.fees,
               moved.links, due.links, moved.power, due.power, moved.policy, due.policy,
               moved.rounding, due.rounding
        FROM due LEFT JOIN moved USING (auction_id)
        WHERE (coalesce(moved.paid, 0), coalesce(moved.owed, 0), coalesce(moved.fees, 0),
               coalesce(moved.links, 0), coalesce(moved.power, 0), coalesce(moved.policy, 0),
               coalesce(moved.rounding, 0))
              <> (due.paid, due.owed, due.fees, due.links, due.power, due.policy, due.rounding)
           OR moved.paid <> moved.owed + moved.fees + moved.links + moved.power + moved.policy
                            + moved.rounding
        """,
    ),
)
