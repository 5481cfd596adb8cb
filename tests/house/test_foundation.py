"""The ground: exact numbers, sortable ids, half-open time, guarded moves."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.foundation import ids, market_time, money, periods, states

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@given(st.integers(-(10**17), 10**17), st.sampled_from([1, 1_000, 1_000_000]))
def test_a_whole_number_survives_its_decimal_string(number: int, scale: int) -> None:
    assert money.parse_scaled(money.format_scaled(number, scale=scale), scale=scale) == number


@pytest.mark.parametrize(
    "text", ["", " 1", "1e3", "NaN", "Infinity", "1.", ".5", "1,5", "+1", "0x1", "1_000", "\u0661"]
)
def test_only_plain_decimals_are_numbers(text: str) -> None:
    with pytest.raises(money.NotADecimal):
        money.parse_scaled(text, scale=1_000)


def test_more_decimals_than_the_scale_are_refused_but_zeros_are_not_decimals() -> None:
    assert money.parse_scaled("1.5000", scale=1_000) == 1_500
    with pytest.raises(money.NotADecimal, match=r"multiple of 0\.001"):
        money.parse_scaled("1.0005", scale=1_000)


def test_a_buyer_pays_the_micro_below_and_a_seller_gets_the_micro_above() -> None:
    amount = money.cost_micros(price_ticks=1, lots=1, period_minutes=45)

    assert amount == Fraction(3, 4)
    assert (money.round_down(amount), money.round_up(amount)) == (0, 1)


def test_ids_sort_in_the_order_they_were_made_even_within_a_millisecond() -> None:
    made = [ids.new_id("bid") for _ in range(2_000)]

    assert made == sorted(set(made))
    assert all(ids.is_id(one, prefix="bid") and not ids.is_id(one, prefix="off") for one in made)


def test_periods_are_half_open() -> None:
    first, second = periods.split(NOON, minutes=60, count=2)

    assert first.end == second.start
    assert not first.overlaps(second)
    assert first.minutes == 60


def test_a_table_of_moves_names_known_states_only() -> None:
    with pytest.raises(AssertionError, match="unknown"):
        states.moves_of(["open", "closed"], {"open": ["shut"]})


@pytest.mark.django_db
def test_the_clock_of_a_real_market_cannot_be_set() -> None:
    with pytest.raises(market_time.NotAPlay):
        market_time.set_market_time(NOON)

    assert abs(market_time.market_now() - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.django_db
def test_the_clock_of_a_play_goes_on_from_where_it_was_set() -> None:
    market_time.mark_as_play()
    market_time.set_market_time(NOON)

    assert abs(market_time.market_now() - NOON) < timedelta(minutes=5)
