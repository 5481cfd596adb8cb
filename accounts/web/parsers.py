"""JSON as RFC 8259 and common sense have it: no NaN, no name twice, no floats, no bombs."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from accounts.web.pointers import escape
from accounts.web.refusals import BodyTooLarge

DEPTH_MAX = 32
NUMBER_LENGTH_MAX = 40


class _Wrong(ValueError):
    """What the standard parser lets pass and we do not."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class StrictJSONParser(JSONParser):
    """Parses a body; numbers with a point arrive as Decimal, so that none loses a digit."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the document. Raises ParseError (400) with line and column, BodyTooLarge (413)."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(f"A body may have at most {limit} bytes.")
        return self.read(raw)

    def read(self, raw: bytes) -> Any:
        """Return the document in ``raw``."""
        return parse_json(raw)


class LongJSONParser(StrictJSONParser):
    """Parses the body of a door that takes a thousand things at once and no fractions."""

    def read(self, raw: bytes) -> Any:
        """Return the document in ``raw``."""
        return parse_long_json(raw)


def parse_json(raw: bytes) -> Any:
    """Return the document in ``raw`` (UTF-8). Raises ParseError, naming place and reason."""
    try:
        document = json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as wrong:
        raise ParseError(f"{_place(raw, wrong.start)}: not UTF-8", "json_encoding") from wrong
    except json.JSONDecodeError as wrong:
        place = f"line {wrong.lineno} column {wrong.colno}"
        raise ParseError(f"{place}: {wrong.msg}", "json_invalid") from wrong
    except _Wrong as wrong:
        raise ParseError(str(wrong), wrong.code) from wrong
    except RecursionError as wrong:
        raise ParseError(f"nested deeper than {DEPTH_MAX}", "json_too_deep") from wrong
    _refuse_depth(document)
    if b"\\u" in raw:  # only escapes can spell NUL and lone surrogates
        _refuse_bad_texts("", document)
    return document


def parse_long_json(raw: bytes) -> Any:
    """Read what ``parse_json`` reads, in a fifth of the time; numbers with a point become floats.

    For doors that accept no such number. The quick reader would take the last of equal names; then
    the document has fewer quotation marks than the text, and the strict reader names the place,
    as it does wherever the quick one refuses or there are escapes to look into.
    """
    if b"\\" in raw:
        return parse_json(raw)
    try:
        document = orjson.loads(raw)
        whole = orjson.dumps(document).count(b'"') == raw.count(b'"')
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return parse_json(raw)
    if not whole:
        return parse_json(raw)
    _refuse_depth(document)
    return document


def _refuse_depth(document: Any) -> None:
    level = _inside([document])
    for _ in range(DEPTH_MAX):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise ParseError(f"nested deeper than {DEPTH_MAX}", "json_too_deep")


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    """Return the objects and arrays in ``value``; a parser makes no others and no subclasses."""
    inner = value.values() if type(value) is dict else value
    return [each for each in inner if type(each) is dict or type(each) is list]


def _refuse_bad_texts(pointer: str, value: Any) -> None:
    """Look into a document of bounded depth."""
    _refuse_bad_text(pointer, value)
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_bad_text("", name)
            _refuse_bad_texts(f"{pointer}/{escape(name)}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _refuse_bad_texts(f"{pointer}/{number}", inner)


def _refuse_bad_text(pointer: str, value: Any) -> None:
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise ParseError(f"{pointer or '/'}: NUL or half a surrogate pair", "json_text")


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _place(raw: bytes, offset: int) -> str:
    before = raw[:offset]
    line, column = before.count(b"\n") + 1, offset - before.rfind(b"\n")
    return f"line {line} column {column}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Wrong("json_name_twice", f"the name {twice!r:.80} stands twice in one object")
    return found


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(_short(text))
    except InvalidOperation:  # An exponent that Decimal has no room for.
        number = Decimal("inf")
    if not number.is_finite() or abs(number.adjusted()) > NUMBER_LENGTH_MAX:
        raise _Wrong("json_number", f"the number {text} is too large or too small")
    return number


def _integer(text: str) -> int:
    return int(_short(text))


def _short(text: str) -> str:
    if len(text) > NUMBER_LENGTH_MAX:
        raise _Wrong("json_number", f"a number of {len(text)} characters is too long")
    return text


def _constant(text: str) -> None:
    raise _Wrong("json_number", f"{text} is not a number in JSON")
