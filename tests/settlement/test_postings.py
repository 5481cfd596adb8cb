"""The arithmetic of a period: exact, balanced, and the same however often it is reckoned."""

import hashlib
import json
from decimal import Decimal, Inexact
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.postings import (
    GRID_GRAMS_PER_MWH,
    MS_PER_HOUR,
    PRICE_DECIMALS,
    Metered,
    Postings,
    Terms,
    delivered_of,
    greatest_charge,
    inputs_sha256,
    legs_between,
    scaled_price,
    settle,
    shares_between,
)

UNIT = 10**PRICE_DECIMALS
prices = st.integers(0, 10**6 * UNIT)
signed_prices = st.integers(-(10**3) * UNIT, 10**6 * UNIT)
ppm = st.integers(0, 1_000_000)
times = st.integers(0, 10**12)
ACCOUNTS = ("available", "payable", "clearing")


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Any terms whose prices add up: buyer = seller + congestion + power - policy."""
    cell, congestion, power = draw(signed_prices), draw(prices), draw(prices)
    policy = draw(st.integers(-(10**3) * UNIT, 10**3 * UNIT))
    return Terms(
        contracted_ms=draw(times),
        cell_price=cell,
        buyer_price=cell + congestion,
        seller_price=cell - power + policy,
        congestion_price=congestion,
        power_price=power,
        policy_price=policy,
        replacement_price=draw(st.none() | prices),
        tolerance_ppm=draw(ppm),
        penalty_factor_ppm=draw(st.integers(0, 3_000_000)),
        buyer_fee_ppm=draw(ppm),
        seller_fee_ppm=draw(ppm),
        watts_micros=draw(st.integers(0, 10**10)),
        pue_micros=draw(st.integers(1_000_000, 3_000_000)),
        renewable_micros=draw(ppm),
    )


metered = st.builds(
    Metered,
    provider_ms=times,
    buyer_ms=st.none() | times,
    ruled_ms=st.none() | times,
    excused_ms=st.just(0),
    energy_mj=st.none() | st.integers(0, 10**15),
)


def exact(price: int, ms: int) -> Fraction:
    """Return price x time in micro-units, the slow and obvious way."""
    return Fraction(price, UNIT) * Fraction(ms, MS_PER_HOUR) * 1_000_000


@given(terms(), metered)
def test_what_the_buyer_pays_is_what_everybody_gets(terms: Terms, metered: Metered) -> None:
    owed = settle(terms, metered)

    assert owed.buyer_due == (
        owed.seller_due + owed.congestion + owed.power - owed.policy + owed.rounding
    )
    assert abs(owed.rounding) <= 4


@given(terms(), metered)
def test_each_amount_is_exact_and_rounded_once(terms: Terms, metered: Metered) -> None:
    owed = settle(terms, metered)

    assert owed.buyer_due == floor(exact(terms.buyer_price, owed.delivered_ms))
    assert owed.seller_due == ceil(exact(terms.seller_price, owed.delivered_ms))
    assert owed.congestion == floor(exact(terms.congestion_price, owed.delivered_ms))
    assert owed.power == floor(exact(terms.power_price, owed.delivered_ms))
    assert owed.policy == floor(exact(terms.policy_price, owed.delivered_ms))
    dearest = max(terms.cell_price, terms.replacement_price or 0, 0)
    missing = exact(dearest, owed.contracted_ms - owed.delivered_ms)
    assert owed.penalty == floor(missing * Fraction(terms.penalty_factor_ppm, 1_000_000))
    assert owed.buyer_fee == max(owed.buyer_due, 0) * terms.buyer_fee_ppm // 1_000_000
    assert owed.seller_fee == max(owed.seller_due, 0) * terms.seller_fee_ppm // 1_000_000


@given(terms(), times, times)
def test_more_delivered_never_costs_the_provider(terms: Terms, one: int, other: int) -> None:
    dear = terms._replace(
        buyer_price=abs(terms.buyer_price),
        seller_price=abs(terms.seller_price),
    )
    less, more = sorted((one, other))
    low, high = (settle(dear, Metered(provider_ms=ms)) for ms in (less, more))

    assert low.delivered_ms <= high.delivered_ms <= dear.contracted_ms
    assert low.buyer_due <= high.buyer_due
    assert low.earning <= high.earning
    assert low.penalty >= high.penalty
    assert high.charge <= greatest_charge(dear)


@given(terms(), st.lists(metered, min_size=1, max_size=4))
def test_the_runs_differences_add_up_to_the_last_run(terms: Terms, meters: list[Metered]) -> None:
    """Whatever the meters say from run to run, the accounts end where the last run stands."""
    accounts = dict.fromkeys(ACCOUNTS, 0)
    house, captured, before, peak = 0, 0, None, 0
    for each in meters:
        after = settle(terms, each)
        for leg in legs_between(before, after, peak=peak):
            assert leg.amount > 0
            accounts[leg.debit] -= leg.amount
            accounts[leg.credit] += leg.amount
            captured += leg.amount if leg.captures else 0
        house += sum(shares_between(before, after).values())
        before, peak = after, max(peak, after.charge)

    assert before is not None
    assert accounts["available"] == -before.charge + before.penalty
    assert accounts["payable"] == before.earning - before.penalty
    assert accounts["clearing"] == house
    assert sum(accounts.values()) == 0
    assert captured == max(0, peak)


@given(terms(), metered)
def test_the_same_run_again_moves_nothing(terms: Terms, metered: Metered) -> None:
    owed = settle(terms, metered)

    assert legs_between(owed, owed, peak=max(0, owed.charge)) == []
    assert not any(shares_between(owed, owed).values())


@given(terms(), metered)
def test_the_hash_covers_all_that_goes_in(terms: Terms, metered: Metered) -> None:
    told = inputs_sha256(terms, metered)

    assert told == inputs_sha256(terms._replace(), metered._replace())
    assert told != inputs_sha256(terms._replace(cell_price=terms.cell_price + 1), metered)
    assert told != inputs_sha256(terms, metered._replace(provider_ms=metered.provider_ms + 1))


@given(terms(), metered, st.just(0) | times)
def test_the_hash_is_that_of_sorted_compact_json(
    terms: Terms, metered: Metered, excused_ms: int
) -> None:
    metered = metered._replace(excused_ms=excused_ms)
    told = {"rules": "compute-settlement/1", "terms": terms._asdict()}
    told["metered"] = {
        name: value for name, value in metered._asdict().items() if name != "excused_ms" or value
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))

    assert inputs_sha256(terms, metered) == hashlib.sha256(text.encode()).digest()


SIMPLE = Terms(
    contracted_ms=1_000,
    cell_price=UNIT,
    buyer_price=UNIT,
    seller_price=UNIT,
    congestion_price=0,
    power_price=0,
    policy_price=0,
    replacement_price=None,
    tolerance_ppm=100_000,
    penalty_factor_ppm=0,
    buyer_fee_ppm=0,
    seller_fee_ppm=0,
    watts_micros=700_000_000,
    pue_micros=1_200_000,
    renewable_micros=250_000,
)


@pytest.mark.parametrize(
    ("meters", "delivered", "disagree"),
    [
        (Metered(provider_ms=900), 900, False),
        (Metered(provider_ms=1_200), 1_000, False),
        (Metered(provider_ms=900, buyer_ms=810), 900, False),
        (Metered(provider_ms=900, buyer_ms=809), 809, True),
        (Metered(provider_ms=0, buyer_ms=900), 0, True),
        (Metered(provider_ms=0, buyer_ms=0), 0, False),
        (Metered(provider_ms=2_000, buyer_ms=1_000), 1_000, False),
        (Metered(provider_ms=0, buyer_ms=900, ruled_ms=700), 700, False),
        (Metered(provider_ms=0, ruled_ms=7_000), 1_000, False),
    ],
)
def test_two_meters_agree_within_tolerance_or_the_lower_counts(
    meters: Metered,
    delivered: int,
    disagree: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    assert delivered_of(SIMPLE, meters) == (delivered, disagree)


def test_energy_is_what_was_counted_with_the_sites_pue() -> None:
    hour = SIMPLE._replace(contracted_ms=MS_PER_HOUR)
    counted = settle(hour, Metered(provider_ms=MS_PER_HOUR, energy_mj=500 * MS_PER_HOUR))

    assert counted.energy_wh == 600
    assert counted.co2_grams == 600 * GRID_GRAMS_PER_MWH * 3 // 4 // 1_000_000


def test_without_a_counter_energy_follows_from_the_chips_watts() -> None:
    hour = SIMPLE._replace(contracted_ms=MS_PER_HOUR)

    assert settle(hour, Metered(provider_ms=MS_PER_HOUR // 2)).energy_wh == 420


def test_a_price_with_more_decimals_than_are_kept_is_refused() -> None:
    assert scaled_price(Decimal("1.5")) == 3 * UNIT // 2
    with pytest.raises(Inexact):
        scaled_price(Decimal("1e-22"))


def test_what_was_given_back_is_taken_from_free_money_and_not_from_the_hold() -> None:
    first = Postings(contracted_ms=1, delivered_ms=1, buyer_due=100)
    second = Postings(contracted_ms=1, delivered_ms=1, buyer_due=40)
    third = Postings(contracted_ms=1, delivered_ms=1, buyer_due=120)

    back = legs_between(first, second, peak=100)[0]
    again = legs_between(second, third, peak=100)

    assert (back.debit, back.credit, back.amount) == ("clearing", "available", 60)
    assert [(leg.captures, leg.amount) for leg in again][:2] == [(True, 20), (False, 60)]
