"""A preview says which rule excluded how much, and what would help."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.queries.supply import LOTS, MICROS, Supply, Want
from exchange.services.bid_changes import nearest_changes
from exchange.services.screening import screen
from tests.exchange.supplies import FAR, HERE, offer, supply_of, want_of

IN_GUIZHOU = {"site": "gz-1", "region": "guizhou", "renewable_micros": 800_000}


def excluded_by(want: Want, supply: Supply) -> dict[str, int]:
    """Return the accelerator-hours that each rule excluded, if any."""
    found = screen(want, supply).sieves
    return {sieve.constraint: sieve.excluded // LOTS for sieve in found if sieve.excluded}


def changes_of(want: Want, supply: Supply) -> dict[str, Want]:
    """Return the nearest change of each field."""
    return {change.field: change.want for change in nearest_changes(want, supply)}


def test_a_bid_that_fits_is_served_at_the_ask_of_the_last_accelerator_it_needs() -> None:
    supply = supply_of(offer(quantity_lots=3 * LOTS), offer(price_ticks=2_500))
    found = screen(want_of(), supply)
    assert found.limit_ticks == 2_500
    assert found.serves(want_of(price_ticks=2_500))
    assert not found.serves(want_of(price_ticks=2_499))


@pytest.mark.parametrize(
    ("constraint", "change", "row"),
    [
        ("accelerators", {}, {"accelerator": "ascend"}),
        ("regions", {"regions": frozenset({"guizhou"})}, {}),
        ("latency_ms_max", {"latency_micros_max": 500_000}, {}),
        ("latency_ms_max", {}, {"region": "nowhere"}),
        ("renewable_share_min", {"renewable_micros_min": 300_001}, {}),
        ("window", {}, {"first": 4, "end": 4}),
        ("site_size", {"kind": "block", "duration": 4, "quantity_lots": 9 * LOTS}, {}),
        ("limit_price", {"price_ticks": 1_999}, {}),
    ],
)
def test_each_rule_is_charged_with_the_capacity_that_it_excludes(
    constraint: str, change: dict[str, Any], row: dict[str, Any]
) -> None:
    want, supply = want_of(**change), supply_of(offer(**row))
    if constraint == "window":
        want, supply = want_of(end=2), supply_of(offer(first=2))
    assert set(excluded_by(want, supply)) == {constraint}
    assert not screen(want, supply).serves(want)


def test_the_rules_exclude_one_after_another_and_never_twice() -> None:
    supply = supply_of(offer(), offer(accelerator="ascend"), offer(**IN_GUIZHOU))
    want = want_of(latency_micros_max=2_000_000, end=3)
    assert excluded_by(want, supply) == {"accelerators": 32, "latency_ms_max": 32, "window": 8}


def test_a_limited_link_excludes_a_gang_that_needs_more_than_it_carries() -> None:
    supply = supply_of(offer(**IN_GUIZHOU))
    gang = want_of(kind="block", duration=2, gbps_micros=MICROS // 2)
    assert screen(gang, supply).serves(gang)
    wider = want_of(kind="block", duration=2, gbps_micros=MICROS // 2 + 1)
    assert excluded_by(wider, supply) == {"gbps": 32}
    assert changes_of(wider, supply)["gbps"].gbps_micros == MICROS // 2


def test_a_gang_takes_whole_accelerators_of_the_factor_rounded_up() -> None:
    gang = want_of(kind="block", duration=1, quantity_lots=3 * LOTS,
                   factors_micros={"h100": 1_500_000})  # fmt: skip
    assert screen(gang, supply_of(offer(quantity_lots=5 * LOTS))).limit_ticks == 3_334
    assert screen(gang, supply_of(offer(quantity_lots=4 * LOTS))).limit_ticks is None


def test_a_gang_is_never_put_together_from_two_sites_or_across_a_gap() -> None:
    gang = want_of(kind="block", duration=2, quantity_lots=10 * LOTS)
    assert screen(gang, supply_of(offer(), offer(site="bj-2"))).limit_ticks is None
    small = want_of(kind="block", duration=3)
    holed = supply_of(offer(end=2), offer(first=3))
    assert excluded_by(small, holed) == {"site_size": 24}
    assert changes_of(small, holed)["duration"].duration == 2


def test_the_nearest_price_size_region_chip_latency_and_share_are_named() -> None:
    supply = supply_of(
        offer(quantity_lots=2 * LOTS),
        offer(**IN_GUIZHOU, price_ticks=2_200),
        offer(accelerator="ascend", price_ticks=700, quantity_lots=40 * LOTS),
    )
    want = want_of(regions=frozenset({"beijing"}))
    found = changes_of(want, supply)
    assert found["quantity"].quantity_lots == 2 * LOTS
    assert found["regions"].regions == {"beijing", "guizhou"}
    assert found["accelerators"].factors_micros["ascend"] == 3_093_750
    assert set(found) == {"quantity", "regions", "accelerators"}
    near = changes_of(want_of(latency_micros_max=MICROS), supply)
    assert near["latency_ms_max"].latency_micros_max == FAR.latency_micros
    green = want_of(renewable_micros_min=900_000)
    assert changes_of(green, supply)["renewable_share_min"].renewable_micros_min == 800_000
    poor = want_of(price_ticks=1_000)
    assert changes_of(poor, supply)["limit_price"].price_ticks == 2_200


def test_a_longer_window_helps_a_gang_and_a_volume() -> None:
    supply = supply_of(offer())
    volume = want_of(kind="volume", end=2, quantity_lots=8 * LOTS, volume_lots=20 * LOTS)
    assert changes_of(volume, supply)["ends_at"].end == 3
    assert changes_of(volume, supply)["volume"].volume_lots == 16 * LOTS
    late = supply_of(offer(first=2))
    gang = want_of(kind="block", duration=2, end=3)
    assert changes_of(gang, late)["ends_at"].end == 4


def test_nothing_on_offer_is_an_answer_too() -> None:
    found = screen(want_of(), supply_of())
    assert found.limit_ticks is None
    assert found.decisive == "accelerators"
    assert changes_of(want_of(), supply_of()) == {}


ROWS = st.lists(
    st.builds(
        offer,
        site=st.sampled_from(["bj-1", "bj-2"]),
        accelerator=st.sampled_from(["h100", "ascend"]),
        first=st.integers(0, 2),
        end=st.integers(2, 4),
        quantity_lots=st.integers(1, 4).map(lambda n: n * LOTS),
        price_ticks=st.integers(0, 9),
    ),
    max_size=5,
)


@given(rows=ROWS, units=st.integers(1, 4), duration=st.integers(1, 3))
def test_the_quote_of_a_gang_is_that_of_the_obvious_search(
    rows: list[dict[str, Any]], units: int, duration: int
) -> None:
    factors = {"h100": MICROS, "ascend": 2 * MICROS}
    supply = supply_of(*rows, paths=(HERE,))
    gang = want_of(kind="block", duration=duration, quantity_lots=units * LOTS,
                   factors_micros=factors)  # fmt: skip
    assert screen(gang, supply).limit_ticks == cheapest_gang(rows, units, duration, factors)


def cheapest_gang(
    rows: list[dict[str, Any]], units: int, duration: int, factors: dict[str, int]
) -> int | None:
    """Try every site, chip and start; sort the asks of single accelerators."""
    limits = []
    for site, chip, start in product(["bj-1", "bj-2"], factors, range(5 - duration)):
        needed = units * factors[chip] // MICROS
        asks = [ask_of_last(rows, (site, chip), period, needed)
                for period in range(start, start + duration)]  # fmt: skip
        if None not in asks:
            total = sum(ask for ask in asks if ask is not None) * needed
            limits.append(-(-total // (duration * units)))
    return min(limits, default=None)


def ask_of_last(
    rows: list[dict[str, Any]], place: tuple[str, str], period: int, needed: int
) -> int | None:
    """Return the ask of the last of the ``needed`` cheapest accelerators in one period."""
    asks = sorted(
        row["price_ticks"]
        for row in rows
        if (row["site"], row["accelerator"]) == place and row["first"] <= period < row["end"]
        for _ in range(row["quantity_lots"] // LOTS)
    )
    return asks[needed - 1] if len(asks) >= needed else None
