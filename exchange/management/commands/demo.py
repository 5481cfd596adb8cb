import sys
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from exchange.foundation.market_time import is_play
from exchange.foundation.ports import free_port
from exchange.management.demo import platform, play, proofs, report
from exchange.management.demo.parties import buyers_key
from exchange.management.demo.progress import say, step
from exchange.management.demo.stage import Stage, log_folder

HISTORY_DAYS = 15
LIVE_SECONDS = 20.0


class Command(BaseCommand):
    help = "Play one trading day, from the catalogue to the last settlement run, and audit it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end after the day")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--jobs", type=int, default=platform.USUAL.jobs, help="so many of the day's 2,072 jobs"
        )
        parser.add_argument("--providers", type=int, default=platform.USUAL.providers)
        parser.add_argument(
            "--history",
            type=int,
            default=HISTORY_DAYS,
            help="days of smaller auctions before the day; 0: the day is played alone",
        )
        parser.add_argument("--buyers", type=int, default=platform.USUAL.buyers)

    def handle(self, *args: Any, **options: Any) -> None:
        """End with status 0 only if every audit holds; without --once the portal stays open."""
        call_command("migrate", interactive=False, verbosity=0)
        _refuse_real_market()
        say("One trading day on the compute exchange")
        size = platform.Size(
            providers=options["providers"], buyers=options["buyers"], jobs=options["jobs"]
        )
        with Stage(port=free_port(options["port"]), logs=log_folder()) as stage:
            scene = play.set_the_scene(size, stage, history=options["history"])
            drafts = play.trade(scene, stage)
            play.deliver(scene, stage)
            holds = _show(scene, drafts)
            if options["once"]:
                sys.exit(0 if holds else 1)
            with step("the next auction opens, with the providers' offers for its day"):
                play.go_on(scene, stage)
            _stay(scene, stage.port)


def _refuse_real_market() -> None:
    if not is_play() and Organization.objects.exists():
        raise CommandError(
            "this database holds a real market; the demo sets the market's clock and plays only "
            "in an empty database or in its own"
        )


def _show(scene: play.Scene, drafts: list[Any]) -> bool:
    auction = scene.auction
    report.show_book(drafts)
    report.show_limits(auction)
    report.show_prices(auction)
    report.show_use(auction)
    with step("each region cleared alone, for comparison"):
        alone = proofs.isolated_welfare_micros(auction)
    report.show_gain(auction, alone)
    told = proofs.show_statement()
    certified = proofs.certificate_holds(auction)
    kept = proofs.books_hold()
    holds = told and certified and kept
    say("\nEverything holds." if holds else "\nNOT everything holds.")
    return holds


def _stay(scene: play.Scene, port: int) -> None:
    say(f"\nThe portal: http://127.0.0.1:{port}/  (Ctrl-C ends)")
    for role, email in platform.LOGINS.items():
        say(f"  {role:<9} {email}  {platform.PASSWORD}")
    say("\nA key of the buyer, for the first bid that README shows:")
    say(f"  export KEY={buyers_key(scene.cast.people.buyers[0])}")
    try:
        while True:
            time.sleep(LIVE_SECONDS)
            if scene.month is not None:
                scene.month.keep_up()
    except KeyboardInterrupt:
        say()
