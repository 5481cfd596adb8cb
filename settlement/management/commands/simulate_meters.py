from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from exchange.foundation.market_time import market_now
from settlement.management.fleet import equip, fresh_keys
from settlement.management.sending import Send, straight, through_door
from settlement.management.simulation import PPM, Conduct, batches_of
from settlement.models import Contract, Party


class Command(BaseCommand):
    """Reports as real devices would, up to the market's present moment."""

    help = "Let simulated meters report for the contracts of an auction or a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--auction", help="contracts of this auction (auc_...)")
        parser.add_argument("--day", help="contracts that deliver on this day, such as 2026-12-01")
        parser.add_argument("--until", type=datetime.fromisoformat, help="default: now")
        parser.add_argument("--every-minutes", type=int, default=5, help="between readings")
        parser.add_argument("--loss", type=share, default=0, help="share of readings lost: 0.2")
        parser.add_argument("--repeat", type=share, default=0, help="share sent twice")
        parser.add_argument("--reboot", type=share, default=0, help="reboots per reading")
        parser.add_argument("--reorder", action="store_true", help="readings arrive shuffled")
        parser.add_argument(
            "--shortfall",
            action="append",
            default=[],
            metavar="PROVIDER=SHARE",
            help="a provider (org_...) that does not deliver this share of the time; repeatable",
        )
        parser.add_argument("--buyers", action="store_true", help="buyers' meters report as well")
        parser.add_argument("--seed", type=int, default=1)
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--url", help="report through the REST door here")
        way.add_argument("--direct", action="store_true", help="report straight to the service")

    def handle(self, *args: Any, **options: Any) -> None:
        now = market_now()
        contracts = list(contracts_of(options["auction"], options["day"]))
        usual = Conduct(
            every=timedelta(minutes=options["every_minutes"]),
            loss_ppm=options["loss"],
            repeat_ppm=options["repeat"],
            reboot_ppm=options["reboot"],
            reorder=options["reorder"],
        )
        answers: Counter[str] = Counter()
        for party in (Party.PROVIDER, Party.BUYER) if options["buyers"] else (Party.PROVIDER,):
            fleet = equip(contracts, now=now, party=party)
            send = _sender(options["url"], [watched.meter for watched in fleet])
            conducts = conducts_of(contracts, usual, options["shortfall"])
            until = options["until"] or now
            for meter, events in batches_of(
                fleet, conducts, until=until, seed=options["seed"], usual=usual
            ):
                answers += send(meter, events)
        self.stdout.write(f"{len(contracts)} contracts; {sum(answers.values())} events sent")
        for word, count in sorted(answers.items()):
            self.stdout.write(f"{count:>9} {word}")


def share(text: str) -> int:
    """Return a share such as 0.2 in ppm."""
    found = Fraction(text) * PPM
    if found.denominator != 1 or not 0 <= found <= PPM:
        raise ValueError(text)
    return int(found)


def contracts_of(auction: str | None, day: str | None) -> QuerySet[Contract]:
    """Return the contracts of an auction, or those that deliver on a day of the market."""
    contracts = Contract.objects.select_related("provider", "buyer").order_by("pk")
    if auction:
        return contracts.filter(auction_id=auction)
    if day is None:
        raise CommandError("name an --auction or a --day")
    starts_at = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(settings.MARKET_TIME_ZONE))
    return contracts.filter(starts_at__lt=starts_at + timedelta(days=1), ends_at__gt=starts_at)


def conducts_of(
    contracts: list[Contract], usual: Conduct, shortfalls: list[str]
) -> dict[str, Conduct]:
    """Return the conduct of the contracts of providers that fall short."""
    short = dict(each.split("=", 1) for each in shortfalls)
    return {
        contract.public_id: Conduct(
            every=usual.every,
            loss_ppm=usual.loss_ppm,
            repeat_ppm=usual.repeat_ppm,
            reboot_ppm=usual.reboot_ppm,
            reorder=usual.reorder,
            shortfall_ppm=share(short[contract.provider.public_id]),
        )
        for contract in contracts
        if contract.provider.public_id in short
    }


def _sender(url: str | None, meters: list[str]) -> Send:
    return through_door(url, fresh_keys(meters)) if url else straight
