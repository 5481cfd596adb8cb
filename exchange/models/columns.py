"""Columns and rules that several models share."""

from datetime import datetime
from functools import partial

from django.db import models
from django.db.models.functions import Now

from exchange.foundation.ids import LENGTH_MAX, new_id

CODE_LENGTH_MAX = 64
CODE_SHAPE = r"^[a-z0-9][a-z0-9._-]*$"
REASON_LENGTH_MAX = 500


def public_id(prefix: str) -> "models.CharField[str, str]":
    """Return the column of a prefixed public id, filled when the row is made."""
    return models.CharField(
        max_length=LENGTH_MAX, unique=True, editable=False, default=partial(new_id, prefix)
    )


def code() -> "models.CharField[str, str]":
    """Return the column of a short lower-case name, the one that stands in book files."""
    return models.CharField(max_length=CODE_LENGTH_MAX, unique=True)


def written_at() -> "models.DateTimeField[datetime | str, datetime]":
    """Return a column that says when the row was written, by the database's own clock."""
    return models.DateTimeField(db_default=Now(), editable=False)


def code_shaped(field: str, *, name: str) -> models.CheckConstraint:
    """Return a check that a code has no spaces: codes stand in lists separated by them."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__regex": CODE_SHAPE}), name=name)


def known(field: str, values: list[str], *, name: str) -> models.CheckConstraint:
    """Return a check that the column holds one of the words it may hold."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": values}), name=name)


def holds(name: str, *conditions: models.Q) -> models.CheckConstraint:
    """Return a check that all ``conditions`` hold."""
    together = models.Q()
    for condition in conditions:
        together &= condition
    return models.CheckConstraint(condition=together, name=name)
