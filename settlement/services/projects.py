"""Projects are opened, given another budget, and closed by their organization."""

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import Caller
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from settlement.models import Project
from settlement.services.budgets import alert_used

PROJECTS_MAX = 1_000
BUDGET_MAX_MICROS = 10**17


class ProjectExists(Exception):
    """The organization has a project of this name, or more projects than it may have."""


class ProjectNotFound(Exception):
    """There is no such project, or it is not the caller's, or it is closed."""


def open_project(name: str, *, budget_micros: int, caller: Caller) -> Project:
    """Open a project that bids can name. Raises ProjectExists."""
    assert 0 <= budget_micros <= BUDGET_MAX_MICROS, "the door keeps the limits"
    own = Project.objects.filter(organization_id=caller.organization_id)
    if own.count() >= PROJECTS_MAX:
        raise ProjectExists(f"at most {PROJECTS_MAX} projects")
    try:
        with transaction.atomic():
            project = Project.objects.create(
                organization_id=caller.organization_id,
                name=name,
                budget_micros=budget_micros,
                created_at=market_now(),
            )
            record(caller, "open", project, f"budget {budget_micros}")
    except IntegrityError as error:
        raise ProjectExists(f"there is a project {name}") from error
    return project


def set_budget(public_id: str, *, budget_micros: int, caller: Caller) -> Project:
    """Give a project another budget; below what is committed nothing new is taken on.

    Alerts begin anew for the new budget. Raises ProjectNotFound.
    """
    assert 0 <= budget_micros <= BUDGET_MAX_MICROS, "the door keeps the limits"
    with transaction.atomic():
        rows = Project.objects.open().filter(
            public_id=public_id, organization_id=caller.organization_id
        )
        if not rows.update(budget_micros=budget_micros, budget_no=F("budget_no") + 1):
            raise ProjectNotFound(f"there is no open project {public_id}")
        project = rows.get()
        alert_used([project.pk])
        record(caller, "set_budget", project, f"budget {budget_micros}")
    return project


def close_project(public_id: str, *, caller: Caller) -> Project:
    """Let no further bid name the project; what it has bought goes on. Raises ProjectNotFound."""
    with transaction.atomic():
        own = Project.objects.filter(public_id=public_id, organization_id=caller.organization_id)
        if not own.filter(closed_at=None).update(closed_at=market_now()):
            raise ProjectNotFound(f"there is no open project {public_id}")
        project = own.get()
        record(caller, "close", project)
    return project
