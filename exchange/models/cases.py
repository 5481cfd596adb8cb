"""Case files of the market watch: what was found, frozen, and all that was done about it since."""

from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.states import moves_of
from exchange.models.columns import CODE_LENGTH_MAX, REASON_LENGTH_MAX, holds, known, public_id

NOTE_LENGTH_MAX = 4_000


class FindingKind(models.TextChoices):
    """What the market watch looks for."""

    CONCENTRATION = "concentration", "concentration"
    PIVOTAL = "pivotal", "pivotal seller"
    RELATED = "related", "related organizations"
    WITHHELD = "withheld", "withheld capacity"
    SPIKE = "spike", "price spike"


class CaseState(models.TextChoices):
    """A case is closed once, with its outcome; what turns up later is another case."""

    OPEN = "open", "open"
    CLOSED = "closed", "closed"


CASE_MOVES = moves_of(CaseState.values, {CaseState.OPEN: [CaseState.CLOSED]})


class CaseOutcome(models.TextChoices):
    """What came of a case."""

    NO_BREACH = "no_breach", "no breach"
    EXPLAINED = "explained", "explained by the market"
    WARNED = "warned", "warned"
    MEASURE = "measure", "a halt or a limit followed"
    REFERRED = "referred", "referred to the authority"


class CaseQuerySet(models.QuerySet["WatchCase"]):
    """Cases are the business of operators and auditors; their subjects do not see them."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all to operators and auditors, nothing to others."""
        return self if caller is not None and caller.sees_all else self.none()


class WatchCase(models.Model):
    """One finding that an operator looks into.

    ``evidence`` is the finding as it was, with its rule, its figures and its trades: canonical
    JSON (keys sorted, no spaces), of which ``evidence_sha256`` is the hash. Only the state, who
    looks into it, and the outcome ever change; each change stands among the entries.
    """

    public_id = public_id("cas")
    kind = models.CharField(max_length=16, choices=FindingKind)
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+"
    )
    other = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    region_code = models.CharField(max_length=CODE_LENGTH_MAX, blank=True)
    accelerator_code = models.CharField(max_length=CODE_LENGTH_MAX, blank=True)
    starts_at = models.DateTimeField(help_text="of the span that was looked at")
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH_MAX, help_text="why it was opened")
    evidence = models.TextField()
    evidence_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=6, choices=CaseState, default=CaseState.OPEN)
    outcome = models.CharField(max_length=10, choices=CaseOutcome, blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=80, help_text="who acted on it last")

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            known("kind", FindingKind.values, name="case_kind_known"),
            known("state", CaseState.values, name="case_state_known"),
            known("outcome", ["", *CaseOutcome.values], name="case_outcome_known"),
            holds("case_span_lasts", Q(starts_at__lt=F("ends_at"))),
            holds("case_has_a_reason", ~Q(reason="")),
            holds(
                "case_closes_with_an_outcome",
                Q(state=CaseState.OPEN, outcome="", closed_at__isnull=True)
                | Q(state=CaseState.CLOSED, closed_at__isnull=False) & ~Q(outcome=""),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="case_content",
                exclude=["state", "outcome", "assigned_to", "closed_at", "actor"],
            ),
            pgtrigger.Protect(name="case_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.kind}"


class CaseDeed(models.TextChoices):
    """What was done with a case."""

    OPENED = "opened", "opened"
    NOTED = "noted", "noted"
    ASSIGNED = "assigned", "assigned"
    CLOSED = "closed", "closed"


class CaseEntryQuerySet(models.QuerySet["CaseEntry"]):
    """Entries are as visible as their cases."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all to operators and auditors, nothing to others."""
        return self if caller is not None and caller.sees_all else self.none()


class CaseEntry(models.Model):
    """One deed in a case's history. Rows are added, never changed or removed."""

    case = models.ForeignKey(WatchCase, models.PROTECT, related_name="entries")
    deed = models.CharField(max_length=8, choices=CaseDeed)
    text = models.CharField(max_length=NOTE_LENGTH_MAX)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor = models.CharField(max_length=80)
    at = models.DateTimeField(help_text="by the market's clock")

    objects = CaseEntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "case entries"
        constraints = [
            known("deed", CaseDeed.values, name="case_deed_known"),
            holds("case_entry_says_something", ~Q(text="")),
        ]
        triggers = [
            pgtrigger.Protect(
                name="case_entries_stay", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.deed}"
