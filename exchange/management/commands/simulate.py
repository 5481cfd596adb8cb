"""National days through three markets, and a report of what holds under every rule of valuation."""

import argparse
import itertools
from argparse import ArgumentTypeError
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.engine.book import BidKind, Book
from exchange.management.demo.platform import SAMPLE, SAMPLE_DAY
from exchange.management.simulation.assumptions import ADEQUACY, explanations
from exchange.management.simulation.markets import MARKETS, ClearingFailed, run_markets
from exchange.management.simulation.nation import Nation, draw_book
from exchange.management.simulation.plots import PlotsNotInstalled, draw_plots
from exchange.management.simulation.provinces import PROVINCES
from exchange.management.simulation.report import FILE, write_report
from exchange.management.simulation.runs import Run, append_run, read_runs
from exchange.management.simulation.valuations import RULES
from exchange.management.traces.sources import read_jobs, read_prices
from exchange.management.traces.table import TraceRefused
from exchange.services.catalog_tables import TABLES_DIR, read_tables


class Command(BaseCommand):
    """No database is asked. The report is written anew after every book, so it may be ended."""

    help = (
        "Clear national days coupled, each region alone, and first come first served at posted "
        "prices, under three rules of valuation; write runs, report and plots."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the folder, the size, the trace and the limits."""
        parser.add_argument("report", type=Path, metavar="REPORT_DIR")
        parser.add_argument("--days", type=_count, default=1, help="for each rule and seed")
        parser.add_argument("--regions", type=_count, default=len(PROVINCES))
        parser.add_argument("--sites", type=_count, default=2_000)
        parser.add_argument("--jobs", type=_count, default=2_000, help="bids a day")
        parser.add_argument("--seeds", type=_count, default=3, help="how many: 1, 2, ...")
        parser.add_argument(
            "--seconds", type=float, default=120.0, help="of each clearing's search"
        )
        parser.add_argument("--adequacy", type=float, default=ADEQUACY, help="offered of wanted")
        parser.add_argument("--min-domestic-share", type=Decimal)
        parser.add_argument("--trace", type=Path, default=SAMPLE / "jobs.csv", help="Philly jobs")
        parser.add_argument(
            "--day",
            type=date.fromisoformat,
            action="append",
            help="of the trace; repeat it, and the days take turns; the demo's day, if not given",
        )
        parser.add_argument(
            "--plots",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="PNG by matplotlib, if it is there",
        )

    def handle(self, **options: Any) -> None:
        """Run what the folder does not have yet; print each book, write the report after it."""
        folder: Path = options["report"]
        folder.mkdir(parents=True, exist_ok=True)
        assumed = list(explanations(options["sites"], options["jobs"], options["adequacy"]))
        for sentence in assumed:
            self.stdout.write(f"assumed: {sentence}")
        try:
            nation = _nation(options)
        except TraceRefused as refused:
            raise CommandError(str(refused)) from refused
        runs = list(read_runs(folder))
        # A seed's first day under every rule comes first, so that an early end is still a report.
        for seed, day, rule in itertools.product(
            range(1, options["seeds"] + 1), range(options["days"]), RULES
        ):
            missing = set(MARKETS) - {run.outcome.market for run in runs if run.of(rule, seed, day)}
            if missing:
                self._run_book(
                    nation, runs, folder, about=(rule, seed, day), seconds=options["seconds"]
                )
                self._report(folder, runs, assumed=assumed, plots=options["plots"])
        self._report(folder, runs, assumed=assumed, plots=options["plots"])
        self.stdout.write(f"{folder / FILE}")

    def _run_book(
        self,
        nation: Nation,
        runs: list[Run],
        folder: Path,
        *,
        about: tuple[str, int, int],
        seconds: float,
    ) -> None:
        rule, seed, day = about
        book = draw_book(nation, day=day, seed=seed, rule=rule, start=_midnight(nation))
        self._say(f"{rule}, seed {seed}, day {day}: {_size(book)}")
        done = {run.outcome.market for run in runs if run.of(*about)}
        try:
            for outcome in run_markets(book, seconds=seconds, but=done):
                run = Run(
                    rule=rule,
                    seed=seed,
                    day=day,
                    bids=len(book.bids.names),
                    blocks=int((book.bids.kind == BidKind.BLOCK).sum()),
                    outcome=outcome,
                )
                append_run(folder, run)
                runs.append(run)
                found = outcome.measures
                self._say(
                    f"  {outcome.market}: {outcome.seconds:.1f} s, welfare {found.welfare:,.0f}, "
                    f"served {found.served:.3f}, value {found.value_served:.3f}, "
                    f"gap {'' if outcome.gap is None else f'{outcome.gap:.4f}'}"
                )
        except ClearingFailed as failure:
            self._say(f"  failed its audit, the day does not count: {failure}")

    def _report(self, folder: Path, runs: list[Run], *, assumed: list[str], plots: bool) -> None:
        drawn: list[Path] = []
        if plots:
            try:
                drawn = draw_plots(folder, runs)
            except PlotsNotInstalled as missing:
                self._say(f"no plots: {missing}")
        write_report(folder, runs, assumed=assumed, plots=drawn)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _nation(options: dict[str, Any]) -> Nation:
    days: list[date] = options["day"] or [SAMPLE_DAY]
    tables = read_tables(TABLES_DIR)
    return Nation(
        provinces=PROVINCES[: options["regions"]],
        chips={str(row["code"]): row for row in tables["accelerators.csv"]},
        prices=read_prices(SAMPLE / "prices.csv", currency=settings.MARKET_CURRENCY),
        jobs=[read_jobs(options["trace"], days=frozenset([day])) for day in days],
        sites=options["sites"],
        jobs_a_day=options["jobs"],
        min_domestic_share=options["min_domestic_share"],
        adequacy=options["adequacy"],
        first_day=days[0],
    )


def _midnight(nation: Nation) -> datetime:
    return datetime.combine(nation.first_day, time(), ZoneInfo(settings.MARKET_TIME_ZONE))


def _size(book: Book) -> str:
    blocks = int((book.bids.kind == BidKind.BLOCK).sum())
    return (
        f"{len(book.bids.names):,} bids, {blocks:,} blocks, {len(book.offers.names):,} offers at "
        f"{len(book.sites.names):,} sites"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError("a whole number above 0")
    return int(text)
