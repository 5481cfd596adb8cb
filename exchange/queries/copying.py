"""Rows out of the database and into it by COPY: a book of a million orders in one pass."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection


def copy_out(query: str, params: Mapping[str, object] | None = None) -> bytes:
    """Return the rows of ``query`` as CSV with a header row.

    NULL becomes an empty cell. A query says NULLIF(column, '') where text may be empty, since
    COPY would write an empty string with quotes.
    """
    statement = f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)"
    with connection.cursor() as cursor, cursor.copy(statement, params) as copy:
        return b"".join(bytes(chunk) for chunk in copy)


def copy_rows_out(
    query: str, params: Mapping[str, object] | None, types: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return the rows of ``query`` as tuples of the stated PostgreSQL types."""
    statement = f"COPY ({query}) TO STDOUT"
    with connection.cursor() as cursor, cursor.copy(statement, params) as copy:
        copy.set_types(types)
        return list(copy.rows())


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Insert ``rows`` into ``table``, whose names are ours and never come from outside."""
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
