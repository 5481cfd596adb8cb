"""Checks a statement's file on any machine: all of it is recomputed, and no database is asked."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.queries.proof_checks import NotAProof, check_statement

FAULTS_SHOWN = 50


class Command(BaseCommand):
    """``verify_statement FILE``, as ``/api/v1/statements/ID.json`` gives it."""

    help = "Recompute every line of a statement's file and prove its transfers are in the chain."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the file."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--head", help="the chain's newest link, known from somewhere else")

    def handle(self, *, file: Path, head: str | None, **options: Any) -> None:
        """Check; status 0 only when everything holds, 2 if the file is malformed."""
        try:
            verdict = check_statement(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, NotAProof) as wrong:
            raise CommandError(f"{file}: {wrong}", returncode=2) from wrong
        for fault in verdict.faults[:FAULTS_SHOWN]:
            self.stderr.write(str(fault))
        if verdict.faults:
            raise CommandError(f"{len(verdict.faults)} faults")
        if head is not None and head != verdict.head:
            raise CommandError(f"the chain leads to {verdict.head}, not to {head}")
        self.stdout.write(
            f"{verdict.lines_count} lines follow from {verdict.runs_count} runs and "
            f"{verdict.transfers_count} transfers in {verdict.batches_count} batches; "
            f"the chain leads to {verdict.head}"
        )
