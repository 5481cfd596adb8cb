"""A statement with everything that it follows from, as one JSON file that proves itself.

``compute-statement/1``: the head, the taxes, every line with the runs that it follows from (the
terms and the meters' figures that each was reckoned with, and the hash kept of them), the transfers
that moved its money as canonical lines, and for those their batches' leaves and the links of the
chain up to its newest batch. ``settlement.queries.proof_checks`` reads it without a database.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from django.db import connection

from settlement.models import Side, Statement
from settlement.queries.chain import FACTS, LEAF, LINE
from settlement.queries.line_rows import batched
from settlement.queries.run_inputs import RunInputs, inputs_of
from settlement.queries.statement_lines import Line, all_lines
from settlement.queries.statements import Totals, totals_of
from settlement.queries.taxes import Tax

FORMAT = "compute-statement/1"
PERIODS_AT_ONCE = 1_000
LEAVES_AT_ONCE = 10
CODES = {Side.BUYER: (10, 50), Side.PROVIDER: (20, 50)}
TRANSFERS = f"""
SELECT transfer.batch_id, {LINE} FROM settlement_transfer AS transfer
JOIN unnest(%s::bigint[], %s::smallint[]) AS last (of_period, last_run)
    ON last.of_period = transfer.period_id AND transfer.run_no <= last.last_run
WHERE transfer.code = ANY(%s) ORDER BY transfer.id
"""  # noqa: S608
LEAVES = f"""
SELECT batch_id, array_agg({LEAF} ORDER BY id) FROM settlement_transfer
WHERE batch_id = ANY(%s) GROUP BY batch_id ORDER BY batch_id
"""  # noqa: S608
LINKS = f"""
SELECT id, encode(sha256(convert_to({FACTS}, 'UTF8')), 'hex'), encode(content_sha256, 'hex'),
       encode(sha256, 'hex')
FROM settlement_batch WHERE id >= %s ORDER BY id
"""  # noqa: S608
BEFORE = """
SELECT encode(sha256, 'hex') FROM settlement_batch WHERE id < %s ORDER BY id DESC LIMIT 1
"""


def statement_proof(statement: Statement) -> Iterator[str]:
    """Yield the file in pieces."""
    totals = totals_of(statement)
    batches: set[int] = set()
    yield f'{{"format":"{FORMAT}",\n"statement":{_json(_head(statement, totals))},\n'
    yield f'"taxes":{_json([_tax(tax) for tax in totals.taxes])},\n"lines":[\n'
    yield from _joined(_json(_line(line)) for line in all_lines(statement))
    yield '],\n"runs":[\n'
    yield from _joined(map(_json, _runs(statement, batches)))
    yield '],\n"batches":[\n'
    yield from _joined(map(_json, _leaves(sorted(batches))))
    yield f'],\n"chain":{{"before":{_json(_before(batches))},"links":[\n'
    yield from _joined(map(_json, _links(batches)))
    yield "]}}\n"


def _head(statement: Statement, totals: Totals) -> dict[str, Any]:
    return {
        "id": statement.public_id,
        "number": statement.name,
        "side": statement.side,
        "currency": statement.currency,
        "minor_digits": statement.minor_digits,
        "starts_at": statement.starts_at.isoformat(),
        "ends_at": statement.ends_at.isoformat(),
        "lines_count": totals.lines_count,
        "exact_micros": totals.exact_micros,
        "total_minor": totals.total_minor,
        "energy_wh": totals.energy_wh,
        "co2_grams": totals.co2_grams,
    }


def _tax(tax: Tax) -> dict[str, Any]:
    return {
        "supply": tax.supply,
        "supplier_country": tax.supplier_country,
        "customer_country": tax.customer_country,
        "rate_ppm": tax.rate.rate_ppm if tax.rate else None,
        "gross_minor": tax.gross_minor,
        "net_minor": tax.net_minor,
        "tax_minor": tax.tax_minor,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "kind": line.kind,
        "contract": line.contract,
        "starts_at": line.starts_at.isoformat(),
        "period": line.period_id,
        "run_no": line.run_no,
        "delivered_ms": line.delivered_ms,
        "energy_wh": line.energy_wh,
        "co2_grams": line.co2_grams,
        "exact_micros": line.exact_micros,
        "billed_minor": line.billed_minor,
    }


def _runs(statement: Statement, batches: set[int]) -> Iterator[dict[str, Any]]:
    """Yield the runs of each hour up to the last that the statement is about."""
    last_runs: dict[int, int] = {}
    for line in all_lines(statement):
        last_runs[line.period_id] = max(line.run_no, last_runs.get(line.period_id, 0))
    for periods in batched(last_runs, PERIODS_AT_ONCE):
        moved = _transfers(periods, last_runs, statement)
        for run in inputs_of(periods):
            if run.run_no <= last_runs[run.period_id]:
                own = moved.get((run.period_id, run.run_no), [])
                batches |= {batch_id for batch_id, _line in own}
                yield _run(run, own)


def _transfers(
    periods: Sequence[int], last_runs: dict[int, int], statement: Statement
) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """Return the canonical lines of the transfers of these hours, by period and run."""
    moved: dict[tuple[int, int], list[tuple[int, str]]] = {}
    codes = list(CODES[Side(statement.side)])
    asked = [list(periods), [last_runs[each] for each in periods], codes]
    with connection.cursor() as cursor:
        cursor.execute(TRANSFERS, asked)
        for batch_id, line in cursor.fetchall():
            period_id, run_no = line.split("\t")[6:8]
            moved.setdefault((int(period_id), int(run_no)), []).append((batch_id, line))
    return moved


def _run(run: RunInputs, moved: Iterable[tuple[int, str]]) -> dict[str, Any]:
    return {
        "period": run.period_id,
        "run_no": run.run_no,
        "contract": run.contract,
        "starts_at": run.starts_at.isoformat(),
        "ran_at": run.ran_at.isoformat(),
        "terms": run.terms._asdict(),
        "metered": run.metered._asdict(),
        "inputs_sha256": run.inputs_sha256.hex(),
        "transfers": [{"batch": batch_id, "line": line} for batch_id, line in moved],
    }


def _leaves(batch_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    for some in batched(batch_ids, LEAVES_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(LEAVES, [some])
            for batch_id, leaves in cursor.fetchall():
                yield {"batch": batch_id, "leaves": leaves}


def _before(batches: set[int]) -> str:
    """Return the link before the first that the file tells; empty at the chain's beginning."""
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, [min(batches, default=0)])
        found = cursor.fetchone()
    return str(found[0]) if found else ""


def _links(batches: set[int]) -> Iterator[dict[str, Any]]:
    if not batches:
        return
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(LINKS, [min(batches)])
        while rows := cursor.fetchmany(PERIODS_AT_ONCE):
            for batch_id, facts, content, link in rows:
                yield {"batch": batch_id, "facts": facts, "content": content, "link": link}


def _json(told: Any) -> str:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _joined(items: Iterable[str]) -> Iterator[str]:
    """Yield items with commas between them, some thousand at once."""
    lead = ""
    for some in batched(items, PERIODS_AT_ONCE):
        yield lead + ",\n".join(some)
        lead = ",\n"
    yield "\n"
