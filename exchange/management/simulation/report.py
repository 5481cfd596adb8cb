"""The report of a simulation: what was assumed, what came of it, what may be claimed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from exchange.management.simulation.markets import COUPLED, MARKETS
from exchange.management.simulation.runs import Run
from exchange.management.simulation.summary import FIGURES, means, ratios
from exchange.management.simulation.valuations import RULES

FILE = "report.md"
_LARGE = 1_000


def write_report(
    folder: Path, runs: Sequence[Run], *, assumed: Sequence[str], plots: Sequence[Path]
) -> None:
    """Write the report of what was run until now."""
    lines = [
        "# National days",
        "",
        *_what_ran(runs),
        "",
        *_table(runs),
        "",
        *_claims(runs),
        "",
        *_regions(runs),
        "",
        *(f"![{plot.stem}]({plot.name})" for plot in plots),
        "",
        "## Assumed",
        "",
        *(f"- {sentence}" for sentence in assumed),
        "",
    ]
    (folder / FILE).write_text("\n".join(lines), encoding="utf-8")


def _what_ran(runs: Sequence[Run]) -> Iterator[str]:
    days = {(run.rule, run.seed, run.day) for run in runs}
    yield (
        f"{len(days)} books ({', '.join(_rules(runs))}; "
        f"seeds {_listed({run.seed for run in runs})}; days {_listed({run.day for run in runs})}), "
        f"each of {_span([run.bids for run in runs])} bids, of these "
        f"{_span([run.blocks for run in runs])} blocks."
    )
    coupled = [run.outcome for run in runs if run.outcome.market == COUPLED]
    if coupled:
        gaps = [one.gap for one in coupled if one.gap is not None]
        yield (
            f"Coupled clearings took {_span([round(one.seconds) for one in coupled])} s, "
            f"proved gap at most {max(gaps):.3f}; "
            f"{sum(not one.complete for one in coupled)} of {len(coupled)} were cut short."
        )


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _rules(runs: Sequence[Run]) -> list[str]:
    return [rule for rule in RULES if any(run.rule == rule for run in runs)]


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _table(runs: Sequence[Run]) -> Iterator[str]:
    """Means over days and seeds: a row for each figure, a column for each rule and market."""
    rules = _rules(runs)
    heads = [f"{rule}, {market}" for rule in rules for market in MARKETS]
    yield "| mean of days and seeds | " + " | ".join(heads) + " |"
    yield "|" + " --- |" * (len(heads) + 1)
    for name, figure in FIGURES.items():
        found = means(runs, figure)
        cells = [_number(found.get((rule, market))) for rule in rules for market in MARKETS]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3f}"


def _claims(runs: Sequence[Run]) -> Iterator[str]:
    yield "| coupled over | figure | least of all runs | greatest | may be claimed |"
    yield "| --- | --- | --- | --- | --- |"
    for ratio in ratios(runs):
        verdict = "yes" if ratio.may_be_claimed else "no"
        yield (
            f"| {ratio.other} | {ratio.figure} | {ratio.least:.3f} | {ratio.greatest:.3f} "
            f"| {verdict} |"
        )


def _regions(runs: Sequence[Run]) -> Iterator[str]:
    """Use and price by region, coupled beside alone: means over all rules, days and seeds."""
    priced = [by for run in runs for by in run.outcome.measures.prices.values()]
    chips = sorted({chip for by in priced for chip in by})
    heads = [f"use, {market}" for market in MARKETS] + [f"{chip}, coupled" for chip in chips]
    yield "| region | " + " | ".join(heads) + " |"
    yield "|" + " --- |" * (len(heads) + 1)
    for region in sorted({name for run in runs for name in run.outcome.measures.use}):
        cells = [_mean(_uses(runs, market, region)) for market in MARKETS]
        cells += [_mean(_priced(runs, region, chip)) for chip in chips]
        yield f"| {region} | " + " | ".join(cells) + " |"


def _uses(runs: Sequence[Run], market: str, region: str) -> list[float]:
    return [
        run.outcome.measures.use[region]
        for run in runs
        if run.outcome.market == market and region in run.outcome.measures.use
    ]


def _priced(runs: Sequence[Run], region: str, chip: str) -> list[float]:
    found = [run.outcome.measures.prices for run in runs if run.outcome.market == COUPLED]
    return [prices[region][chip] for prices in found if chip in prices.get(region, {})]


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else ""
