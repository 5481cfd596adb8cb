"""The trading day of the demo, from the catalogue to the last settlement run.

Every step finds what an earlier run left behind, so a play that was cut off goes on where it was,
and one that is over is only reported and audited again.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import Organization
from exchange.foundation.market_time import mark_as_play, market_now
from exchange.management.demo import delivery, market_setup, parties, trading
from exchange.management.demo.doors import Door
from exchange.management.demo.platform import SAMPLE, Size
from exchange.management.demo.progress import say, step
from exchange.management.demo.stage import Stage, forward_to
from exchange.management.traces.drafts import BidDraft
from exchange.management.traces.sources import Prices, read_prices
from exchange.models import Auction, AuctionState, Site
from exchange.services.auctions import schedule_auctions
from exchange.services.catalog import load_catalog
from settlement.models import RunKind
from settlement.services.grid_factors import OUR_FACTORS, load_factors

BEFORE_GATE = timedelta(hours=2)
MOMENT = timedelta(seconds=1)
LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the steps of a play share."""

    size: Size
    prices: Prices
    people: parties.Parties
    auction: Auction
    day: date


def set_the_scene(size: Size) -> Scene:
    """Load the catalogue, gather the parties, announce the auction, list the offers."""
    mark_as_play()
    with step("the catalogue: regions, links, chips, models"):
        load_catalog()
        load_factors(OUR_FACTORS.read_text(encoding="utf-8"))
    with step(f"{size.providers} providers, {size.buyers} buyers, their people and their money"):
        people = parties.gather(size)
    prices = read_prices(SAMPLE / "prices.csv", currency=settings.MARKET_CURRENCY)
    sites, offers = market_setup.draft_offers(prices, size)
    market_setup.build_sites(sites, offers, people.providers)
    market_setup.set_limits(sites, offers)
    auction = _announce()
    day = auction.starts_at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).date()
    if auction.state in (AuctionState.SCHEDULED, AuctionState.OPEN):
        with step(f"{len(offers)} offers at {len(sites)} sites"):
            owners = {site.code: people.providers[site.provider] for site in sites}
            market_setup.list_offers(offers, owners, day)
    return Scene(size=size, prices=prices, people=people, auction=auction, day=day)


def trade(scene: Scene, stage: Stage) -> list[BidDraft]:
    """Bid over REST, let the gate close, and wait for the worker to publish."""
    auction = scene.auction
    drafts = trading.draft_bids(scene.prices, scene.size)
    if auction.state in (AuctionState.SCHEDULED, AuctionState.OPEN):
        stage.wait_for(lambda: _state(auction) != AuctionState.SCHEDULED, "the book's opening")
        with step(f"{len(drafts)} bids of {scene.size.buyers} buyers over REST"):
            single, bulk = trading.place_bids(
                drafts,
                scene.people.buyers,
                auction=auction,
                day=scene.day,
                door=Door(stage.port),
                size=scene.size,
            )
        say(f"    {single} bids one by one, {bulk} requests in bulk")
    with step("the gate closes, the worker clears, audits and publishes"):
        forward_to(auction.closes_at + MOMENT)
        stage.wait_for(lambda: _state(auction) in _ENDED, "the publication")
    auction.refresh_from_db()
    return drafts


def deliver(scene: Scene, stage: Stage) -> None:
    """Let the day pass: meters report, and each settlement run is played when it is due."""
    auction = scene.auction
    forward_to(auction.ends_at + LATE)
    with step("meters report the day over REST, some readings lost, repeated, shuffled"):
        answers = delivery.report_readings(
            auction, port=stage.port, short=_short_provider(scene).public_id
        )
    if answers:
        say("    " + ", ".join(f"{count} {word}" for word, count in sorted(answers.items())))
    for run, due in _runs(auction):
        with step(f"the day is settled: {run.label}"):
            forward_to(auction.ends_at + due + MOMENT)
            stage.wait_for(
                lambda run=run: delivery.settled_up_to(auction, run),  # type: ignore[misc]
                f"the {run.label} run",
            )


def _runs(auction: Auction) -> list[tuple[RunKind, timedelta]]:
    delays = [timedelta(minutes=minutes) for minutes in auction.run_delays_minutes]
    delays.append(timedelta(days=auction.dispute_days))
    return list(zip(RunKind, delays, strict=True))


def _short_provider(scene: Scene) -> Organization:
    """Return the provider that sold most, so that its shortfall is seen."""
    sold = (
        Site.objects.filter(bid_fills__auction=scene.auction)
        .values_list("provider_id", flat=True)
        .order_by("provider_id")
    )
    first = sold.first()
    owners = {organization.pk: organization for organization in scene.people.providers}
    return owners[first] if first in owners else scene.people.providers[0]


def _announce() -> Auction:
    """Return the auction of the play; the first time, set the clock two hours before its gate."""
    series = market_setup.ensure_series()
    found = series.auctions.exclude(state=AuctionState.VOIDED).order_by("closes_at")
    auction = found.filter(bids__isnull=False).first() or found.first()
    if auction is None:
        schedule_auctions()
        auction = series.auctions.earliest("closes_at")
    if auction.state == AuctionState.SCHEDULED:
        forward_to(max(market_now(), auction.closes_at - BEFORE_GATE))
    return auction


def _state(auction: Auction) -> str:
    return Auction.objects.values_list("state", flat=True).get(pk=auction.pk)


_ENDED = (AuctionState.PUBLISHED, AuctionState.VOIDED)
