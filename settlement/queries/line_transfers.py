"""Which transfers moved what a line says, and which lines say what a transfer moved."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from accounts.models import Caller
from settlement.models import LineKind, Side, Statement, StatementLine, Transfer, TransferCode
from settlement.queries.statement_lines import Line

CODE_OF_KIND = {
    LineKind.USAGE: TransferCode.CHARGE,
    LineKind.BUYER_FEE: TransferCode.CHARGE,
    LineKind.CREDIT: TransferCode.PENALTY,
    LineKind.EARNING: TransferCode.EARNING,
    LineKind.SELLER_FEE: TransferCode.EARNING,
    LineKind.PENALTY: TransferCode.PENALTY,
}
"""A charge is moved with the buyer's fee in it, an earning without the seller's."""
KINDS_OF = {
    Side.BUYER: (LineKind.USAGE, LineKind.BUYER_FEE, LineKind.CREDIT),
    Side.PROVIDER: (LineKind.EARNING, LineKind.SELLER_FEE, LineKind.PENALTY),
}
MOVED = """
SELECT transfer.period_id, transfer.run_no, transfer.code, transfer.id
FROM settlement_transfer AS transfer
JOIN unnest(%s::bigint[], %s::smallint[]) AS run (period_id, run_no)
    ON run.period_id = transfer.period_id AND run.run_no = transfer.run_no
ORDER BY transfer.batch_id, transfer.id
"""
Moved = Mapping[tuple[int, int, int], Sequence[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class LinePlace:
    """Where a line stands: its statement, and its number there."""

    statement: str
    name: str
    line_no: int
    kind: LineKind


def transfers_of(lines: Collection[Line]) -> Moved:
    """Return the ids of the transfers of these lines' runs, by period, run and code."""
    runs = sorted({(line.period_id, line.run_no) for line in lines})
    moved: defaultdict[tuple[int, int, int], list[uuid.UUID]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [[run[0] for run in runs], [run[1] for run in runs]])
        for period_id, run_no, code, transfer_id in cursor.fetchall():
            moved[period_id, run_no, code].append(transfer_id)
    return moved


def transfers_of_line(line: Line, moved: Moved) -> Sequence[uuid.UUID]:
    """Return the ids of the transfers that moved what one line says."""
    return moved.get((line.period_id, line.run_no, CODE_OF_KIND[line.kind]), ())


def places_of_periods(
    period_ids: Collection[int], caller: Caller
) -> Mapping[tuple[int, int, int], Sequence[LinePlace]]:
    """Return the lines about these periods on statements that the caller may see.

    By period, run and code of the transfers; drafts have no lines yet. A statement that a credit
    note took back is not named: its replacement is.
    """
    own = Statement.objects.visible_to(caller).filter(credit_note=None)
    rows = StatementLine.objects.filter(period__in=period_ids, statement__in=own.values("pk"))
    places: defaultdict[tuple[int, int, int], list[LinePlace]] = defaultdict(list)
    for row in rows.select_related("statement").order_by("statement", "line_no"):
        kind = LineKind(row.kind)
        place = LinePlace(row.statement.public_id, row.statement.name, row.line_no, kind)
        places[row.period_id, row.run_no, CODE_OF_KIND[kind]].append(place)
    return places


def places_of(
    transfers: Collection[Transfer], caller: Caller
) -> Mapping[uuid.UUID, Sequence[LinePlace]]:
    """Return for each transfer the lines that say what it moved."""
    periods = {row.period_id for row in transfers if row.period_id is not None}
    places = places_of_periods(periods, caller) if periods else {}
    return {
        row.pk: places.get((row.period_id or 0, row.run_no or 0, row.code), ()) for row in transfers
    }
