"""Loads the table of the grid's CO2 by region and year."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.services.grid_factors import OUR_FACTORS, FactorsRefused, load_factors


class Command(BaseCommand):
    """Adds what the file says anew; may be run again at any time."""

    help = "Load kg CO2 per kWh by region and year, each row with its source."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a file other than our own."""
        parser.add_argument("file", nargs="?", type=Path, default=OUR_FACTORS)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Load the file, or say what is wrong with it."""
        try:
            added = load_factors(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, FactorsRefused) as wrong:
            raise CommandError(f"{file}: {wrong}") from wrong
        self.stdout.write(f"{added} factors were added")
