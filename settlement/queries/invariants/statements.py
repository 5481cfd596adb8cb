"""Invariants of statements."""

from settlement.queries.invariants.rule import Invariant

STATEMENTS = (
    Invariant(
        13,
        "sum of lines = total of the statement",
        """
        SELECT statement.public_id, exact_micros, lines.exact, total_minor, lines.billed
        FROM settlement_statement AS statement
        LEFT JOIN (SELECT statement_id, sum(exact_micros) AS exact, sum(billed_minor) AS billed
                   FROM settlement_statementline GROUP BY statement_id) AS lines
            ON lines.statement_id = statement.id
        WHERE CASE state WHEN 'finalized'
              THEN (exact_micros, total_minor) IS DISTINCT FROM
                   (coalesce(lines.exact, 0), coalesce(lines.billed, 0))
              ELSE lines.statement_id IS NOT NULL END
        UNION ALL
        SELECT statement.public_id, net, tax, total_minor, gross
        FROM settlement_statement AS statement
        LEFT JOIN (SELECT statement_id, sum(net_minor) AS net, sum(tax_minor) AS tax,
                          sum(gross_minor) AS gross
                   FROM settlement_statementtax GROUP BY statement_id) AS taxes
            ON taxes.statement_id = statement.id
        WHERE state = 'finalized' AND total_minor <> coalesce(gross, 0)
        UNION ALL
        SELECT note.public_id, note.exact_micros, statement.exact_micros, note.total_minor,
               statement.total_minor
        FROM settlement_creditnote AS note
        JOIN settlement_statement AS statement ON statement.id = note.statement_id
        WHERE (note.exact_micros, note.total_minor)
              IS DISTINCT FROM (-statement.exact_micros, -statement.total_minor)
        """,
    ),
    Invariant(
        14,
        "rounding changes totals and lines by less than one minor unit",
        """
        SELECT statement.public_id, 0 AS line_no FROM settlement_statement AS statement
        WHERE abs(total_minor * power(10::numeric, 6 - minor_digits) - exact_micros)
              >= power(10::numeric, 6 - minor_digits)
        UNION ALL
        SELECT statement.public_id, line.line_no FROM settlement_statementline AS line
        JOIN settlement_statement AS statement ON statement.id = line.statement_id
        WHERE abs(billed_minor * power(10::numeric, 6 - minor_digits) - line.exact_micros)
              >= power(10::numeric, 6 - minor_digits)
        """,
    ),
    Invariant(
        15,
        "numbers of statements and of credit notes begin at one and have no gaps",
        """
        SELECT series, min(number), max(number), count(number)
        FROM (SELECT series, number FROM settlement_statement WHERE number IS NOT NULL
              UNION ALL SELECT series, number FROM settlement_creditnote) AS numbered
        GROUP BY series
        HAVING min(number) <> 1 OR max(number) <> count(number)
        """,
    ),
    Invariant(
        16,
        "what a final period's runs posted stands on finalized statements once",
        """
        WITH posted AS (
            SELECT period_id, run_no, account.owner_id, account.kind, sum(amount) AS micros
            FROM (SELECT period_id, run_no, debit_id AS account_id, -amount AS amount
                  FROM period_sums
                  UNION ALL SELECT period_id, run_no, credit_id, amount FROM period_sums) AS sides
            JOIN settlement_ledgeraccount AS account ON account.id = account_id
            WHERE account.kind IN ('available', 'payable')
            GROUP BY period_id, run_no, account.owner_id, account.kind
        ), billed AS (
            SELECT line.period_id, line.run_no, statement.organization_id AS owner_id,
                   CASE statement.side WHEN 'buyer' THEN 'available' ELSE 'payable' END AS kind,
                   sum(CASE statement.side WHEN 'buyer' THEN -line.exact_micros
                       ELSE line.exact_micros END) AS micros
            FROM settlement_statementline AS line
            JOIN settlement_statement AS statement ON statement.id = line.statement_id
            WHERE NOT EXISTS (SELECT FROM settlement_creditnote AS note
                              WHERE note.statement_id = statement.id)
            GROUP BY line.period_id, line.run_no, statement.organization_id, statement.side
        )
        SELECT period.id, run.run_no, posted.kind, posted.micros, billed.micros
        FROM settlement_deliveryperiod AS period
        JOIN settlement_settlementrun AS run ON run.period_id = period.id
        JOIN posted ON posted.period_id = period.id AND posted.run_no = run.run_no
        JOIN settlement_statement AS statement
            ON statement.organization_id = posted.owner_id AND statement.state = 'finalized'
           AND statement.side = CASE posted.kind WHEN 'available' THEN 'buyer' ELSE 'provider' END
           AND run.ran_at >= statement.starts_at AND run.ran_at < statement.ends_at
        LEFT JOIN billed ON billed.period_id = period.id AND billed.run_no = run.run_no
                        AND billed.owner_id = posted.owner_id AND billed.kind = posted.kind
        WHERE period.state = 'final' AND posted.micros <> coalesce(billed.micros, 0)
        """,
    ),
)
