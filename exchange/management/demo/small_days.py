"""The books of the days around the demo's own: smaller ones, drawn from the same sample.

A few providers of every region offer part of what they have, at prices that drift from day to day,
and some buyers bid for some of the sample's jobs. Everything follows from the day: a play that was
cut off draws the same books again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from accounts.models import Organization
from exchange.management.demo import platform
from exchange.management.demo.market_setup import midnight, tflops_of_chips
from exchange.management.demo.parties import acting_for
from exchange.management.demo.platform import SAMPLE, SAMPLE_DAY, Size
from exchange.management.demo.trading import body_of
from exchange.management.traces import assumptions as assumed
from exchange.management.traces.demand import draft_demand
from exchange.management.traces.drafts import BidDraft, OfferDraft, SiteDraft, draw, on_tick
from exchange.management.traces.sources import Job, Prices, read_jobs
from exchange.models import Auction, Bid
from exchange.services.bulk_bids import place_bids

DOMESTIC: Final = frozenset(assumed.DOMESTIC_TWIN.values())
PER_REGION: Final = (1, 3)  # providers of foreign chips and of domestic ones
OFFERED_SHARE: Final = 0.85  # of what those providers could
JOBS: Final = (90, 130)  # of one GPU, on a day of work
GANGS: Final = (3, 6)  # of several
GANG_MAX: Final = 8  # what the largest machine has
WEEKEND: Final = 0.55
SATURDAY: Final = 5
BUYERS: Final = 60  # who ever bid on such a day
BUYERS_A_DAY: Final = 14
DRIFT: Final = 0.05  # of the asks, from one day to the next
SMALL: Final = "s"  # ends the name of an offer of a small day
LEVELS: Final = (0.8, 1.25)


def sellers(sites: Sequence[SiteDraft], offers: Sequence[OfferDraft]) -> set[str]:
    """Return the sites of the few providers of each region that offer on small days."""
    domestic = {offer.site for offer in offers if offer.accelerator in DOMESTIC}
    there: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for site in sites:
        there[site.region, site.code in domestic].append(site.code)
    return {
        code
        for (_, is_domestic), codes in there.items()
        for code in codes[: PER_REGION[is_domestic]]
    }


def small_offers(offers: Sequence[OfferDraft], day: date, *, first: date) -> list[OfferDraft]:
    """Return what is offered on ``day``, at the prices to which the ones of ``first`` drifted."""
    level = _level(day, first)
    return [
        replace(
            offer,
            name=f"{offer.name}{SMALL}",
            price=on_tick(float(offer.price) * level * _own(offer, day)),
        )
        for offer in offers
        if draw("offered", platform.SEED, day, offer.name).random() < OFFERED_SHARE
    ]


def small_bids(prices: Prices, day: date) -> list[BidDraft]:
    """Return the bids of a few of the sample's jobs."""
    jobs = read_jobs(SAMPLE / "jobs.csv", days=frozenset({SAMPLE_DAY}))
    chance = draw("jobs", platform.SEED, day)
    busy = WEEKEND if day.weekday() >= SATURDAY else 1.0
    drawn = [
        *chance.sample([job for job in jobs if job.gpus == 1], _some(chance.randint(*JOBS), busy)),
        *chance.sample(
            [job for job in jobs if 1 < job.gpus <= GANG_MAX], _some(chance.randint(*GANGS), busy)
        ),
    ]
    seed = platform.SEED + day.toordinal()
    return draft_demand(
        _in_order(drawn), prices=prices, tflops=tflops_of_chips(), seed=seed, groups=True
    )


def place_small(
    drafts: Sequence[BidDraft],
    buyers: Sequence[Organization],
    *,
    auction: Auction,
    day: date,
    size: Size,
) -> None:
    """Place what is not in the book yet of a small day's bids, each buyer's at once."""
    there = set(Bid.objects.filter(auction=auction).values_list("label", flat=True))
    bidding = _bidding(day, size)
    bodies = defaultdict(list)
    for draft in drafts:
        if draft.name not in there:
            row = int(draft.name[1:].rstrip("h"))
            body = body_of(draft, auction=auction.public_id, start=midnight(day))
            bodies[bidding[row % len(bidding)]].append(body)
    for number, own in sorted(bodies.items()):
        place_bids(own, caller=acting_for(buyers[number]), atomic=True)


def _bidding(day: date, size: Size) -> list[int]:
    """Return who bids that day; the buyer whose login is printed always does."""
    others = range(1, min(size.buyers, BUYERS))
    count = min(BUYERS_A_DAY - 1, len(others))
    return [0, *draw("buyers", platform.SEED, day).sample(others, count)]


def _some(count: int, busy: float) -> int:
    return max(1, round(count * busy))


def _in_order(jobs: Sequence[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.row)


def _level(day: date, first: date) -> float:
    """Return how far asks have drifted since the first day: a walk that is pulled back to 1."""
    level = 1.0
    for ordinal in range(first.toordinal(), day.toordinal() + 1):
        step = draw("level", platform.SEED, ordinal).gauss(0, DRIFT)
        level = min(max(1 + 0.9 * (level - 1) + step, LEVELS[0]), LEVELS[1])
    return level


def _own(offer: OfferDraft, day: date) -> float:
    return 1 + draw("own", platform.SEED, day, offer.name).gauss(0, DRIFT / 2)
