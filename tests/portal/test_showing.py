"""How money, prices, quantities and times are shown: exactly, and by the market's clock."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import RequestFactory
from django.utils import translation

from accounts.web import showing
from accounts.web.listing import NUMBER_MAX, Page, page_number
from accounts.web.words import COLOURS, WORDS

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (-1_500_000, "-1.50"),
        (1_234_567_890_000, "1,234,567.89"),
        (10**18, "1,000,000,000,000.00"),
        (None, "—"),
    ],
)
def test_money_is_exact_and_has_two_decimals_at_least(micros: int | None, shown: str) -> None:
    assert showing.money(micros) == shown


@pytest.mark.parametrize(("ticks", "shown"), [(2_500, "2.500"), (1, "0.001"), (None, "—")])
def test_a_price_has_the_decimals_of_its_tick(ticks: int | None, shown: str) -> None:
    assert showing.price(ticks) == shown


@pytest.mark.parametrize(("lots", "shown"), [(8_000, "8"), (8_125, "8.125"), (1_024_000, "1,024")])
def test_a_quantity_has_decimals_only_where_it_needs_them(lots: int, shown: str) -> None:
    assert showing.quantity(lots) == shown


def test_other_numbers_are_exact_too() -> None:
    assert showing.decimal(Decimal("1E+3")) == "1,000.00"
    assert showing.minor(-12_345, 2) == "-123.45"
    assert showing.percent(20_000) == "2 %"
    assert showing.scaled(1_200_000) == "1.20"
    assert showing.accelerator_hours(5_400_000) == "1.5"


def test_an_instant_is_shown_by_the_markets_clock_with_utc_for_machines() -> None:
    shown = showing.market_time(NOON)
    assert "2026-01-05 20:00" in shown
    assert 'datetime="2026-01-05T12:00:00+00:00"' in shown
    assert "12:00 UTC" in showing.both_times(NOON)


def test_it_is_said_whose_clock_times_are_by_with_its_distance_from_utc() -> None:
    assert showing.times_note() == "Times are those of the market: Asia/Shanghai (UTC+08:00)."


def test_a_word_without_a_translation_is_shown_as_it_is() -> None:
    assert showing.word("brand-new") == "brand-new"
    assert "bg-secondary-lt" in showing.badge("brand-new")


def test_states_are_said_in_chinese() -> None:
    with translation.override("zh-hans"):
        assert str(showing.word("paused")) == "已暂停"
        assert "bg-yellow-lt" in showing.badge("paused")


def test_every_colour_is_of_a_known_word() -> None:
    assert set(COLOURS) <= set(WORDS)


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("1", 1),
        ("7", 7),
        ("0", 1),
        ("-3", 1),
        ("x", 1),
        ("٣", 1),
        ("99999", 1),
        ("9999", NUMBER_MAX),
    ],
)
def test_whatever_is_no_page_is_the_first(asked: str, number: int) -> None:
    assert page_number(RequestFactory().get("/", {"page": asked})) == number


def test_a_page_knows_whether_another_follows() -> None:
    rows = list(range(5))
    first, last = Page(rows, number=1, size=3), Page(rows, number=2, size=3)
    assert (first.rows, first.has_previous, first.has_next) == ([0, 1, 2], False, True)
    assert (last.rows, last.has_previous, last.has_next) == ([3, 4], True, False)
    assert not Page(rows, number=1, size=5).has_other_pages
