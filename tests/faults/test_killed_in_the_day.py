"""Whatever is killed in the middle of the day, the day ends as if nothing had been.

The suite plays one whole day with real processes; ``make faults`` kills its parts in sixty-three.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.theatre import Outcome, Theatre, theatre

MOMENTS = 20
FAULTS: dict[str, Callable[[Theatre], None]] = {
    "worker": lambda house: house.kill("worker"),
    "beat": lambda house: house.kill("beat"),
    "servers": lambda house: house.restart_servers(),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, float]:
    """What the day comes to when nothing goes wrong, and how long it takes.

    A day that is over is only told again, to the same end.
    """
    with theatre(tmp_path_factory.mktemp("undisturbed")) as house:
        begun = time.monotonic()
        outcome, seconds = house.run(), time.monotonic() - begun
        assert house.run() == outcome
        return outcome, seconds


def disturbed(folder: Path, part: str, after: float) -> Outcome:
    def fault(house: Theatre) -> None:
        time.sleep(after)
        FAULTS[part](house)

    with theatre(folder) as house:
        return house.run(fault)


def test_a_whole_day_is_played_to_balanced_books(undisturbed: tuple[Outcome, float]) -> None:
    outcome, _ = undisturbed

    assert outcome.prices
    assert outcome.fills
    assert sum(amount for _, _, amount in outcome.balances) == 0


@pytest.mark.slow
@pytest.mark.parametrize("part", FAULTS)
def test_the_day_ends_the_same_when_one_part_dies_in_it(
    part: str, undisturbed: tuple[Outcome, float], tmp_path: Path
) -> None:
    usual, seconds = undisturbed
    after = seconds * random.Random(part).uniform(0.3, 0.9)  # noqa: S311

    assert usual.fills
    assert disturbed(tmp_path, part, after) == usual


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("part", FAULTS)
def test_the_day_ends_the_same_at_any_moment(
    part: str, moment: int, undisturbed: tuple[Outcome, float], tmp_path: Path
) -> None:
    usual, seconds = undisturbed
    after = seconds * (moment + random.Random(f"{part}-{moment}").random()) / MOMENTS  # noqa: S311

    assert disturbed(tmp_path, part, after) == usual
