"""What was run, one line of JSON each: a simulation that was ended goes on where it was."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from exchange.management.simulation.markets import Outcome
from exchange.management.simulation.measures import Measures

FILE = "runs.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One market on one day under one rule; ``bids`` and ``blocks`` count its book."""

    rule: str
    seed: int
    day: int
    bids: int
    blocks: int
    outcome: Outcome

    def of(self, rule: str, seed: int, day: int) -> bool:
        """Return whether the run is of this book."""
        return (self.rule, self.seed, self.day) == (rule, seed, day)


def append_run(folder: Path, run: Run) -> None:
    """Add a run to the folder's file."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(run)) + "\n")


def read_runs(folder: Path) -> Iterator[Run]:
    """Yield the runs of a folder, if there are any."""
    path = folder / FILE
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        outcome = row.pop("outcome")
        measures = Measures(**outcome.pop("measures"))
        yield Run(**row, outcome=Outcome(**outcome, measures=measures))
