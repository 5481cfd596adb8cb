"""The hold of a bid covers whatever it may be filled with."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from exchange.services.bid_costs import greatest_cost


@given(
    price=st.integers(0, 10**8),
    lots=st.integers(1, 10**6),
    minutes=st.lists(st.sampled_from([15, 30, 60, 1_440]), min_size=1, max_size=24),
    fee_ppm=st.integers(0, 999_999),
    data=st.data(),
)
def test_no_fill_at_or_below_the_limit_costs_more_than_is_held(
    *, price: int, lots: int, minutes: list[int], fee_ppm: int, data: st.DataObject
) -> None:
    held = greatest_cost(price_ticks=price, unit_lot_minutes=lots * sum(minutes), fee_ppm=fee_ppm)
    paid = fees = Fraction(0)
    for length in minutes:
        units = data.draw(st.integers(0, lots))
        at = data.draw(st.integers(0, price))
        amount = Fraction(at * units * length, 60)
        paid += amount
        fees += amount * fee_ppm / 1_000_000
    assert paid <= held.cost_micros
    assert fees <= held.fee_micros
    assert held.hold_micros == held.cost_micros + held.fee_micros


def test_the_greatest_cost_is_reached_and_not_passed_by_more_than_rounding() -> None:
    held = greatest_cost(price_ticks=3_333, unit_lot_minutes=1 * 15, fee_ppm=1)
    exact = Fraction(3_333 * 15, 60)
    assert exact <= held.cost_micros < exact + 1
    assert held.fee_micros == 1
