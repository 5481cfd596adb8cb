"""Whatever is killed in the middle of the day, the day ends as if nothing had been.

The suite plays one small day with real processes, and kills each kind of part once in another;
``make faults`` does it at twenty moments each.
"""

import random
import time
from collections.abc import Iterator

import pytest

from tests.faults.outcome import Outcome
from tests.faults.theatre import Day, Fault, Theatre, theatre

MOMENTS = 20
FAULTS: dict[str, Fault] = {
    "worker": lambda day: day.kill("worker"),
    "clearer": lambda day: day.kill("clearer"),
    "beat": lambda day: day.kill("beat"),
    "servers": lambda day: day.restart_servers(),
}
# Before the first of it the play has not begun, after the last it only prints.
BUSY_FROM, BUSY_UNTIL = 0.3, 0.9


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("theatre")) as house:
        yield house


@pytest.fixture(scope="module")
def undisturbed(house: Theatre) -> tuple[Outcome, float]:
    """What the day comes to when nothing goes wrong, and how long it takes."""
    begun = time.monotonic()
    return house.play(), time.monotonic() - begun


def disturbed(house: Theatre, part: str, after: float) -> Outcome:
    def fault(day: Day) -> None:
        time.sleep(after)
        FAULTS[part](day)

    return house.play(fault)


def test_a_whole_day_is_played_to_balanced_books(undisturbed: tuple[Outcome, float]) -> None:
    outcome, _ = undisturbed

    assert {"book/bids.csv", "result/prices.csv", "result/result.json"} <= outcome.published.keys()
    assert outcome.fills
    assert {run_no for *_, run_no, _, _, _, _ in outcome.runs} == {1, 2, 3, 4}
    assert sum(amount for _, _, amount, _ in outcome.balances) == 0


def test_a_day_that_is_over_is_only_told_again(
    house: Theatre, undisturbed: tuple[Outcome, float]
) -> None:
    usual, seconds = undisturbed
    begun = time.monotonic()

    assert house.tell_again() == usual
    assert time.monotonic() - begun < seconds


@pytest.mark.parametrize("part", FAULTS)
def test_the_day_ends_the_same_when_one_part_dies_in_it(
    part: str, house: Theatre, undisturbed: tuple[Outcome, float]
) -> None:
    usual, seconds = undisturbed
    after = seconds * random.Random(part).uniform(BUSY_FROM, BUSY_UNTIL)  # noqa: S311

    assert disturbed(house, part, after) == usual


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("part", FAULTS)
def test_the_day_ends_the_same_at_any_moment(
    part: str, moment: int, house: Theatre, undisturbed: tuple[Outcome, float]
) -> None:
    usual, seconds = undisturbed
    after = seconds * (moment + random.Random(f"{part}-{moment}").random()) / MOMENTS  # noqa: S311

    assert disturbed(house, part, after) == usual
