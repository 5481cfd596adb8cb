"""Invariants of what is sold on: no hour twice, and each side by the same delivery."""

from settlement.queries.invariants.rule import Invariant

RESALES = (
    Invariant(
        0,
        "no hour is resold twice: what is resold at any moment is part of what there was",
        """
        SELECT first.id, begun.starts_at, first.quantity_lots, sum(running.quantity_lots)
        FROM settlement_deliveryperiod AS begun
        JOIN settlement_deliveryperiod AS first ON first.id = begun.resold_from_id
        JOIN settlement_deliveryperiod AS running
            ON running.resold_from_id = first.id AND running.starts_at <= begun.starts_at
           AND running.ends_at > begun.starts_at
        GROUP BY first.id, begun.id
        HAVING sum(running.quantity_lots) > first.quantity_lots
        """,
    ),
    Invariant(
        0,
        "resold hours lie within those of the contract that is resold, and its buyer sells them",
        """
        SELECT contract.public_id, period.id FROM settlement_deliveryperiod AS period
        JOIN settlement_contract AS contract ON contract.id = period.contract_id
        LEFT JOIN settlement_deliveryperiod AS source ON source.id = period.resold_from_id
        LEFT JOIN settlement_contract AS first ON first.id = source.contract_id
        LEFT JOIN settlement_resale AS resale ON resale.id = contract.resale_id
        WHERE (period.resold_from_id IS NOT NULL OR contract.resale_id IS NOT NULL)
          AND ((resale.contract_id, contract.provider_id, contract.site_code,
                contract.accelerator_code, contract.currency)
               IS DISTINCT FROM (first.id, first.buyer_id, first.site_code,
                                 first.accelerator_code, first.currency)
               OR period.starts_at < source.starts_at OR period.ends_at > source.ends_at
               OR period.starts_at < resale.starts_at OR period.ends_at > resale.ends_at)
        """,
    ),
    Invariant(
        0,
        "each run of a resold hour has its share of the same run of the hour it comes from",
        """
        SELECT run.id, run.run_no, first.id FROM settlement_deliveryperiod AS period
        JOIN settlement_settlementrun AS run ON run.period_id = period.id
        LEFT JOIN settlement_settlementrun AS first
            ON first.period_id = period.resold_from_id AND first.run_no = run.run_no
        WHERE period.resold_from_id IS NOT NULL
          AND (first.id IS NULL
               OR run.provider_ms
                  <> div(first.delivered_ms::numeric * run.contracted_ms, first.contracted_ms)
               OR run.excused_ms
                  <> ceil(first.excused_ms::numeric * run.contracted_ms / first.contracted_ms)
               OR run.energy_mj IS DISTINCT FROM
                  div(first.energy_mj::numeric * run.contracted_ms, first.contracted_ms)
               OR (run.ruled_ms IS NULL AND run.delivered_ms <> run.provider_ms))
        """,
    ),
    Invariant(
        0,
        "an offered resale that was taken is one contract with whom it was offered to",
        """
        SELECT resale.public_id, resale.state, count(contract.id) FROM settlement_resale AS resale
        LEFT JOIN settlement_contract AS contract ON contract.resale_id = resale.id
        WHERE resale.buyer_id IS NOT NULL
        GROUP BY resale.id
        HAVING count(contract.id) <> (resale.state = 'sold')::int
            OR bool_or(contract.buyer_id <> resale.buyer_id)
        """,
    ),
)
