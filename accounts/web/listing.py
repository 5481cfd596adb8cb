"""Lists on pages: a page of rows at a time, without counting a table that grows."""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from django.http import HttpRequest

ROWS = 25
NUMBER_MAX = 400  # whoever looks further back filters the list instead

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)


class Sliceable(Protocol[Row_co]):
    """A queryset or a list."""

    def __getitem__(self, part: Any, /) -> Any:
        """Return the rows of a slice."""

    def __iter__(self) -> Iterator[Row_co]:
        """Yield the rows one by one."""


class Page(Generic[Row]):
    """One page of rows, fetched with one row more to know whether another follows."""

    def __init__(self, rows: Sliceable[Row], *, number: int, size: int = ROWS) -> None:
        first = (number - 1) * size
        found = list(rows[first : first + size + 1])
        self.number = number
        self.rows = found[:size]
        self.has_next = len(found) > size and number < NUMBER_MAX

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before this one."""
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        """Whether the list is longer than this page."""
        return self.has_previous or self.has_next

    @property
    def previous_page_number(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        """The number of the page after."""
        return self.number + 1


def page_number(request: HttpRequest) -> int:
    """Return which page of a list was asked for; whatever is no page is the first."""
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 4 else 1  # noqa: PLR2004
    return min(max(number, 1), NUMBER_MAX)
