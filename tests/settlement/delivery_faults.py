# ruff: noqa: S608
"""Faults to plant in what was metered, settled and billed: SQL past every trigger.

Each names the rules that it breaks, of those from 9 to 20. In the books are a final period and a
provisional one of one contract, three readings, and two finalized statements.
"""

FINAL = "(SELECT min(id) FROM settlement_deliveryperiod WHERE state = 'final')"
FAULTS: dict[str, tuple[str, set[int]]] = {
    "a run that owes more than was posted": (
        f"""UPDATE settlement_settlementrun SET buyer_due_micros = buyer_due_micros + 1,
            rounding_micros = rounding_micros + 1 WHERE period_id = {FINAL} AND run_no = 4""",
        {9},
    ),
    "money for a period that was never reckoned": (
        "DELETE FROM settlement_settlementrun WHERE period_id <> " + FINAL,
        {9, 10},
    ),
    "a run that is gone": (
        f"DELETE FROM settlement_settlementrun WHERE period_id = {FINAL} AND run_no = 2",
        {10},
    ),
    "a period that waits for another run": (
        "UPDATE settlement_deliveryperiod SET next_run_no = 3 WHERE state = 'provisional'",
        {10},
    ),
    "final before the deadline": (
        """UPDATE settlement_settlementrun SET ran_at = ran_at - interval '60 days'
           WHERE run_no = 4""",
        {11},
    ),
    "final while disputed": (
        f"""INSERT INTO settlement_dispute (public_id, period_id, state, claimed_ms, provider_ms,
                reason, decision, opened_at)
            VALUES ('dsp_x', {FINAL}, 'open', 0, 0, 'late', '', now())""",
        {11},
    ),
    "more delivered than contracted": (
        """UPDATE settlement_settlementrun SET delivered_ms = contracted_ms + 1 WHERE run_no = 4""",
        {12},
    ),
    "another quantity contracted": (
        "UPDATE settlement_deliveryperiod SET quantity_lots = 999 WHERE state = 'final'",
        {12},
    ),
    "a run of no period": (
        f"""INSERT INTO settlement_settlementrun
            SELECT (jsonb_populate_record(run, '{{"id": 0, "period_id": 0}}')).*
            FROM settlement_settlementrun AS run WHERE period_id = {FINAL} AND run_no = 1""",
        {9, 12},
    ),
    "a total that is not the sum of its lines": (
        "UPDATE settlement_statement SET total_minor = total_minor + 1 WHERE side = 'buyer'",
        {13, 14},
    ),
    "a line that is gone": (
        "DELETE FROM settlement_statementline WHERE kind = 'buyer_fee'",
        {13, 16},
    ),
    "a draft with lines": (
        """UPDATE settlement_statement SET state = 'draft', number = NULL, total_minor = NULL,
           exact_micros = NULL WHERE side = 'buyer' AND state = 'finalized'""",
        {13},
    ),
    "a line that is off by a whole unit": (
        """UPDATE settlement_statementline SET billed_minor = billed_minor
               + CASE kind WHEN 'usage' THEN 1 ELSE -1 END
           WHERE statement_id = (SELECT min(id) FROM settlement_statement WHERE side = 'buyer'
                                 AND state = 'finalized') AND kind IN ('usage', 'buyer_fee')
             AND period_id = """
        + FINAL,
        {14},
    ),
    "a number that was left out": (
        "UPDATE settlement_statement SET number = number + 1 WHERE side = 'provider'",
        {15},
    ),
    "a line about another run": (
        "UPDATE settlement_statementline SET run_no = 2 WHERE kind = 'usage' AND period_id = "
        + FINAL,
        {16},
    ),
    "a stream that forgot a number": (
        "UPDATE settlement_readingstream SET max_seq = 9, missing_count = 9 - received_count",
        {17},
    ),
    "a reading that is gone": (
        "DELETE FROM settlement_reading WHERE seq = 2",
        {17},
    ),
    "a reading that no event brought": (
        "DELETE FROM settlement_readingevent WHERE event_id LIKE '%/2'",
        {17},
    ),
    "a counter that went back": (
        "UPDATE settlement_reading SET accel_ms_total = 0 WHERE seq = 2",
        {18, 19},
    ),
    "a counter that outran the clock": (
        "UPDATE settlement_reading SET accel_ms_total = accel_ms_total + 10000 WHERE seq = 3",
        {19},
    ),
    "a device in two contracts": (
        """ALTER TABLE settlement_deviceassignment DROP CONSTRAINT device_assignment_one_contract;
           INSERT INTO settlement_deviceassignment (device_id, contract_id, starts_at, ends_at)
           SELECT device_id, contract_id + 1, starts_at, ends_at
           FROM settlement_deviceassignment""",
        {20},
    ),
    "a reading of a device that served another": (
        "UPDATE settlement_reading SET contract_id = contract_id + 1 WHERE seq = 1",
        {20},
    ),
}
