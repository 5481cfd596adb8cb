"""The orders that other engines are given: our book and the program say the same market."""

import numpy as np
import pytest

from exchange.engine import audit
from exchange.engine.clearing import clear
from exchange.engine.solver import solve_lp, solve_mip
from tests.bench.rival_orders import as_book, as_program, draw_orders
from tests.bench.rivals import hour_program
from tests.engine.hand import make_book


@pytest.mark.parametrize("seed", [1, 2])
def test_the_book_clears_between_its_best_without_the_rule_on_blocks_and_no_blocks(
    seed: int,
) -> None:
    orders = draw_orders(simple=6_000, blocks=20, seed=seed)
    book, (program, whole) = as_book(orders), as_program(orders)
    integer = np.zeros(len(program.cost), dtype=np.bool_)
    integer[whole] = True
    clearing = clear(book)
    assert audit.check(book, clearing).is_clean
    welfare = float(clearing.welfare_micros) / 1e6
    best = -solve_mip(program, integer).objective
    program.upper[whole] = 0
    without = -solve_lp(program).objective
    assert without < welfare <= best + 1e-6
    assert welfare >= best * 0.9999


def test_an_hour_as_a_linear_program_is_worth_what_its_clearing_is() -> None:
    book = make_book(
        {"periods": 2},
        regions=["east", "west"],
        accelerators=["gpu,0,100,0"],
        sites=["e,east,1,0", "w,west,1,0.5"],
        routes=["ee,east,east,1,", "ew,east,west,10,l free", "ww,west,west,1,"],
        links=["l,1,4"],
        offers=["oe,e,gpu,0,2,4,5", "ow,w,gpu,1,2,20,2"],
        bids=["far,hourly,east,10,10,1,2,,,,1,,,", "near,hourly,west,1,9,1,2,,,,1,,,"],
        bid_accelerators=["far,gpu,1", "near,gpu,1"],
    )
    hours = [-solve_lp(hour_program(book, period)).objective for period in range(2)]
    assert hours == pytest.approx([0, 4 * (10 - 5) + 4 * (10 - 2) + (9 - 2)])
    assert float(clear(book).welfare_micros) / 1e6 == pytest.approx(sum(hours))
