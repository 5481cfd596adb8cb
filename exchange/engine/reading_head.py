"""``book.json``: what the auction is, and for which periods."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from exchange.engine import layout
from exchange.engine.book import MICROS
from exchange.engine.decimals import parse_decimals
from exchange.engine.problems import Problems

HEAD_FILE: Final = "book.json"
_CURRENCY = re.compile(r"[A-Z]{3}")
_TEXT_FIELDS: Final = ("format", "auction", "currency", "start")
_NAME_MAX: Final = 200
_TICK: Final = 1  # The one supported: 0.001.


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The fields of ``book.json`` in whole units."""

    auction: str
    currency: str
    start: datetime
    period_minutes: int
    periods: int
    price_cap_ticks: int
    min_domestic_share_micros: int | None


class HeadReader:
    """Reads the fields one by one and notes what is wrong with each."""

    def __init__(self, fields: Mapping[str, object], problems: Problems) -> None:
        self._fields = fields
        self._problems = problems

    def read(self) -> Head:
        """Read all fields.

        :raises BookRefused: with every problem of the file
        """
        self._check_fields()
        self._problems.raise_any()
        self._check_format()
        head = Head(
            auction=self._auction(),
            currency=self._currency(),
            start=self._start(),
            period_minutes=self._whole(
                "period_minutes", layout.PERIOD_MINUTES_MAX, "period_minutes_out_of_range"
            ),
            periods=self._whole("periods", layout.PERIODS_MAX, "periods_out_of_range"),
            price_cap_ticks=self._price_cap(),
            min_domestic_share_micros=self._domestic_share(),
        )
        self._check_tick()
        self._problems.raise_any()
        return head

    def _refuse(self, code: str, field: str, detail: str) -> None:
        self._problems.add(code, HEAD_FILE, 0, field, detail=detail)

    def _check_fields(self) -> None:
        for name in layout.BOOK_FIELDS:
            if name not in self._fields:
                self._refuse("field_missing", name, f"there is no field {name!r}")
        for name in self._fields:
            if name not in layout.BOOK_FIELDS:
                self._refuse("field_unknown", name, f"{name[:40]!r} is not a field")
        for name in _TEXT_FIELDS:
            if not isinstance(self._fields.get(name, ""), str):
                self._refuse("field_type_wrong", name, "must be a string")

    def _text(self, name: str) -> str:
        value = self._fields[name]
        assert isinstance(value, str)
        return value

    def _check_format(self) -> None:
        if self._text("format") != layout.BOOK_FORMAT:
            self._refuse("format_unknown", "format", f"must be {layout.BOOK_FORMAT!r}")

    def _auction(self) -> str:
        name = self._text("auction")
        if not name.isprintable() or not 0 < len(name) <= _NAME_MAX or name != name.strip():
            self._refuse("auction_name_bad", "auction", "must be a printable name")
        return name

    def _currency(self) -> str:
        code = self._text("currency")
        if not _CURRENCY.fullmatch(code):
            self._refuse("currency_bad", "currency", "must be three capital letters")
        return code

    def _start(self) -> datetime:
        text = self._text("start")
        try:
            start = datetime.fromisoformat(text)
        except ValueError:
            self._refuse("start_malformed", "start", f"{text[:40]!r} is no ISO 8601 time")
            return datetime.min  # noqa: DTZ901  (never leaves: the problem is raised)
        if start.tzinfo is None:
            self._refuse("start_without_offset", "start", "an offset from UTC is needed")
        return start

    def _whole(self, name: str, most: int, code: str) -> int:
        value = self._fields[name]
        if not isinstance(value, int) or isinstance(value, bool):
            self._refuse("field_type_wrong", name, "must be a whole number")
            return 1
        if not 0 < value <= most:
            self._refuse(code, name, f"must be from 1 to {most:,}")
        return value

    def _decimal(self, name: str, places: int, fine: str) -> int | None:
        """Read a decimal string (or JSON number, kept as text); None where it is faulty."""
        value = self._fields[name]
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._refuse("field_type_wrong", name, "must be a decimal string")
            return None
        parsed = parse_decimals(np.array([str(value).encode()], dtype=np.bytes_), places)
        if parsed.good[0]:
            return int(parsed.values[0])
        self._refuse(fine if parsed.too_fine[0] else "field_malformed", name, "no such decimal")
        return None

    def _check_tick(self) -> None:
        tick = self._decimal("price_tick", layout.TICK_PLACES, "price_tick_unsupported")
        if tick not in (None, _TICK):
            self._refuse("price_tick_unsupported", "price_tick", "the tick is 0.001")

    def _price_cap(self) -> int:
        cap = self._decimal("price_cap", layout.TICK_PLACES, "price_cap_off_tick")
        if cap is not None and not 0 < cap <= layout.PRICE_CAP_TICKS_MAX:
            most = layout.PRICE_CAP_TICKS_MAX // 1_000
            self._refuse("price_cap_out_of_range", "price_cap", f"above 0, at most {most:,}")
        return cap or 0

    def _domestic_share(self) -> int | None:
        if self._fields["min_domestic_share"] is None:
            return None
        name = "min_domestic_share"
        share = self._decimal(name, layout.MICRO_PLACES, "domestic_share_too_fine")
        if share is not None and not 0 <= share <= MICROS:
            self._refuse("domestic_share_out_of_range", name, "must be from 0 to 1")
        return share
