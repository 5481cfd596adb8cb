"""The trading day of the demo, from the catalogue to the last settlement run.

Every step finds what an earlier run left behind, so a play that was cut off goes on where it was,
and one that is over is only reported and audited again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts.models import Organization
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.management.demo import delivery, market_setup, parties, platform, trading
from exchange.management.demo.doors import Door
from exchange.management.demo.platform import SAMPLE, Size
from exchange.management.demo.progress import say, step
from exchange.management.demo.stage import Stage, TooSlow, forward_to
from exchange.management.traces.drafts import BidDraft, OfferDraft
from exchange.management.traces.sources import Prices, read_prices
from exchange.models import Auction, AuctionSeries, AuctionState
from exchange.services.auctions import schedule_auctions, void_auction
from exchange.services.catalog import load_catalog
from settlement.models import RunKind
from settlement.services.grid_factors import OUR_FACTORS, load_factors

BEFORE_GATE = timedelta(hours=2)
MOMENT = timedelta(seconds=1)


class Run(NamedTuple):
    """A settlement run, and when it is due for all hours of the day."""

    kind: RunKind
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the steps of a play share."""

    size: Size
    prices: Prices
    people: parties.Parties
    offers: Sequence[OfferDraft]
    owners: Mapping[str, Organization]  # by the code of the site
    auction: Auction

    @property
    def day(self) -> date:
        """The day that the auction sells."""
        return _day_of(self.auction)


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
    auction = _announce(people.operator)
    owners = {site.code: people.providers[site.provider] for site in sites}
    if auction.state in (AuctionState.SCHEDULED, AuctionState.OPEN):
        with step(f"{len(offers)} offers at {len(sites)} sites"):
            market_setup.list_offers(offers, owners, _day_of(auction))
    return Scene(
        size=size, prices=prices, people=people, offers=offers, owners=owners, auction=auction
    )


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
        _await_publication(auction, stage)
    auction.refresh_from_db()
    return drafts


def _await_publication(auction: Auction, stage: Stage) -> None:
    """Wait for the worker. Raises TooSlow, which says what alarm the auction has."""
    try:
        stage.wait_for(lambda: _state(auction) in _ENDED, "the publication")
    except TooSlow as late:
        auction.refresh_from_db()
        alarm = f"{auction.alarm_code}: {auction.alarm_detail}" if auction.alarm_at else "none"
        raise TooSlow(f"{late}; the auction's alarm: {alarm}") from late


def deliver(scene: Scene, stage: Stage) -> None:
    """Let the day pass: meters report every hour, and each settlement run is made when due."""
    auction = scene.auction
    if delivery.settled_up_to(auction, RunKind.FINAL):
        return
    provisional, r1, *later = _runs(auction)
    with step("a device and a meter for everything that was sold"):
        shifts = delivery.line_up(auction)
    hours = [shift for shift in shifts if shift.at <= provisional.due]
    with step(f"{len(hours)} hours pass: meters report over REST, the worker settles"):
        answers = delivery.report(hours, until=provisional.due, port=stage.port)
        _settle(auction, provisional, stage)
    _count(answers)
    with step("next morning a line is mended, and its meters report"):
        answers = delivery.report(shifts[len(hours) :], until=r1.due, port=stage.port)
    _count(answers)
    for run in (r1, *later):
        with step(f"the day is settled again: {run.kind.label}"):
            _settle(auction, run, stage)
        say(f"    {delivery.corrected_by(auction, run.kind)} hours of contracts were corrected")


def go_on(scene: Scene, stage: Stage) -> None:
    """Let the market go on after the day: its next auction opens, and providers offer again."""
    series = scene.auction.series
    AuctionSeries.objects.filter(pk=series.pk).update(active=True)
    schedule_auctions()
    coming = series.auctions.filter(closes_at__gt=market_now() + BEFORE_GATE)
    auction = coming.earliest("closes_at")
    forward_to(auction.opens_at)
    stage.wait_for(lambda: _state(auction) == AuctionState.OPEN, "the next book's opening")
    market_setup.list_offers(scene.offers, scene.owners, _day_of(auction))


def _settle(auction: Auction, run: Run, stage: Stage) -> None:
    forward_to(run.due)
    stage.wait_for(lambda: delivery.settled_up_to(auction, run.kind), f"the {run.kind.label} run")


def _count(answers: Counter[str]) -> None:
    if answers:
        say("    " + ", ".join(f"{count} {word}" for word, count in sorted(answers.items())))


def _runs(auction: Auction) -> list[Run]:
    delays = [timedelta(minutes=minutes) for minutes in auction.run_delays_minutes]
    delays.append(timedelta(days=auction.dispute_days))
    last_hour = auction.ends_at + MOMENT
    return [Run(kind, last_hour + delay) for kind, delay in zip(RunKind, delays, strict=True)]


def _day_of(auction: Auction) -> date:
    return auction.starts_at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).date()


def _announce(operator: Organization) -> Auction:
    """Return the auction of the play; the first time, set the clock two hours before its gate."""
    found = Auction.objects.filter(series__code=platform.SERIES).order_by("closes_at")
    return found.exclude(state=AuctionState.VOIDED).first() or _announce_first(operator)


@transaction.atomic
def _announce_first(operator: Organization) -> Auction:
    """Announce one auction and no other until the day is over, its gate two hours away."""
    series = market_setup.ensure_series()
    schedule_auctions()
    ahead = series.auctions.filter(closes_at__gt=market_now() + BEFORE_GATE)
    auction = ahead.earliest("closes_at")
    AuctionSeries.objects.filter(pk=series.pk).update(active=False)
    for other in series.auctions.exclude(pk=auction.pk):
        void_auction(other, reason="the play trades one day", actor=parties.acting_for(operator))
    set_market_time(auction.closes_at - BEFORE_GATE)
    return auction


def _state(auction: Auction) -> str:
    return Auction.objects.values_list("state", flat=True).get(pk=auction.pk)


_ENDED = (AuctionState.PUBLISHED, AuctionState.VOIDED)
