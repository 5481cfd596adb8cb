"""Lists in pages, by a signed cursor: rows that come or go meanwhile shift nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

LIMIT = 50
LIMIT_MAX = 200
LIMIT_LENGTH_MAX = 4  # digits that are worth reading
SALT = "accounts.web.pages"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a sorted list: just after a row (or before it, going backwards)."""

    sort: str
    backwards: bool
    value: str
    pk: str

    def sign(self) -> str:
        """Return the text that goes into an address."""
        return signing.dumps([self.sort, self.backwards, self.value, self.pk], salt=SALT)

    @classmethod
    def read(cls, text: str, *, sort: str) -> "Cursor":
        """Return the cursor of ``text``; 400 if we did not write it for this sort."""
        try:
            cursor = cls(*signing.loads(text, salt=SALT))
        except (signing.BadSignature, ValueError, TypeError) as wrong:
            raise refused("cursor", "cursor_invalid", "Not a cursor of this list.") from wrong
        if cursor.sort != sort:
            raise refused("cursor", "cursor_invalid", "This cursor belongs to another sort.")
        return cursor


class CursorPages(BasePagination):
    """Answers ``{data, next, previous, has_more}``; ``?limit=``, ``?sort=-created_at``.

    A view may name ``sorts`` (fields that may be sorted by; not null, ``("created_at",)`` if it
    says nothing) and ``sort`` (what it sorts by unless asked, ``-`` its first). Rows with equal
    values follow their number.
    """

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any]:
        """Return one page of rows."""
        assert isinstance(queryset, QuerySet), "only rows of a table come in pages"
        self.request = request
        self.limit = _limit(request)
        self.sort = _sort(request, view, queryset.model)
        text = request.query_params.get("cursor")
        self.cursor = Cursor.read(text, sort=self.sort) if text else None
        found = list(_after(queryset, self.sort, self.cursor)[: self.limit + 1])
        self.more = len(found) > self.limit
        rows = found[: self.limit]
        self.rows = rows[::-1] if self.cursor and self.cursor.backwards else rows
        return self.rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the answer around a page of rows that were printed."""
        return Response(self.around(data))

    def around(self, data: Any) -> dict[str, Any]:
        """Return the page's members."""
        backwards = self.cursor is not None and self.cursor.backwards
        has_next = bool(self.rows) and (backwards or self.more)
        has_previous = bool(self.rows) and (self.more if backwards else self.cursor is not None)
        return {
            "data": data,
            "next": self._link(self.rows[-1], backwards=False) if has_next else None,
            "previous": self._link(self.rows[0], backwards=True) if has_previous else None,
            "has_more": has_next,
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's OpenAPI schema."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["data", "next", "previous", "has_more"],
            "properties": {
                "data": schema,
                "next": link,
                "previous": link,
                "has_more": {"type": "boolean"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters of every list."""
        names = sorts_of(view)
        choices = [sign + name for name in names for sign in ("", "-")]
        limit = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}
        return [
            _parameter("cursor", {"type": "string"}, "where to go on; from next or previous"),
            _parameter("limit", limit, "rows in a page"),
            _parameter("sort", {"type": "string", "enum": choices}, "- for the greatest first"),
        ]

    def _link(self, row: Model, *, backwards: bool) -> str:
        name = self.sort.removeprefix("-")
        field = type(row)._meta.get_field(name)
        assert isinstance(field, Field), f"{name} is no column to sort by"
        value = field.value_to_string(row)
        cursor = Cursor(self.sort, backwards, value, str(row.pk))
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor.sign())


def refused(name: str, code: str, detail: str) -> ValidationError:
    """Return a 400 about one query parameter."""
    return ValidationError({name: [ErrorDetail(detail, code)]})


def sorts_of(view: Any) -> tuple[str, ...]:
    """Return the fields that a view lets its list be sorted by."""
    return tuple(getattr(view, "sorts", ("created_at",)))


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LIMIT))
    is_number = text.isascii() and text.isdigit() and len(text) <= LIMIT_LENGTH_MAX
    if not is_number or not 1 <= int(text) <= LIMIT_MAX:
        raise refused("limit", "limit_invalid", f"A whole number from 1 to {LIMIT_MAX}.")
    return int(text)


def _sort(request: Request, view: Any, model: type[Model]) -> str:
    names = sorts_of(view)
    sort = str(request.query_params.get("sort") or getattr(view, "sort", f"-{names[0]}"))
    name = sort.removeprefix("-")
    if name not in names:
        raise refused("sort", "sort_invalid", f"One of {', '.join(names)}, with - or without.")
    try:
        assert not model._meta.get_field(name).null, f"{name} cannot be sorted by: it may be null"
    except FieldDoesNotExist as wrong:
        raise AssertionError(f"{model.__name__} has no {name} to sort by") from wrong
    return sort


def _after(queryset: QuerySet[Any], sort: str, cursor: Cursor | None) -> QuerySet[Any]:
    """Return the rows after a place, nearest first; the condition can use an index on the field."""
    name = sort.removeprefix("-")
    falling = sort.startswith("-") != (cursor is not None and cursor.backwards)
    sign, than = ("-", "lt") if falling else ("", "gt")
    ordered = queryset.order_by(f"{sign}{name}", f"{sign}pk")
    if cursor is None:
        return ordered
    value = queryset.model._meta.get_field(name).to_python(cursor.value)
    beyond = Q(**{f"{name}__{than}": value}) | Q(**{f"pk__{than}": cursor.pk})
    return ordered.filter(beyond, **{f"{name}__{than}e": value})


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
