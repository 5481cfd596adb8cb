"""What the last audit of the books found, for whoever watches over them."""

from django.db import models

SAYS_LENGTH_MAX = 200


class AuditResult(models.Model):
    """One rule of settlement.md, section 6, and how the last scheduled audit found it.

    There is one row for each rule, written over by each audit. Times are the wall clock's, not
    the market's: an alarm must sound when audits cease, even while the market stands still.
    """

    invariant = models.CharField(max_length=SAYS_LENGTH_MAX, unique=True)
    number = models.SmallIntegerField(help_text="in settlement.md; 0: a rule that is not there")
    broken_count = models.BigIntegerField(help_text="rows that break the rule")
    first = models.JSONField(default=list, help_text="the first of them")
    seconds = models.FloatField(help_text="that the question took")
    finished_at = models.DateTimeField(help_text="of the audit")
    broken_since = models.DateTimeField(null=True, help_text="the first audit that found it so")

    class Meta:
        ordering = ["number", "invariant"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(broken_count=0, broken_since=None)
                | models.Q(broken_count__gt=0, broken_since__isnull=False),
                name="audit_result_broken_since",
            )
        ]

    def __str__(self) -> str:
        return f"{self.invariant}: {self.broken_count} rows"
