from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.engine.files import write_book
from exchange.foundation.money import MICROS
from exchange.management.traces.assumptions import EXPLANATIONS
from exchange.management.traces.book import Facts, Limits, build_book
from exchange.management.traces.demand import draft_demand
from exchange.management.traces.sources import read_jobs, read_nodes, read_prices
from exchange.management.traces.supply import draft_supply
from exchange.management.traces.table import TraceRefused
from exchange.services.catalog_tables import TABLES_DIR, read_tables


class Command(BaseCommand):
    """The traces in their publishers' own files; no database is asked."""

    help = "Turn public traces (jobs, GPU nodes, prices) into an order book of offers and bids."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("book", type=Path, metavar="BOOK_DIR")
        parser.add_argument("--jobs", type=Path, required=True, help="Philly jobs, .csv or .csv.gz")
        parser.add_argument("--nodes", type=Path, required=True, help="Alibaba GPU node list")
        parser.add_argument("--prices", type=Path, required=True, help="list and spot prices")
        parser.add_argument(
            "--day",
            type=date.fromisoformat,
            action="append",
            required=True,
            help="a day of the jobs; repeat it to lay several over one another",
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--supply", type=float, default=0.25, help="share of the nodes")
        parser.add_argument("--groups", action="store_true", help="elastic, choosy, green bids too")
        parser.add_argument("--link-gbps", type=Decimal, help="of every backbone link")
        parser.add_argument("--power", type=Decimal, help="share of each region's potential")
        parser.add_argument("--min-domestic-share", type=Decimal)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is assumed and what came of it; refuse a malformed file by its place."""
        for sentence in EXPLANATIONS:
            self.stdout.write(f"assumed: {sentence}")
        try:
            self._import(options)
        except TraceRefused as refused:
            raise CommandError(str(refused)) from refused

    def _import(self, options: dict[str, Any]) -> None:
        tables = read_tables(TABLES_DIR)
        facts = Facts(
            regions=tables["regions.csv"],
            chips={str(row["code"]): row for row in tables["accelerators.csv"]},
        )
        prices = read_prices(options["prices"], currency=settings.MARKET_CURRENCY)
        tflops = {code: int(row["tflops"] or 0) / MICROS for code, row in facts.chips.items()}
        pue = {str(row["code"]): Decimal(row["pue_max"]) / MICROS for row in facts.regions}
        jobs = read_jobs(options["jobs"], days=frozenset(options["day"]))
        bids = draft_demand(
            jobs, prices=prices, tflops=tflops, seed=options["seed"], groups=options["groups"]
        )
        sites, offers = draft_supply(
            read_nodes(options["nodes"]),
            prices=prices,
            tflops=tflops,
            pue=pue,
            seed=options["seed"],
            share=options["supply"],
        )
        limits = Limits(
            link_gbps=options["link_gbps"],
            power=options["power"],
            min_domestic_share=options["min_domestic_share"],
        )
        first = min(options["day"])
        start = datetime.combine(first, time(), ZoneInfo(settings.MARKET_TIME_ZONE))
        book = build_book(
            f"philly-{first}",
            start,
            facts=facts,
            sites=sites,
            offers=offers,
            bids=bids,
            limits=limits,
        )
        write_book(book, options["book"])
        self.stdout.write(
            f"{len(jobs)} jobs became {len(bids)} bids; {len(offers)} offers at {len(sites)} sites"
        )
