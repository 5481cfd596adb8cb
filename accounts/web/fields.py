"""How exact numbers and moments are written at the doors."""

import re
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange.foundation.money import LOTS, MICROS, TICKS, NotADecimal, format_scaled, parse_scaled

YEARS = range(2000, 2200)  # far from where adding an offset or a day overflows
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)")
_SHAPE = r"^-?\d{1,18}(\.\d{1,18})?$"


@extend_schema_field({"type": "string", "pattern": _SHAPE, "example": "2.500"})
class DecimalString(serializers.Field[int, str, str, int]):
    """A decimal in a string outside, a whole number of ``1/scale`` inside; never a float.

    ``minimum`` and ``maximum`` are whole numbers of the scale too.
    """

    default_error_messages = {
        "not_a_string": 'Write decimals as strings, such as "2.5".',
        "not_a_decimal": "{reason}.",
        "too_small": "At least {bound}.",
        "too_large": "At most {bound}.",
    }

    def __init__(
        self, scale: int, *, minimum: int | None = None, maximum: int | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.scale, self.minimum, self.maximum = scale, minimum, maximum

    def to_internal_value(self, data: object) -> int:
        """Return the exact whole number that a decimal string stands for."""
        if not isinstance(data, str):
            self.fail("not_a_string")
        try:
            number = parse_scaled(data, scale=self.scale)
        except NotADecimal as wrong:
            self.fail("not_a_decimal", reason=str(wrong)[:200])
        if self.minimum is not None and number < self.minimum:
            self.fail("too_small", bound=self.to_representation(self.minimum))
        if self.maximum is not None and number > self.maximum:
            self.fail("too_large", bound=self.to_representation(self.maximum))
        return number

    def to_representation(self, value: int) -> str:
        """Print a whole number with all the decimals of the scale."""
        return format_scaled(value, scale=self.scale)


class MoneyField(DecimalString):
    """Money, in micro-units inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(MICROS, **options)


class PriceField(DecimalString):
    """A price per accelerator-hour, in ticks of 0.001 inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(TICKS, **options)


class QuantityField(DecimalString):
    """A quantity, in lots of 0.001 inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(LOTS, **options)


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.Field[datetime, str, str, datetime]):
    """A moment in ISO 8601 with its offset from UTC; a moment without one means nothing."""

    default_error_messages = {
        "not_an_instant": "Write moments as 2026-12-01T08:00:00+08:00, with the offset.",
        "out_of_time": f"A year from {YEARS.start} on and before {YEARS.stop}.",
    }

    def to_internal_value(self, data: object) -> datetime:
        """Return an aware datetime."""
        moment = None
        if isinstance(data, str) and _INSTANT.fullmatch(data):
            try:
                moment = parse_datetime(data.upper())
            except ValueError:
                moment = None
        if moment is None or moment.utcoffset() is None:
            self.fail("not_an_instant")
        if not YEARS.start <= moment.year < YEARS.stop:
            self.fail("out_of_time")
        return moment

    def to_representation(self, value: datetime) -> str:
        """Print a moment with its offset; UTC as Z."""
        return value.isoformat().replace("+00:00", "Z")
