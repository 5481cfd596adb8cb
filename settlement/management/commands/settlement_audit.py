import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from settlement.queries.audit import Finding, audit_books


class Command(BaseCommand):
    """Exit status 0 only if every invariant holds."""

    help = "Ask every invariant of settlement.md, section 6; print a line for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--contents",
            action="store_true",
            help="also hash every batch's transfers anew (a few seconds a million)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        findings = audit_books(contents=options["contents"])
        for finding in findings:
            self.stdout.write(line_of(finding))
        broken = [finding for finding in findings if not finding.holds]
        if broken:
            self.stderr.write(f"{len(broken)} of {len(findings)} invariants are broken")
            sys.exit(1)


def line_of(finding: Finding) -> str:
    """Return one line: the rule, how many rows break it, the first of them, the time."""
    word = "holds" if finding.holds else f"BROKEN by {finding.broken_count}: {finding.first}"
    return f"{finding.invariant!s:<75} {word} ({finding.seconds * 1000:.1f} ms)"
