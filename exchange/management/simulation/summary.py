"""What holds: each market's means under each rule, and ratios over every single run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from exchange.management.simulation.markets import ALONE, COUPLED, MARKETS, POSTED
from exchange.management.simulation.measures import Measures
from exchange.management.simulation.runs import Run
from exchange.management.simulation.valuations import RULES

Figure = Callable[[Measures], float]
FIGURES: Final[dict[str, Figure]] = {
    "welfare": lambda found: found.welfare,
    "unit-hours served": lambda found: found.served,
    "value served": lambda found: found.value_served,
    "bids served": lambda found: found.jobs_served,
    "blocks served": lambda found: found.blocks_served,
    "run elsewhere": lambda found: found.moved,
    "kWh per PFLOPS-hour": lambda found: found.energy_kwh / max(found.pflops_hours, 1e-9),
    "domestic share": lambda found: found.domestic_share,
    "spread of use": lambda found: _spread(found.use),
    "rents": lambda found: sum(found.rents.values()),
}
CLAIMABLE: Final = ("welfare", "unit-hours served", "value served", "bids served", "blocks served")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Coupled over another market, by rule the least and the greatest of all days and seeds."""

    figure: str
    other: str
    by_rule: dict[str, tuple[float, float]]

    @property
    def least(self) -> float:
        """The least of all runs under all rules."""
        return min(low for low, _ in self.by_rule.values())

    @property
    def greatest(self) -> float:
        """The greatest of all runs under all rules."""
        return max(high for _, high in self.by_rule.values())

    @property
    def may_be_claimed(self) -> bool:
        """Whether coupling is better in every run, and every rule was run."""
        return set(self.by_rule) == set(RULES) and self.least > 1.0


def means(runs: Sequence[Run], figure: Figure) -> dict[tuple[str, str], float]:
    """Return the mean of a figure over days and seeds, by rule and market."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        key = run.rule, run.outcome.market
        found.setdefault(key, []).append(figure(run.outcome.measures))
    return {key: fmean(values) for key, values in found.items()}


def ratios(runs: Sequence[Run]) -> Iterator[Ratio]:
    """Yield what may be claimed and what may not: only days that all markets have run count."""
    whole = list(_whole_days(runs))
    for name in CLAIMABLE:
        for other in (ALONE, POSTED):
            by_rule: dict[str, tuple[float, float]] = {}
            for rule, day in whole:
                mine, theirs = (FIGURES[name](day[one]) for one in (COUPLED, other))
                if not theirs:
                    continue
                ratio = mine / theirs
                low, high = by_rule.get(rule, (ratio, ratio))
                by_rule[rule] = min(low, ratio), max(high, ratio)
            if by_rule:
                yield Ratio(name, other, by_rule)


def _whole_days(runs: Sequence[Run]) -> Iterator[tuple[str, dict[str, Measures]]]:
    days: dict[tuple[str, int, int], dict[str, Measures]] = {}
    for run in runs:
        key = run.rule, run.seed, run.day
        days.setdefault(key, {})[run.outcome.market] = run.outcome.measures
    for (rule, _, _), day in days.items():
        if set(day) == set(MARKETS):
            yield rule, day


def _spread(use: dict[str, float]) -> float:
    """The greatest use of a region less the least."""
    return max(use.values()) - min(use.values()) if use else 0.0
