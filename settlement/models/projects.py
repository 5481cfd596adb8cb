"""Projects of a buyer, each with a budget that its bids reserve from, and the alerts it gave."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id

NAME_LENGTH_MAX = 64


def new_project_id() -> str:
    """Return a fresh public id of a project."""
    return new_id("prj")


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own projects; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def open(self) -> Self:
        """Cut to projects that bids may still name."""
        return self.filter(closed_at=None)

    def with_spent(self) -> Self:
        """Add ``spent_micros``: what was paid out of each project's holds so far."""
        return self.annotate(spent_micros=Coalesce(Sum("holds__captured_micros"), 0))


class Project(models.Model):
    """What an organization spends on one undertaking of its own, and at most how much.

    ``committed_micros`` is what its holds have frozen or paid: it grows when a bid is placed and
    shrinks with the hold; only ``settlement.services`` write it. A budget may be set below what
    is committed: then nothing new is taken on, and what runs goes on.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_project_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="projects"
    )
    name = models.CharField(max_length=NAME_LENGTH_MAX, help_text="by which bids name it")
    budget_micros = models.BigIntegerField()
    budget_no = models.IntegerField(
        default=1, db_default=1, help_text="rises by one each time that the budget is set"
    )
    committed_micros = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["organization_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="project_name_once"),
            models.CheckConstraint(
                condition=Q(budget_micros__gte=0) & Q(committed_micros__gte=0),
                name="project_amounts",
            ),
        ]
        triggers = [pgtrigger.Protect(name="project_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    @property
    def left_micros(self) -> int:
        """What new bids may still reserve; never below nothing."""
        return max(self.budget_micros - self.committed_micros, 0)


class BudgetAlertQuerySet(models.QuerySet["BudgetAlert"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to alerts of the caller's own projects; operators and auditors see all."""
        if caller.sees_all:
            return self
        return self.filter(project__organization_id=caller.organization_id)

    def unheard(self) -> Self:
        """Cut to alerts that nobody was told of."""
        return self.filter(notified_at=None)


class BudgetAlert(models.Model):
    """A budget was used up to a threshold: once for each threshold of each setting of the budget.

    The row is written with the hold that crosses it; whoever tells people sets ``notified_at``
    by a guarded UPDATE.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="alerts")
    threshold_ppm = models.IntegerField(help_text="of the budget")
    budget_no = models.IntegerField()
    budget_micros = models.BigIntegerField()
    committed_micros = models.BigIntegerField()
    raised_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True)

    objects = BudgetAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "budget_no", "threshold_ppm"], name="budget_alert_once"
            ),
            models.CheckConstraint(
                condition=Q(threshold_ppm__gt=0) & Q(committed_micros__gte=F("budget_micros") / 2),
                name="budget_alert_is_near_the_budget",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(notified_at__isnull=True), name="budget_alert_unheard"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="budget_alert_content", exclude=["notified_at"]),
            pgtrigger.Protect(name="budget_alert_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.threshold_ppm} ppm"
