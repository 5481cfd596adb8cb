import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from exchange.foundation.market_time import market_now
from settlement.management.conducts import Conducts, share
from settlement.management.devices import Conduct
from settlement.management.fleet import equip, fresh_keys
from settlement.management.sending import Send, straight, through_door
from settlement.management.simulation import Event, Line, batched, in_order, lines_of
from settlement.models import Contract, Party

TICK_SECONDS = 1.0


class Command(BaseCommand):
    """Reports as real devices would. The same seed reports the same, at any speed."""

    help = "Let simulated meters report for the contracts of an auction or a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--auction", help="contracts of this auction (auc_...)")
        parser.add_argument("--day", help="contracts that deliver on this day, such as 2026-12-01")
        parser.add_argument("--until", type=datetime.fromisoformat, help="default: now")
        parser.add_argument(
            "--speed",
            type=float,
            help="seconds of the meters' time in one of ours: 1 as it happens; default: at once",
        )
        parser.add_argument("--every-minutes", type=int, default=5, help="between readings")
        _add_network(parser)
        _add_devices(parser)
        parser.add_argument("--buyers", action="store_true", help="buyers' meters report as well")
        parser.add_argument("--seed", type=int, default=1)
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--url", help="report through the REST door here")
        way.add_argument("--direct", action="store_true", help="report straight to the service")

    def handle(self, *args: Any, **options: Any) -> None:
        contracts = list(contracts_of(options["auction"], options["day"]))
        conducts = Conducts(
            contracts, _usual(options), shortfalls=options["shortfall"], lies=options["lie"]
        )
        lines = [
            line
            for party in ((Party.PROVIDER, Party.BUYER) if options["buyers"] else (Party.PROVIDER,))
            for line in _lines(contracts, conducts, party, options["seed"])
        ]
        send = _sender(options["url"], [line.watched.meter for line in lines])
        answers: Counter[str] = Counter()
        for now in _moments(lines, options["until"], options["speed"]):
            for meter, events in _batches(lines, now):
                answers += send(meter, events)
        self.stdout.write(f"{len(contracts)} contracts; {sum(answers.values())} events sent")
        for word, count in sorted(answers.items()):
            self.stdout.write(f"{count:>9} {word}")


def contracts_of(auction: str | None, day: str | None) -> QuerySet[Contract]:
    """Return the contracts of an auction, or those that deliver on a day of the market."""
    contracts = Contract.objects.select_related("provider", "buyer").order_by("pk")
    if auction:
        return contracts.filter(auction_id=auction)
    if day is None:
        raise CommandError("name an --auction or a --day")
    starts_at = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(settings.MARKET_TIME_ZONE))
    return contracts.filter(starts_at__lt=starts_at + timedelta(days=1), ends_at__gt=starts_at)


def _add_network(parser: ArgumentParser) -> None:
    parser.add_argument("--loss", type=share, default=0, help="share of readings lost: 0.2")
    parser.add_argument(
        "--late-hours", type=float, default=0, help="how late come those that agents keep"
    )
    parser.add_argument("--repeat", type=share, default=0, help="share sent twice")
    parser.add_argument(
        "--conflict", type=share, default=0, help="share sent again with other content"
    )
    parser.add_argument("--reorder", action="store_true", help="readings arrive shuffled")
    parser.add_argument(
        "--skew-ms", type=int, default=0, help="how far meters' clocks are off at most"
    )


def _add_devices(parser: ArgumentParser) -> None:
    parser.add_argument("--reboot", type=share, default=0, help="reboots per reading")
    parser.add_argument(
        "--shortfall",
        action="append",
        default=[],
        metavar="PROVIDER=SHARE",
        help="a provider (org_...) that does not deliver this share of the time; repeatable",
    )
    parser.add_argument(
        "--lie",
        action="append",
        default=[],
        metavar="ORGANIZATION=SHARE",
        help="whose meters say more by this share than was delivered, or less (-0.3); repeatable",
    )


def _usual(options: dict[str, Any]) -> Conduct:
    return Conduct(
        every=timedelta(minutes=options["every_minutes"]),
        loss_ppm=options["loss"],
        late=timedelta(hours=options["late_hours"]),
        repeat_ppm=options["repeat"],
        conflict_ppm=options["conflict"],
        reorder=options["reorder"],
        reboot_ppm=options["reboot"],
        skew_max=timedelta(milliseconds=options["skew_ms"]),
    )


def _lines(
    contracts: list[Contract], conducts: Conducts, party: Party, seed: int
) -> Iterator[Line]:
    fleet = equip(contracts, now=market_now(), party=party)
    return lines_of(
        ((watched, conducts.of(watched.contract, party)) for watched in fleet), seed=seed
    )


def _moments(lines: list[Line], until: datetime | None, speed: float | None) -> Iterator[datetime]:
    """Yield up to when to report: at once, or moment by moment as the meters' time passes."""
    end = until or market_now()
    if speed and lines:
        begun, at = time.monotonic(), min(line.watched.starts_at for line in lines)
        while (now := at + timedelta(seconds=speed * (time.monotonic() - begun))) < end:
            yield now
            time.sleep(TICK_SECONDS)
    yield end


def _batches(lines: list[Line], now: datetime) -> Iterator[tuple[str, list[Event]]]:
    """Yield what arrives by now, each meter's events in batches of their own."""
    arrived: dict[str, list[Event]] = {}
    for line in lines:
        arrived.setdefault(line.watched.meter, []).extend(in_order(line.arrived(now)))
    for meter, events in arrived.items():
        for batch in batched(events):
            yield meter, batch


def _sender(url: str | None, meters: list[str]) -> Send:
    return through_door(url, fresh_keys(meters)) if url else straight
