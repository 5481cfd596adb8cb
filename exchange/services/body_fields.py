"""Read the fields of one JSON object or CSV row, and note every fault with its place.

Nothing is raised while reading: a sender can mend all faults at once. A field that could not be
read gives ``None``, so that what depends on it is not reported as a second fault. The code of a
fault is the field's name and what is wrong with it, such as ``quantity_malformed``.
"""

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

from exchange.foundation.money import NotADecimal, format_scaled, parse_scaled
from exchange.services.faults import Faults, shown

TEXT_MAX: Final = 64
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.0{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_NAME = re.compile(r"[\w.:/@+#-](?:[\w .:/@+#-]*[\w.:/@+#-])?")
_YEARS = range(2000, 2200)  # Far from where calendars overflow.


class Number(NamedTuple):
    """What a decimal field may be: whole multiples of ``1 / scale`` from ``least`` to ``most``."""

    scale: int
    most: int
    least: int = 0
    step: str = "too_fine"  # the end of the code for decimals beyond the scale


class Fields:
    """The named fields of one object; ``pointer`` is the object's own place in the body."""

    __slots__ = ("_faults", "_given", "_pointer")

    def __init__(self, given: Mapping[str, Any], faults: Faults, pointer: str = "") -> None:
        """Read from ``given`` and note into ``faults``."""
        self._given = given
        self._faults = faults
        self._pointer = pointer

    def refuse_unknown(self, known: AbstractSet[str]) -> None:
        """Note every field that is none of ``known``: a misspelt word must not be lost."""
        if self._given.keys() <= known:
            return
        for name in self._given:
            if name not in known:
                place = f"{self._pointer}/{_escape(name)}"
                self._faults.add(place, "field_unknown", f"there is no field {shown(name)}")

    def fault(self, name: str, code: str, detail: str) -> None:
        """Note a fault in the field ``name``."""
        self._faults.add(f"{self._pointer}/{name}", code, detail)

    def is_set(self, name: str) -> bool:
        """Return whether the field has a value; null and empty are none."""
        return self._given.get(name) not in (None, "")

    def raw(self, name: str) -> Any:
        """Return the value as it was sent, or None."""
        return self._given.get(name)

    def text(self, name: str, *, needed: bool = True) -> str | None:
        """Return a name: letters, digits and ``. : / @ + - _``, inner spaces, at most 64."""
        value = self._present(name, needed=needed)
        if value is None:
            return None
        if isinstance(value, str) and len(value) <= TEXT_MAX and is_name(value):
            return value
        if isinstance(value, str) and len(value) > TEXT_MAX:
            self.fault(name, f"{name}_too_long", f"a name has at most {TEXT_MAX} characters")
        else:
            self.fault(name, f"{name}_malformed", f"{shown(value)} is no name")
        return None

    def words(self, name: str, *, most: int, needed: bool = False) -> str:
        """Return free text on one line, at most ``most`` characters; nothing given is ''."""
        value = self._present(name, needed=needed)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.isprintable():
            self.fault(name, f"{name}_malformed", f"{shown(value)} is no line of text")
            return ""
        if len(value) > most:
            self.fault(name, f"{name}_too_long", f"at most {most} characters")
            return ""
        return value.strip()

    def word(self, name: str, among: Collection[str]) -> str | None:
        """Return one of the words ``among``; there is never a default."""
        value = self._present(name, needed=True)
        if value is None:
            return None
        if isinstance(value, str) and value in among:
            return value
        listed = ", ".join(among)
        self.fault(name, f"{name}_unknown", f"{shown(value)} is none of {listed}")
        return None

    def decimal(self, name: str, number: Number, *, needed: bool = True) -> int | None:
        """Return a decimal string as a whole number of ``1 / scale``."""
        value = self._present(name, needed=needed)
        if value is None:
            return None
        parsed, wrong = _parse_any(value, number)
        if parsed is None:
            detail = _decimal_detail(wrong, value, number)
            self.fault(name, f"{name}_{wrong}", detail)
        return parsed

    def instant(self, name: str) -> datetime | None:
        """Return a moment in UTC from ISO 8601 with an offset, at whole seconds."""
        value = self._present(name, needed=True)
        if value is None:
            return None
        is_short = isinstance(value, str) and len(value) <= TEXT_MAX
        parsed = parse_instant(value) if is_short else None
        if parsed is None:
            detail = f"{shown(value)} is no time such as 2026-11-23T12:00:00+08:00"
            self.fault(name, f"{name}_malformed", detail)
        return parsed

    def names(self, name: str, *, most: int) -> tuple[str, ...]:
        """Return a list of names; none given is an empty one."""
        found = []
        for number, value in enumerate(self.listed(name, most=most) or ()):
            if isinstance(value, str) and len(value) <= TEXT_MAX and is_name(value):
                found.append(value)
            else:
                detail = f"{shown(value)} is no name"
                self.fault(f"{name}/{number}", f"{name}_malformed", detail)
        return tuple(found)

    def objects(
        self, name: str, known: AbstractSet[str], *, most: int
    ) -> "tuple[Fields, ...] | None":
        """Return the objects of a list that may not be empty, each with its own fields to read."""
        listed = self.listed(name, most=most)
        if not listed:
            if listed is not None:
                self.fault(name, f"{name}_missing", "at least one is needed")
            return None
        found = []
        for number, value in enumerate(listed):
            place = f"{self._pointer}/{name}/{number}"
            if not isinstance(value, Mapping):
                self._faults.add(place, f"{name}_malformed", f"{shown(value)} is no object")
                return None
            fields = Fields(value, self._faults, place)
            fields.refuse_unknown(known)
            found.append(fields)
        return tuple(found)

    def listed(self, name: str, *, most: int) -> list[Any] | None:
        """Return the list sent, an empty one for nothing sent, None for what is no list."""
        value = self._given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(name, f"{name}_malformed", f"{shown(value)} is no list")
            return None
        if len(value) > most:
            self.fault(name, f"{name}_too_many", f"at most {most}")
            return None
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; nothing given is false."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, bool):
            self.fault(name, f"{name}_malformed", f"{shown(value)} is neither true nor false")
        return value is True

    def _present(self, name: str, *, needed: bool) -> Any:
        value = self._given.get(name)
        if value is None or value == "":
            if needed:
                self.fault(name, f"{name}_missing", "a value is needed")
            return None
        return value


@lru_cache(maxsize=16_384)
def is_name(text: str) -> bool:
    """Return whether ``text`` has the shape of a name."""
    return _NAME.fullmatch(text) is not None


@lru_cache(maxsize=16_384)
def parse_instant(text: str) -> datetime | None:
    """Return the moment in UTC that ``text`` names, or None if it is no instant with an offset."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.year in _YEARS else None


def _parse_any(value: object, number: Number) -> tuple[int | None, str]:
    """Return the number, or None and the end of the code that says what is wrong with it."""
    if not isinstance(value, str):
        return None, "malformed"
    # What senders repeat is short; what is long is not worth remembering, nor safe.
    return (_known_decimal if len(value) <= TEXT_MAX else _parse_decimal)(value, number)


def _parse_decimal(text: str, number: Number) -> tuple[int | None, str]:
    try:
        parsed = parse_scaled(text, scale=number.scale)
    except NotADecimal as refusal:
        return None, number.step if "multiple" in str(refusal) else _too_long(text)
    if parsed > number.most:
        return None, "too_large"
    if parsed < number.least:
        return None, "not_positive" if number.least > 0 else "negative"
    return parsed, ""


_known_decimal = lru_cache(maxsize=16_384)(_parse_decimal)


def _too_long(text: str) -> str:
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII)
    return "too_large" if is_number else "malformed"


def _decimal_detail(wrong: str, value: object, number: Number) -> str:
    if wrong == "too_large":
        return f"at most {_bound(number.most, number)}"
    if wrong in ("not_positive", "negative"):
        return f"at least {_bound(number.least, number)}"
    if wrong == "malformed":
        return f'{shown(value)} is no decimal string such as "2.5"'
    return f"{shown(value)} is no multiple of {_bound(1, number)}"


def _bound(whole: int, number: Number) -> str:
    """Write a bound as a decimal where it is one, as hours in sixtieths are not."""
    exact = Fraction(whole, number.scale)
    digits = len(str(number.scale)) - 1
    is_decimal = number.scale == 10**digits
    return format_scaled(whole, scale=number.scale) if is_decimal else str(exact)


def _escape(name: str) -> str:
    return shown(name).replace("~", "~0").replace("/", "~1")
