"""After the auction of the play: the day passes hour by hour, and its meters report over REST.

Each hour the clock moves on first, then the meters send what they counted in it; the worker
settles the hour before meanwhile. What is lost on the way, the next counter makes up for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum

from exchange.foundation.market_time import market_now
from exchange.management.demo import platform
from exchange.management.demo.doors import each
from exchange.models import Auction, BidFill
from settlement.management.fleet import equip, fresh_keys
from settlement.management.sending import Send, through_door
from settlement.management.simulation import BATCH, Conduct, Watched, readings_of
from settlement.models import Contract, DeliveryPeriod, PeriodState, RunKind, SettlementRun

HOUR = timedelta(hours=1)
AFTER_THE_HOUR = timedelta(minutes=5)
USUAL = Conduct(every=timedelta(minutes=15), loss_ppm=200_000, repeat_ppm=50_000, reorder=True)
# The provider that sold most does not deliver 30 % of its time. The next one's line is cut for
# the last hours of the day: its meters send what they counted the next morning.
WEAK = replace(USUAL, shortfall_ppm=300_000)
CUT_HOURS = 6
RECONNECTED_AFTER_END = timedelta(hours=9)
Events = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shift:
    """What is reported at one moment: the events of each meter, in the order they are sent."""

    at: datetime
    reports: Mapping[str, Events]


def line_up(auction: Auction) -> list[Shift]:
    """Enrol a device and a meter for everything sold; return what will be reported, and when."""
    contracts = list(
        Contract.objects.filter(auction_id=auction.public_id)
        .select_related("provider", "buyer")
        .order_by("pk")
    )
    weak, cut = _largest_sellers(auction)
    provider_of = {contract.public_id: contract.provider_id for contract in contracts}
    sent: dict[datetime, dict[str, Events]] = defaultdict(lambda: defaultdict(list))
    for watched in equip(contracts, now=market_now()):
        provider = provider_of[watched.contract]
        for event in _events_of(watched, WEAK if provider == weak else USUAL, auction):
            at = _sent_at(event, auction, is_cut=provider == cut)
            sent[at][watched.meter].append(event)
    return [Shift(at, sent[at]) for at in sorted(sent)]


def report(
    shifts: Sequence[Shift], *, until: datetime, port: int, pass_until: Callable[[datetime], None]
) -> Counter[str]:
    """Let time pass from shift to shift and let the meters report; return the answers.

    After the last of them the clock will move on to ``until``. It moves to a shift only when all
    before it is in: what a play that was cut off has sent already is passed over.
    """
    now = market_now()
    ends = [*(shift.at for shift in shifts[1:]), until][: len(shifts)]
    waiting = [shift for shift, end in zip(shifts, ends, strict=True) if now < end]
    send = _sender(waiting, port)
    answers: Counter[str] = Counter()
    for shift in waiting:
        pass_until(shift.at)
        batches = [
            (meter, events[first : first + BATCH])
            for meter, events in sorted(shift.reports.items())
            for first in range(0, len(events), BATCH)
        ]
        answers += sum(each(batches, lambda batch: send(*batch)), Counter())
    return answers


def settled_up_to(auction: Auction, run: RunKind) -> bool:
    """Return whether every period of the auction's contracts has had this run."""
    periods = DeliveryPeriod.objects.filter(contract__auction_id=auction.public_id)
    return not periods.exclude(runs__run_no=run).exists()


def is_all_settled() -> bool:
    """Return whether no period of any contract waits for a run that is due."""
    now = market_now()
    periods = DeliveryPeriod.objects
    over = periods.filter(state=PeriodState.OPEN, ends_at__lte=now)
    waiting = periods.exclude(state__in=(PeriodState.OPEN, PeriodState.FINAL))
    due = waiting.filter(next_run_at__lte=now).exclude(
        state=PeriodState.DISPUTED, next_run_no=RunKind.FINAL
    )
    return not over.exists() and not due.exists()


def corrected_by(auction: Auction, run: RunKind) -> int:
    """Return for how many periods this run found another delivery than the run before it."""
    before = SettlementRun.objects.filter(period=OuterRef("period"), run_no=run - 1)
    runs = SettlementRun.objects.filter(
        run_no=run, period__contract__auction_id=auction.public_id
    ).annotate(before_ms=Subquery(before.values("delivered_ms")))
    return runs.exclude(delivered_ms=F("before_ms")).count()


def _largest_sellers(auction: Auction) -> tuple[int | None, int | None]:
    """Return the providers that sold most and second most."""
    sold = BidFill.objects.filter(auction=auction).values_list("site__provider_id")
    ordered = sold.annotate(lots=Sum("quantity_lots")).order_by("-lots", "site__provider__name")
    first, second = [*(provider for provider, _ in ordered[:2]), None, None][:2]
    return first, second


def _events_of(watched: Watched, conduct: Conduct, auction: Auction) -> Events:
    return readings_of(watched, conduct, until=auction.ends_at, seed=platform.SEED)


def _sent_at(event: dict[str, Any], auction: Auction, *, is_cut: bool) -> datetime:
    counted_at = datetime.fromisoformat(event["data"]["period_end"])
    if is_cut and counted_at > auction.ends_at - CUT_HOURS * HOUR:
        return auction.ends_at + RECONNECTED_AFTER_END
    # The hour that it is in, when it is over; where counters stood at first comes with the first.
    hours = max(1, -((auction.starts_at - counted_at) // HOUR))
    return auction.starts_at + hours * HOUR + AFTER_THE_HOUR


def _sender(shifts: Sequence[Shift], port: int) -> Send:
    meters = {meter for shift in shifts for meter in shift.reports}
    return through_door(f"http://127.0.0.1:{port}", fresh_keys(meters))
