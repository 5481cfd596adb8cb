"""Budgets of projects: reserved with a hold, freed with it, and an alert when one is nearly used.

Whoever changes what a project has committed holds the lock on the account of its organization
first; the two are always locked in that order.
"""

from collections.abc import Collection, Iterable
from typing import Self

from django.db import connection

THRESHOLDS_PPM = (800_000, 950_000)
Named = tuple[int, str]
"""An organization, and the name of a project of its own; '' is none."""


class UnknownProject(Exception):
    """The organization has no open project of this name."""

    def __init__(self, name: str) -> None:
        """Say where in a bid it stands."""
        super().__init__(f"there is no open project {name}")
        detail = "there is no open project of this name"
        self.errors = [{"pointer": "/project", "code": "project_unknown", "detail": detail}]


class BudgetExceeded(Exception):
    """What is left of the project's budget does not cover it."""


FIND = """
SELECT organization_id, name, id, greatest(budget_micros - committed_micros, 0)
FROM settlement_project
WHERE closed_at IS NULL AND (organization_id, name) IN
    (SELECT * FROM unnest(%s::bigint[], %s::text[]))
ORDER BY id
"""
RESERVE = """
UPDATE settlement_project AS project SET committed_micros = committed_micros + given.amount
FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, amount)
WHERE project.id = given.id AND closed_at IS NULL
  AND committed_micros + given.amount <= budget_micros
"""
ALERT = """
INSERT INTO settlement_budgetalert
    (project_id, threshold_ppm, budget_no, budget_micros, committed_micros, raised_at)
SELECT project.id, threshold, budget_no, budget_micros, committed_micros, market_now()
FROM settlement_project AS project, unnest(%s::int[]) AS threshold
WHERE project.id = ANY(%s) AND committed_micros > 0
  AND committed_micros::numeric * 1000000 >= budget_micros::numeric * threshold
ON CONFLICT (project_id, budget_no, threshold_ppm) DO NOTHING
"""


class Budgets:
    """What is left of some projects, counted down request by request and written once."""

    def __init__(self, rows: Iterable[tuple[int, str, int, int]]) -> None:
        self._ids: dict[Named, int] = {}
        self._left: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        for organization_id, name, project_id, left in rows:
            self._ids[organization_id, name] = project_id
            self._left[project_id] = left

    @classmethod
    def of(cls, named: Collection[Named], *, locked: bool = False) -> Self:
        """Return the budgets of these projects. Raises UnknownProject."""
        if not named:
            return cls([])
        with connection.cursor() as cursor:
            lock = "FOR NO KEY UPDATE" if locked else ""
            cursor.execute(FIND + lock, [list(column) for column in zip(*named, strict=True)])
            budgets = cls(cursor.fetchall())
        for organization_id, name in named:
            if (organization_id, name) not in budgets._ids:
                raise UnknownProject(name)
        return budgets

    @classmethod
    def missing(cls, organization_id: int, names: Collection[str]) -> set[str]:
        """Return which of these names no open project of the organization has."""
        if not names:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(FIND, [[organization_id] * len(names), list(names)])
            return set(names) - {row[1] for row in cursor.fetchall()}

    def project_id(self, organization_id: int, name: str) -> int | None:
        """Return the project's id, None where none is named."""
        return self._ids[organization_id, name] if name else None

    def reserve(self, organization_id: int, name: str, amount_micros: int) -> bool:
        """Count ``amount_micros`` against the project if that much is left; none always fits."""
        project_id = self.project_id(organization_id, name)
        if project_id is None:
            return True
        if amount_micros > self._left[project_id]:
            return False
        self._left[project_id] -= amount_micros
        self._taken[project_id] = self._taken.get(project_id, 0) + amount_micros
        return True

    def write(self) -> None:
        """Commit what was reserved; the rows must have been locked when they were read."""
        if self._taken:
            _write(self._taken)


def reserve_budget(project_id: int | None, amount_micros: int) -> None:
    """Commit so much of a project's budget, if there is that much. Raises BudgetExceeded."""
    if project_id is not None:
        _write({project_id: amount_micros})


def alert_used(project_ids: Collection[int]) -> None:
    """Write an alert for each threshold that these projects have reached for the first time."""
    with connection.cursor() as cursor:
        cursor.execute(ALERT, [list(THRESHOLDS_PPM), list(project_ids)])


def _write(taken: dict[int, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, [list(taken), list(taken.values())])
        if cursor.rowcount != len(taken):
            raise BudgetExceeded("the project's budget does not cover its greatest cost")
    alert_used(taken)
