"""The scheduled audit: asked of the books, and written down for those who watch over them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from settlement.models import AuditResult
from settlement.queries.audit import Finding, audit_books


def audit_and_record() -> list[Finding]:
    """Ask every invariant and put what was found in place of what the last audit found."""
    findings = audit_books()
    record_findings(findings, finished_at=timezone.now())
    return findings


@transaction.atomic
def record_findings(findings: Sequence[Finding], *, finished_at: datetime) -> None:
    """Write one row for each rule; rules that are no longer asked lose theirs."""
    broken_since = {
        result.invariant: result.broken_since
        for result in AuditResult.objects.select_for_update().exclude(broken_since=None)
    }
    results = [
        AuditResult(
            invariant=finding.invariant.says,
            number=finding.invariant.number,
            broken_count=finding.broken_count,
            first=[[str(cell) for cell in row] for row in finding.first],
            seconds=finding.seconds,
            finished_at=finished_at,
            broken_since=None
            if finding.holds
            else broken_since.get(finding.invariant.says, finished_at),
        )
        for finding in findings
    ]
    AuditResult.objects.exclude(invariant__in=[each.invariant for each in results]).delete()
    AuditResult.objects.bulk_create(
        results,
        update_conflicts=True,
        unique_fields=["invariant"],
        update_fields=[
            "number", "broken_count", "first", "seconds", "finished_at", "broken_since",
        ],
    )  # fmt: skip
