"""The trading day of the demo, from the catalogue to the last settlement run.

Every step finds what an earlier run left behind, so a play that was cut off goes on where it was,
and one that is over is only reported and audited again.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from accounts.models import Organization
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.management.demo import delivery, market_setup, parties, platform, trading
from exchange.management.demo.cast import Cast, gather_cast, load_tables
from exchange.management.demo.doors import Door
from exchange.management.demo.market_setup import day_of, midnight
from exchange.management.demo.month import (
    BEFORE_GATE,
    MIDNIGHT_AFTER_GATE,
    Month,
    begin_month,
)
from exchange.management.demo.platform import Size
from exchange.management.demo.progress import say, step
from exchange.management.demo.stage import Stage, TooSlow, forward_to
from exchange.management.traces.drafts import BidDraft
from exchange.models import Auction, AuctionSeries, AuctionState
from exchange.services.auctions import schedule_auctions, void_auction
from settlement.models import RunKind

MOMENT = timedelta(seconds=1)


class Run(NamedTuple):
    """A settlement run, and when it is due for all hours of the day."""

    kind: RunKind
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the steps of a play share; without a ``month`` the day is played alone."""

    cast: Cast
    auction: Auction
    month: Month | None

    @property
    def day(self) -> date:
        """The day that the auction sells."""
        return day_of(self.auction)

    def pass_until(self, moment: datetime) -> None:
        """Let time pass, and with it what the market does besides the day's own auction."""
        if self.month is None:
            forward_to(moment)
        else:
            self.month.pass_until(moment)


def set_the_scene(size: Size, stage: Stage, *, history: int) -> Scene:
    """Load the catalogue, gather the parties, announce the auction, list the offers.

    With a ``history`` of so many days, these are played, up to two hours before the day's gate.
    """
    mark_as_play()
    load_tables()
    dates = begin_month(history)
    cast = gather_cast(size)
    market_setup.ensure_series()
    if dates is None:
        auction = _announce(cast.people.operator)
        _list_offers(cast, day_of(auction), auction.state)
        with step("web, worker and beat are there"):
            stage.wait_for_the_web()
        return Scene(cast=cast, auction=auction, month=None)
    own = Auction.objects.filter(series__code=platform.SERIES, starts_at=midnight(dates.day))
    _list_offers(cast, dates.day, own.values_list("state", flat=True).first())
    with step("web, worker and beat are there"):
        stage.wait_for_the_web()
    month = Month(cast=cast, stage=stage, dates=dates)
    with step(f"{(dates.day - dates.first).days} days of smaller auctions before the day"):
        month.pass_until(midnight(dates.day) - MIDNIGHT_AFTER_GATE - BEFORE_GATE)
    return Scene(cast=cast, auction=own.get(), month=month)


def _list_offers(cast: Cast, day: date, state: str | None) -> None:
    if state in (None, AuctionState.SCHEDULED, AuctionState.OPEN):
        with step(f"{len(cast.offers)} offers at {len(cast.sites)} sites"):
            market_setup.list_offers(((day, offer) for offer in cast.offers), cast.owners)


def trade(scene: Scene, stage: Stage) -> list[BidDraft]:
    """Bid over REST, let the gate close, and wait for the worker to publish."""
    auction = scene.auction
    cast = scene.cast
    drafts = trading.draft_bids(cast.prices, cast.size)
    if auction.state in (AuctionState.SCHEDULED, AuctionState.OPEN):
        stage.wait_for(lambda: _state(auction) != AuctionState.SCHEDULED, "the book's opening")
        with step(f"{len(drafts)} bids of {cast.size.buyers} buyers over REST"):
            single, bulk = trading.place_bids(
                drafts,
                cast.people.buyers,
                auction=auction,
                day=scene.day,
                door=Door(stage.port),
                size=cast.size,
            )
        say(f"    {single} bids one by one, {bulk} requests in bulk")
    with step("the gate closes, the worker clears, audits and publishes"):
        scene.pass_until(auction.closes_at + MOMENT)
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
        answers = delivery.report(
            hours, until=provisional.due, port=stage.port, pass_until=scene.pass_until
        )
        _settle(scene, provisional, stage)
    _count(answers)
    with step("next morning a line is mended, and its meters report"):
        answers = delivery.report(
            shifts[len(hours) :], until=r1.due, port=stage.port, pass_until=scene.pass_until
        )
    _count(answers)
    for run in (r1, *later):
        with step(f"the day is settled again: {run.kind.label}"):
            _settle(scene, run, stage)
        say(f"    {delivery.corrected_by(auction, run.kind)} hours of contracts were corrected")
    stage.wait_for(delivery.is_all_settled, "every run that is due")


def go_on(scene: Scene, stage: Stage) -> None:
    """Let the market go on: its next auction is open, and providers have offered again."""
    if scene.month is not None:
        scene.month.pass_until(scene.month.present)
        return
    series = scene.auction.series
    AuctionSeries.objects.filter(pk=series.pk).update(active=True)
    schedule_auctions()
    coming = series.auctions.filter(closes_at__gt=market_now() + BEFORE_GATE)
    auction = coming.earliest("closes_at")
    forward_to(auction.opens_at)
    stage.wait_for(lambda: _state(auction) == AuctionState.OPEN, "the next book's opening")
    day = day_of(auction)
    market_setup.list_offers(((day, offer) for offer in scene.cast.offers), scene.cast.owners)


def _settle(scene: Scene, run: Run, stage: Stage) -> None:
    scene.pass_until(run.due)
    stage.wait_for(
        lambda: delivery.settled_up_to(scene.auction, run.kind), f"the {run.kind.label} run"
    )


def _count(answers: Counter[str]) -> None:
    if answers:
        say("    " + ", ".join(f"{count} {word}" for word, count in sorted(answers.items())))


def _runs(auction: Auction) -> list[Run]:
    delays = [timedelta(minutes=minutes) for minutes in auction.run_delays_minutes]
    delays.append(timedelta(days=auction.dispute_days))
    last_hour = auction.ends_at + MOMENT
    return [Run(kind, last_hour + delay) for kind, delay in zip(RunKind, delays, strict=True)]


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
