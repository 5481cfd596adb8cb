"""manage.py verify_auction: check an auction's archive, and the database against it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchange.models import ClearingResult
from exchange.queries.certificates import certificate_of
from exchange.queries.verification import problems_of


class Command(BaseCommand):
    help = "Re-check a cleared auction from its archive, and compare the database with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("auction", metavar="AUCTION_ID")

    def handle(self, *args: Any, **options: Any) -> None:
        results = ClearingResult.objects.select_related("auction")
        result = results.filter(auction__public_id=options["auction"]).first()
        if result is None:
            raise CommandError(f"there is no cleared auction {options['auction']}")
        problems = problems_of(result)
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} problems; first: {problems[0]}")
        found = certificate_of(result)
        self.stdout.write(
            f"{found['auction']}: everything holds. Welfare {found['welfare']} "
            f"{found['currency']}, proved within {found['gap']} of the best possible."
        )
