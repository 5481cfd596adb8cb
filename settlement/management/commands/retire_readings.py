"""Take old days' readings out of the table that is read every day."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchange.foundation.market_time import market_now
from settlement.services.partitions import detach_days, old_days

DAYS_MIN = 35  # a reading is looked at until the dispute deadline, and a little longer


class Command(BaseCommand):
    """Detach days that are settled for good; with --drop they are gone."""

    help = "Detach (or with --drop: drop) the readings of days that are old and settled for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how long readings stay, and whether old ones are dropped."""
        parser.add_argument("--days", type=int, default=400, help="how long readings stay")
        parser.add_argument("--drop", action="store_true", help="drop them; else only detach")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each day."""
        if options["days"] < DAYS_MIN:
            raise CommandError(f"readings stay {DAYS_MIN} days at least")
        days = old_days(market_now(), keep_days=options["days"])
        detach_days(days, drop=options["drop"])
        verb = "dropped" if options["drop"] else "detached"
        for day in days:
            self.stdout.write(f"{day} {verb}")
        self.stdout.write(f"{len(days)} days {verb}")
