"""Two small plots of a simulation. matplotlib is not needed for anything else.

``pip install --group plots`` brings it; without it the report has no plots and says so.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import Any

from exchange.management.simulation.markets import MARKETS
from exchange.management.simulation.runs import Run
from exchange.management.simulation.summary import FIGURES, means
from exchange.management.simulation.valuations import RULES

_COLOURS = {"coupled": "#1f6f8b", "alone": "#c9863a", "posted": "#8a8f98"}
_WORDS = {"coupled": "coupled", "alone": "each region alone", "posted": "posted prices"}
_DPI = 110


class PlotsNotInstalled(Exception):
    """matplotlib is not there."""


def draw_plots(folder: Path, runs: Sequence[Run]) -> list[Path]:
    """Draw the plots into the folder and return their files. Raises PlotsNotInstalled."""
    try:
        import_module("matplotlib").use("Agg")
        pyplot = import_module("matplotlib.pyplot")
    except ImportError as missing:
        raise PlotsNotInstalled(f"pip install --group plots ({missing})") from missing
    return [_draw_value(pyplot, folder, runs), _draw_use(pyplot, folder, runs)]


def _draw_value(pyplot: Any, folder: Path, runs: Sequence[Run]) -> Path:
    """The share of the jobs' value that each market serves, by rule."""
    found = means(runs, FIGURES["value served"])
    rules = [rule for rule in RULES if any(run.rule == rule for run in runs)]
    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    for number, market in enumerate(MARKETS):
        places = [place + 0.27 * (number - 1) for place in range(len(rules))]
        heights = [found.get((rule, market), 0.0) for rule in rules]
        bars = axes.bar(places, heights, 0.25, color=_COLOURS[market], label=_WORDS[market])
        axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.set_xticks(range(len(rules)), rules)
    axes.set_ylabel("value served, share")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, ncols=3)
    return _save(pyplot, figure, axes, folder / "value-served.png")


def _draw_use(pyplot: Any, folder: Path, runs: Sequence[Run]) -> Path:
    """How much of each region's capacity is used, in each market; means of all runs."""
    regions = sorted({name for run in runs for name in run.outcome.measures.use})
    use = {market: [_mean_use(runs, market, region) for region in regions] for market in MARKETS}
    order = sorted(range(len(regions)), key=lambda row: -use["alone"][row])
    figure, axes = pyplot.subplots(figsize=(8.0, 3.4), layout="constrained")
    for market in MARKETS:
        heights = [use[market][row] for row in order]
        axes.plot(heights, "o-", markersize=3, color=_COLOURS[market], label=_WORDS[market])
    axes.set_xticks(range(len(regions)), [regions[row] for row in order], rotation=90, fontsize=7)
    axes.set_ylabel("capacity used, share")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, ncols=3)
    return _save(pyplot, figure, axes, folder / "use-by-region.png")


def _mean_use(runs: Sequence[Run], market: str, region: str) -> float:
    found = [
        run.outcome.measures.use[region]
        for run in runs
        if run.outcome.market == market and region in run.outcome.measures.use
    ]
    return fmean(found) if found else 0.0


def _save(pyplot: Any, figure: Any, axes: Any, path: Path) -> Path:
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=_DPI)
    pyplot.close(figure)
    return path
