"""After the auction of the play: meters report over REST, and the worker settles."""

from collections import Counter
from datetime import timedelta

from exchange.foundation.market_time import market_now
from exchange.management.demo import platform
from exchange.models import Auction
from settlement.management.fleet import equip, fresh_keys
from settlement.management.sending import through_door
from settlement.management.simulation import Conduct, batches_of
from settlement.models import Contract, DeliveryPeriod, PeriodState, Reading

EVERY = timedelta(minutes=15)
LOSS_PPM, REPEAT_PPM = 200_000, 50_000
SHORT_PROVIDER, SHORTFALL_PPM = 0, 300_000  # the first provider does not deliver 30 % of its time


def report_readings(auction: Auction, *, port: int, short: str) -> Counter[str]:
    """Let every device report what it delivered, some readings lost, repeated and shuffled.

    ``short`` is the public id of the provider that does not deliver all. Returns the answers.
    """
    contracts = list(
        Contract.objects.filter(auction_id=auction.public_id)
        .select_related("provider", "buyer")
        .order_by("pk")
    )
    fleet = equip(contracts, now=market_now())
    if Reading.objects.filter(contract__in=contracts).exists() and not _waiting(auction):
        return Counter()
    usual = Conduct(every=EVERY, loss_ppm=LOSS_PPM, repeat_ppm=REPEAT_PPM, reorder=True)
    weak = Conduct(
        every=EVERY,
        loss_ppm=LOSS_PPM,
        repeat_ppm=REPEAT_PPM,
        reorder=True,
        shortfall_ppm=SHORTFALL_PPM,
    )
    conducts = {each.public_id: weak for each in contracts if each.provider.public_id == short}
    send = through_door(f"http://127.0.0.1:{port}", fresh_keys(watched.meter for watched in fleet))
    answers: Counter[str] = Counter()
    batches = batches_of(fleet, conducts, until=auction.ends_at, seed=platform.SEED, usual=usual)
    for meter, events in batches:
        answers += send(meter, events)
    return answers


def settled_up_to(auction: Auction, run_no: int) -> bool:
    """Return whether every period of the auction's contracts has had its run ``run_no``."""
    periods = DeliveryPeriod.objects.filter(contract__auction_id=auction.public_id)
    return not periods.exclude(runs__run_no=run_no).exists()


def _waiting(auction: Auction) -> bool:
    periods = DeliveryPeriod.objects.filter(contract__auction_id=auction.public_id)
    return periods.filter(state__in=[PeriodState.OPEN, PeriodState.METERED]).exists()
