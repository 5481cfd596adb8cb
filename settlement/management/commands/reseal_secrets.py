"""After a new key was put first in SEALING_KEYS: seal everything with it, then drop the old key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.resealing import reseal_answers, reseal_webhook_secrets
from accounts.services.sealing import SealBroken
from settlement.services.access_notes import reseal_notes

PARTS = {
    "access notes": reseal_notes,
    "webhook endpoints": reseal_webhook_secrets,
    "kept answers": reseal_answers,
}


class Command(BaseCommand):
    """Seal notes, webhook secrets and kept answers with the newest key."""

    help = "Seal access notes, webhook secrets and kept answers with the first of SEALING_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take none."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many of each had an older seal; a repeat finds none."""
        for name, reseal in PARTS.items():
            try:
                count = reseal()
            except SealBroken as broken:
                raise CommandError(f"{name}: {broken}") from broken
            self.stdout.write(f"{name}: {count} sealed anew")
