"""Whatever is killed while the books are written: nothing is lost, nothing is there twice.

Web, worker or database go at random, seeded moments of weeks in which meters report, money
comes in, runs are made and statements are finalized, all of it small and all the time. What is
killed is started again as the house does it (the database by hand), and in the end everything is as
it must be, and the audit finds nothing.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import season
from tests.faults.theatre import Day, Play, Theatre, theatre

PARTS = ("web", "worker", "database")
SHORT, LONG = (4, 4), (20, 25)  # days of delivery, and kills at most in them
KILLS = 200
APART_SECONDS = (0.2, 4.0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("theatre")) as house:
        yield house


class Killer:
    """Kills parts of a play until it has killed enough or the play is over."""

    def __init__(self, house: Theatre, *, seed: int, most: int) -> None:
        self._house = house
        self._dice = random.Random(seed)  # noqa: S311
        self._most = most
        self.killed: Counter[str] = Counter()

    def __call__(self, day: Day) -> None:
        for part in self._dice.choices(PARTS, k=self._most):
            time.sleep(self._dice.uniform(*APART_SECONDS))
            if not day.goes_on():
                return
            self._kill(part, day)
            self.killed[part] += 1

    def _kill(self, part: str, day: Day) -> None:
        if part == "database":
            self._house.kill_database()
            self._house.start_servers()
        else:
            day.kill(part)


def season_of(house: Theatre, days: int) -> Play:
    """Return a season of so many days of delivery, its scene set when it is first asked for."""
    scene = f"season_{days}"
    if not (house.folder / scene).exists():
        house.set_the_scene(scene, season.words("prepare", days))
        (house.folder / scene).touch()
    return Play(season.words("play"), scene, attempts=1)  # it outlives every kill itself


def test_a_season_with_kills_in_it_ends_as_it_must(house: Theatre) -> None:
    days, most = SHORT
    killer = Killer(house, seed=1, most=most)

    house.perform(season_of(house, days), killer)

    assert killer.killed.total()


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_and_repeat_nothing(house: Theatre) -> None:
    days, most = LONG
    killed: Counter[str] = Counter()
    seed = 0
    while killed.total() < KILLS:
        seed += 1
        killer = Killer(house, seed=seed, most=min(most, KILLS - killed.total()))
        house.perform(season_of(house, days), killer)
        killed += killer.killed
        _note(house.folder, f"season {seed}: {dict(killer.killed)}; {killed.total()} in all")
    assert set(killed) == set(PARTS)


def _note(folder: Path, line: str) -> None:
    with (folder / "kills.log").open("a") as log:
        log.write(f"{line}\n")
