"""Writes what buyers were charged as one FOCUS 1.2 file, and checks it."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.foundation.money import format_scaled
from settlement.models import Side, Statement, StatementState
from settlement.queries.focus import focus_csv
from settlement.queries.focus_checks import CHECKS, check_file

FAULTS_SHOWN = 20


class Command(BaseCommand):
    """Drafts are part of it, without an invoice's number; what was taken back is not."""

    help = "Export buyers' statements as FOCUS 1.2 and check prices, quantities and costs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and what to cut to."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--month", help="only this one, by the market's clock: 2026-11")
        parser.add_argument("--organization", help="only this buyer: org_...")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Write the file, then read it back and check it."""
        statements = list(_statements(options["month"], options["organization"]))
        if not statements:
            raise CommandError("no buyer has a statement there")
        with file.open("w", encoding="utf-8", newline="") as written:
            written.writelines(focus_csv(statements))
        totals = {each.name: _total(each) for each in statements if each.name}
        with file.open(encoding="utf-8", newline="") as read:
            rows = list(csv.DictReader(read))
        faults = check_file(rows, totals=totals)
        for fault in faults[:FAULTS_SHOWN]:
            self.stderr.write(str(fault))
        if faults:
            raise CommandError(f"{len(faults)} faults in {len(rows)} rows")
        self.stdout.write(
            f"{len(rows)} rows of {len(statements)} statements pass {len(CHECKS)} checks"
        )


def _statements(month: str | None, organization: str | None) -> list[Statement]:
    rows = Statement.objects.filter(side=Side.BUYER, credit_note=None)
    if organization:
        rows = rows.filter(organization__public_id=organization)
    found = rows.select_related("organization").order_by("starts_at", "id")
    return [each for each in found if not month or each.month == month]


def _total(statement: Statement) -> Decimal:
    assert statement.state == StatementState.FINALIZED
    return Decimal(format_scaled(statement.total_minor or 0, scale=10**statement.minor_digits))
