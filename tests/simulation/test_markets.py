"""The three markets on one book, what is measured of them, and what may be claimed."""

from dataclasses import replace

import pytest
from hypothesis import given

from exchange.engine.book import Book
from exchange.management.simulation.alone import isolate_regions
from exchange.management.simulation.markets import (
    ALONE,
    COUPLED,
    MARKETS,
    POSTED,
    Outcome,
    run_markets,
)
from exchange.management.simulation.runs import Run
from exchange.management.simulation.summary import ratios
from exchange.management.simulation.valuations import RULES
from tests.engine.hand import make_book
from tests.engine.strategies import small_books


def borders() -> Book:
    """A rich buyer where machines are dear, a cheap hall next door, one wire between them."""
    bids = ["rich,hourly,east,2,9,0,1,,,,0.5,,,", "poor,hourly,west,2,3,0,1,,,,0.5,,,"]
    return make_book(
        {"periods": 1},
        regions=["east", "west"],
        accelerators=["gpu,1,1000,1000", "old,0,1000,500"],
        sites=["here,east,1,0.2", "there,west,1.5,0.9"],
        routes=["ee,east,east,1,", "ew,east,west,9,wire", "ww,west,west,1,"],
        links=["wire,,0.5"],
        offers=["o1,here,old,0,1,1,5", "o2,there,gpu,0,1,2,2"],
        bids=bids,
        bid_accelerators=[f"{bid},{chip},1" for bid in ("poor", "rich") for chip in ("gpu", "old")],
    )


def outcomes(book: Book) -> dict[str, Outcome]:
    return {one.market: one for one in run_markets(book, seconds=None)}


def test_a_region_alone_buys_nothing_elsewhere() -> None:
    found = outcomes(borders())
    assert found[ALONE].measures.moved == 0.0
    assert found[COUPLED].measures.moved == pytest.approx(1 / 3)
    assert found[ALONE].measures.welfare == pytest.approx(4 + 2)
    assert found[COUPLED].measures.welfare == pytest.approx(4 + 7 + 1)


def test_a_full_link_has_a_rent_and_only_where_regions_are_coupled() -> None:
    found = outcomes(borders())
    # The rich pay 9 for what costs 3 in the west: on half a Gbps, 12 a Gbps, at its upper end.
    assert set(found[COUPLED].measures.rents) == {"wire"}
    assert 0 < found[COUPLED].measures.rents["wire"] <= 6
    assert found[ALONE].measures.rents == found[POSTED].measures.rents == {}


def test_energy_is_counted_with_the_losses_of_the_site() -> None:
    measures = outcomes(borders())[COUPLED].measures
    assert measures.energy_kwh == pytest.approx(1 * 0.5 * 1 + 2 * 1.0 * 1.5)
    assert measures.pflops_hours == pytest.approx(3)
    assert measures.domestic_share == pytest.approx(2 / 3)


def test_shares_prices_and_use_are_of_what_was_wanted_sold_and_offered() -> None:
    measures = outcomes(borders())[POSTED].measures
    assert measures.served == pytest.approx(3 / 4)
    assert measures.value_served == pytest.approx((1 * 9 + 2 * 3) / (2 * 9 + 2 * 3))
    assert measures.use == {"east": 1.0, "west": 1.0}
    assert measures.prices == {"east": {"old": 5.0}, "west": {"gpu": 2.0}}


@given(book=small_books(bids_max=4, offers_max=4, periods_max=3))
def test_an_isolated_book_serves_each_bid_in_its_own_region(book: Book) -> None:
    alone = isolate_regions(book)
    assert (alone.routes.origin == alone.routes.region).all()
    if book.min_domestic_share_micros is None:
        found = outcomes(book)
        assert found[ALONE].measures.moved == 0.0
        assert all(0.0 <= one.measures.served <= 1.0 + 1e-9 for one in found.values())


def run_of(rule: str, market: str, welfare: float, seed: int = 1) -> Run:
    outcome = outcomes(borders())[market]
    measures = replace(outcome.measures, welfare=welfare)
    return Run(
        rule=rule,
        seed=seed,
        day=0,
        bids=2,
        blocks=0,
        outcome=replace(outcome, measures=measures),
    )


def test_what_fails_in_one_run_under_one_rule_is_not_claimed() -> None:
    better = {COUPLED: 12.0, ALONE: 6.0, POSTED: 8.0}
    runs = [run_of(rule, market, better[market]) for rule in RULES for market in MARKETS]
    claims = {one.other: one for one in ratios(runs) if one.figure == "welfare"}
    assert claims[ALONE].may_be_claimed
    assert (claims[POSTED].least, claims[POSTED].greatest) == (1.5, 1.5)

    runs += [run_of("size", market, 12.0 if market == ALONE else 6.0, 2) for market in MARKETS]
    claims = {one.other: one for one in ratios(runs) if one.figure == "welfare"}
    assert not claims[ALONE].may_be_claimed


def test_what_was_not_run_under_every_rule_is_not_claimed() -> None:
    runs = [run_of("size", market, 2.0 if market == COUPLED else 1.0) for market in MARKETS]
    assert not any(one.may_be_claimed for one in ratios(runs))
