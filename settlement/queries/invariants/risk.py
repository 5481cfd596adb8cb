"""Invariants of credit, collateral and budgets."""

from settlement.queries.invariants.rule import Invariant

RISK = (
    Invariant(
        0,
        "the credit of an account is its organization's latest credit line",
        """
        SELECT account.id, account.credit_micros, line.amount_micros
        FROM settlement_ledgeraccount AS account
        LEFT JOIN LATERAL (SELECT amount_micros FROM settlement_creditline AS line
                           WHERE line.organization_id = account.owner_id
                           ORDER BY id DESC LIMIT 1) AS line ON account.kind = 'available'
        WHERE account.credit_micros <> coalesce(line.amount_micros, 0)
        """,
    ),
    Invariant(
        0,
        "what a project has committed = what its holds have frozen or paid",
        """
        SELECT project.public_id, project.committed_micros, holds.micros
        FROM settlement_project AS project
        LEFT JOIN (SELECT project_id, sum(amount_micros - released_micros) AS micros
                   FROM settlement_hold WHERE project_id IS NOT NULL GROUP BY project_id) AS holds
            ON holds.project_id = project.id
        WHERE project.committed_micros <> coalesce(holds.micros, 0)
        """,
    ),
    Invariant(
        0,
        "a project's holds freeze its own organization's money",
        """
        SELECT hold.key, project.public_id FROM settlement_hold AS hold
        JOIN settlement_project AS project ON project.id = hold.project_id
        JOIN settlement_ledgeraccount AS account ON account.id = hold.account_id
        WHERE account.owner_id <> project.organization_id
        """,
    ),
    Invariant(
        0,
        "a budget that is used up to a threshold has given its alert",
        """
        SELECT project.public_id, threshold FROM settlement_project AS project,
               unnest(ARRAY[800000, 950000]) AS threshold
        WHERE committed_micros > 0
          AND committed_micros::numeric * 1000000 >= budget_micros::numeric * threshold
          AND NOT EXISTS (
              SELECT FROM settlement_budgetalert AS alert
              WHERE alert.project_id = project.id AND alert.threshold_ppm = threshold
                AND alert.budget_no = project.budget_no)
        """,
    ),
    Invariant(
        0,
        "collateral is the provider's own money, all of it held, and no longer than it is needed",
        """
        SELECT collateral.id, contract.public_id FROM settlement_collateral AS collateral
        JOIN settlement_contract AS contract ON contract.id = collateral.contract_id
        LEFT JOIN settlement_hold AS hold ON hold.id = collateral.hold_id
        LEFT JOIN settlement_ledgeraccount AS account ON account.id = hold.account_id
        WHERE collateral.provider_id <> contract.provider_id
           OR account.owner_id <> collateral.provider_id
           OR hold.amount_micros <> collateral.required_micros
           OR (collateral.released_at IS NOT NULL
               AND hold.amount_micros > hold.captured_micros + hold.released_micros)
        """,
    ),
)
