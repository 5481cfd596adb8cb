from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.services.catalog import load_catalog
from exchange.services.catalog_tables import TABLES, TableRefused


class Command(BaseCommand):
    help = "Load regions, links, routes, accelerators and AI models from the project's own tables."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take another folder of tables, for an operator with a catalogue of its own."""
        parser.add_argument("--tables", type=Path, default=TABLES, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load all or nothing; a malformed table is named with its row and column."""
        try:
            loaded = load_catalog(options["tables"])
        except TableRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"{loaded.regions} regions, {loaded.links} links, {loaded.routes} routes, "
            f"{loaded.accelerators} accelerators, {loaded.ai_models} AI models"
        )
