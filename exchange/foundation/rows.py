"""Rows of a hand-written query, by the names that it gives its columns."""

from collections import namedtuple
from typing import Any

from django.db.backends.utils import CursorWrapper


def named_rows(cursor: CursorWrapper) -> list[Any]:
    """Return all rows of the last query, each a tuple with its columns' names."""
    row = namedtuple("row", [column.name for column in cursor.description])  # type: ignore[misc]  # noqa: PYI024
    return [row._make(values) for values in cursor.fetchall()]
