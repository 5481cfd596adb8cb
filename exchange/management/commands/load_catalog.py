"""manage.py load_catalog: regions, network, accelerators and AI models from our own tables."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchange.services.catalog import load_catalog
from exchange.services.catalog_tables import TABLES_DIR, TablesRefused
from exchange.services.geography import NotConnected


class Command(BaseCommand):
    help = "Load the catalogue; may be run again at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tables", type=Path, default=TABLES_DIR, help="folder of CSV files")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_catalog(options["tables"])
        except (TablesRefused, NotConnected) as refused:
            raise CommandError(str(refused)) from refused
        counts = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in asdict(loaded).items()
        )
        self.stdout.write(f"The catalogue holds {counts}.")
