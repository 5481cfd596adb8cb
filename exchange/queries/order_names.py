"""What the rows of a book are called: an order's public id, or a part of it.

An order that was partly filled before may have different amounts left in different periods. It
then stands in the book as several rows, each named after the period that it begins with.
"""

SEPARATOR = "~"


def part_names(public_id: str, firsts: list[int]) -> list[str]:
    """Return the names of the rows that begin at these periods; a single row has the plain id."""
    if len(firsts) == 1:
        return [public_id]
    return [f"{public_id}{SEPARATOR}{first}" for first in firsts]


def order_of(name: str) -> str:
    """Return the public id of the order that a row of a book belongs to."""
    return name.partition(SEPARATOR)[0]
