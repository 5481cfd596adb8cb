"""The days around the demo's own, so that the market has a history and goes on.

Before the day, between its settlement runs and as long as the portal is left running, smaller
auctions are held every day through the same services, worker and engine. Time passes in steps:
at each the clock moves and the meters report what they counted meanwhile, in one database
transaction, so that whoever settles sees either both or neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from exchange.foundation.market_time import market_now, set_market_time
from exchange.management.demo import market_setup, platform, small_days
from exchange.management.demo.cast import Cast
from exchange.management.demo.stage import Stage, forward_to
from exchange.management.traces.drafts import draw
from exchange.models import Auction, AuctionSeries, AuctionState
from exchange.services.auctions import schedule_auctions
from settlement.management.fleet import equip
from settlement.management.sending import straight
from settlement.management.simulation import Conduct, Event, arrivals_of, batched
from settlement.models import Contract
from settlement.services.contract_moves import advance_contracts

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SETTLED: Final = 15 * DAY  # after so many days a delivery is settled for good
BEFORE_GATE: Final = 2 * HOUR
MIDNIGHT_AFTER_GATE: Final = 12 * HOUR
MOMENT: Final = timedelta(seconds=1)
REPORTS_EVERY: Final = timedelta(hours=12)
AFTER_THE_HOUR: Final = timedelta(minutes=5)
USUAL: Final = Conduct(every=timedelta(minutes=15), loss_ppm=50_000, repeat_ppm=10_000)
SHORT_DAYS: Final = 0.04  # of the days of a provider, on which it does not deliver all it sold
SHORTFALL_PPM: Final = (50_000, 400_000)
REMEMBERED: Final = timedelta(days=2)  # a play that was cut off sends so much again
ENDED: Final = (AuctionState.PUBLISHED, AuctionState.VOIDED)


class Report(NamedTuple):
    """One reading on its way: when it arrives, from which meter, and what it says."""

    at: datetime
    meter: str
    event: Event


@dataclass(frozen=True, slots=True)
class Dates:
    """The first day that the play's market sold, and the demo's own."""

    first: date
    day: date


def begin_month(history: int) -> Dates | None:
    """Return the dates of the play, None if its day is played alone.

    In an empty market the clock is set back to before the gate of the first of ``history`` days,
    so that the demo's own day is settled for good today.
    """
    if not AuctionSeries.objects.filter(code=platform.SERIES).exists():
        return _set_back(history) if history else None
    held = Auction.objects.filter(series__code=platform.SERIES)
    earliest = held.exclude(state=AuctionState.VOIDED).order_by("starts_at").first()
    first = market_setup.day_of(earliest) if earliest else market_setup.today() + DAY
    day = market_setup.day_listed_first() or first + history * DAY
    return Dates(first, day) if first < day else None


@transaction.atomic
def _set_back(history: int) -> Dates:
    """Found the series and set the clock; a play that is cut off after this goes on with both."""
    market_setup.ensure_series()
    day = market_setup.today() - SETTLED
    dates = Dates(day - history * DAY, day)
    set_market_time(market_setup.midnight(dates.first) - MIDNIGHT_AFTER_GATE - BEFORE_GATE)
    return dates


@dataclass(slots=True, kw_only=True)
class Month:
    """The market's life around the demo's day. ``day`` itself is none of its business."""

    cast: Cast
    stage: Stage
    dates: Dates
    waiting: list[Report] = field(default_factory=list)
    lined_up: set[int] = field(default_factory=set)
    filled: set[int] = field(default_factory=set)

    @property
    def present(self) -> datetime:
        """Two hours before a gate, when the demo's day is settled for good."""
        return market_setup.midnight(self.dates.day + SETTLED) + 12 * HOUR - BEFORE_GATE

    def pass_until(self, moment: datetime) -> None:
        """Let the market live until ``moment``: gates close, meters report, books fill."""
        self._open_next()  # Else the clock could run past a gate that beat has not announced yet.
        self.keep_up()
        while (stop := self._next_stop()) < moment:
            self._go_to(stop)
        self._go_to(moment)

    def keep_up(self) -> None:
        """Do what the present moment asks for: books to fill, contracts to equip, readings."""
        self._fill_open()
        self._line_up_published()
        self._report(market_now())

    def _next_stop(self) -> datetime:
        now = market_now()
        gates = self._others().filter(state=AuctionState.OPEN, closes_at__gt=now)
        midnight = market_setup.midnight(self.dates.first)
        steps = (now - AFTER_THE_HOUR - midnight) // REPORTS_EVERY + 1
        report = midnight + steps * REPORTS_EVERY + AFTER_THE_HOUR
        return min([report, *(gate + MOMENT for gate in gates.values_list("closes_at", flat=True))])

    def _go_to(self, moment: datetime) -> None:
        """Move the clock, with what the contracts and meters do meanwhile; then see to gates."""
        self._live_until(moment)
        due = self._others().filter(closes_at__lte=moment).exclude(state__in=ENDED)
        closing = list(due.values_list("pk", flat=True))
        if not closing:
            return
        self._open_next()
        self._fill_open()  # while the worker clears
        waited = Auction.objects.filter(pk__in=closing).exclude(state__in=ENDED)
        self.stage.wait_for(lambda: not waited.exists(), "a small day's publication")
        self._line_up_published()

    def _live_until(self, moment: datetime) -> None:
        now = market_now()
        if moment <= now:
            return
        with transaction.atomic():
            for hour in _hours_between(now, moment):
                advance_contracts(hour)
            forward_to(moment)
            self._report(moment)

    def _report(self, moment: datetime) -> None:
        """Let the meters send what they have counted by ``moment``."""
        sent: dict[str, list[Event]] = {}
        for report in self.waiting:
            if report.at <= moment:
                sent.setdefault(report.meter, []).append(report.event)
        self.waiting = [report for report in self.waiting if report.at > moment]
        for meter, events in sorted(sent.items()):
            for batch in batched(events):
                straight(meter, batch)

    def _others(self) -> "QuerySet[Auction]":
        """All auctions but the day's own."""
        own = market_setup.midnight(self.dates.day)
        return Auction.objects.filter(series__code=platform.SERIES).exclude(starts_at=own)

    def _open_next(self) -> None:
        schedule_auctions()
        self.stage.wait_for(self._is_next_open, "the next book's opening")

    def _is_next_open(self) -> bool:
        return Auction.objects.taking_bids().filter(series__code=platform.SERIES).exists()

    def _fill_open(self) -> None:
        waiting = self._others().filter(state=AuctionState.OPEN).exclude(pk__in=self.filled)
        for auction in waiting:
            self._fill(auction)
            self.filled.add(auction.pk)

    def _fill(self, auction: Auction) -> None:
        day = market_setup.day_of(auction)
        self._offer_for_the_week_of(day)
        small_days.place_small(
            small_days.small_bids(self.cast.prices, day),
            self.cast.people.buyers,
            auction=auction,
            day=day,
            size=self.cast.size,
        )

    def _offer_for_the_week_of(self, day: date) -> None:
        """List what is offered until the week is over: a file a week from each provider."""
        selling = small_days.sellers(self.cast.sites, self.cast.offers)
        listed = [offer for offer in self.cast.offers if offer.site in selling]
        days = (day + ahead * DAY for ahead in range(7 - day.weekday()))
        market_setup.list_offers(
            (
                (each, offer)
                for each in days
                if each != self.dates.day
                for offer in small_days.small_offers(listed, each, first=self.dates.first)
            ),
            self.cast.owners,
        )

    def _line_up_published(self) -> None:
        """Equip what small days sold, and work out what its meters will report."""
        since = market_now() - REMEMBERED
        rows = self._others().filter(state=AuctionState.PUBLISHED, ends_at__gt=since)
        for auction in rows.exclude(pk__in=self.lined_up):
            self.waiting += sorted(_reports_of(auction), key=lambda report: report.at)
            self.lined_up.add(auction.pk)


def _reports_of(auction: Auction) -> Iterable[Report]:
    contracts = Contract.objects.filter(auction_id=auction.public_id)
    named = list(contracts.select_related("provider", "buyer").order_by("pk"))
    provider_of = {contract.public_id: contract.provider.name for contract in named}
    for watched in equip(named, now=market_now()):
        conduct = _conduct(provider_of[watched.contract], market_setup.day_of(auction))
        for arrival in arrivals_of(watched, conduct, seed=platform.SEED):
            yield Report(arrival.at, watched.meter, arrival.event)


def _conduct(provider: str, day: date) -> Conduct:
    chance = draw("conduct", platform.SEED, provider, day)
    if chance.random() >= SHORT_DAYS:
        return USUAL
    return replace(USUAL, shortfall_ppm=chance.randint(*SHORTFALL_PPM))


def _hours_between(now: datetime, moment: datetime) -> Iterable[datetime]:
    """Yield every full hour after ``now`` and until ``moment``, a moment after it has begun."""
    hour = now.replace(minute=0, second=0, microsecond=0) + HOUR + MOMENT
    while hour <= moment:
        yield hour
        hour += HOUR
