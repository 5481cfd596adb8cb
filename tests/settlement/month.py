"""A month of contracts whose meters lose, repeat, contradict, shuffle, go down, and lie.

The exchange is given readings and the clock, nothing else. What each device truly delivered follows
from the simulation and is held against what was settled.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

from django.db.models import OuterRef, Subquery

from accounts.models import Organization
from settlement.management.devices import Conduct, grown_ms, told_ms, up_in
from settlement.management.fleet import equip
from settlement.management.sending import straight
from settlement.management.simulation import Arrival, Line, batched, in_order, lines_of
from settlement.models import Contract, Dispute, Party, RunKind, SettlementRun
from settlement.services.contracts import ContractTerms, open_contracts
from settlement.services.holds import HoldRequest, place_holds
from settlement.tasks import settle_due_periods
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import HOUR, TEN, a_period, contract_terms, play_at

START = TEN.replace(day=1, hour=0)
DAY = timedelta(days=1)
R2_AFTER = timedelta(days=7, hours=1)
SEED = 20_260_101
TOLERANCE_PPM = 20_000
PPM = 1_000_000
MONEY = 10**12
SHORT_PPM, SHORT_EVERY = 100_000, 7
"""Two contracts of seven do not deliver a tenth of their time: there liars have room."""
OVER_PPM, UNDER_PPM = 80_000, -300_000
LYING_BUYER = 1
"""Two providers' meters lie, and one buyer's of each hundred."""
USUAL = Conduct(
    every=timedelta(minutes=10),
    loss_ppm=200_000,
    late=timedelta(days=5),
    repeat_ppm=50_000,
    conflict_ppm=20_000,
    reorder=True,
    reboot_ppm=4_000,
    skew_max=timedelta(seconds=2),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a month is; ``hours`` of each contract, ``days`` over which they start."""

    providers: int
    buyers: int
    hours: int
    days: int

    @property
    def periods(self) -> int:
        """How many contract periods there are: each buyer has one contract."""
        return self.buyers * self.hours


@dataclass(slots=True)
class Outcome:
    """What a month came to, period by period, as of R2."""

    honest: int = 0
    wrong: list[str] = field(default_factory=list)
    lies: int = 0
    unseen: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    corrected: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    reported_s: float = 0
    settled_s: float = 0


def live_through(size: Size) -> Outcome:
    """Open the contracts, pass the days until every period had its R2, and compare."""
    play_at(START - DAY)
    lines = _open(size)
    outcome = Outcome()
    last = START + size.days * DAY + size.hours * HOUR + R2_AFTER
    now = START
    while now < last:
        now = play_at(now + DAY)
        _report(lines, now, outcome)
        begun = time.perf_counter()
        settle_due_periods()
        outcome.settled_s += time.perf_counter() - begun
    _compare(lines, outcome)
    return outcome


def _open(size: Size) -> list[tuple[Line, Line]]:
    """Return the provider's and the buyer's line of each contract."""
    providers = [an_organization(f"Provider {n}") for n in range(size.providers)]
    buyers = [an_organization(f"Buyer {n}") for n in range(size.buyers)]
    for buyer in buyers:
        put_in(buyer, MONEY)
    holds = [HoldRequest(f"bid_{n}", buyer.pk, MONEY // 2) for n, buyer in enumerate(buyers)]
    assert all(place_holds(holds))
    open_contracts(
        [_terms(n, buyer, providers[n % size.providers], size) for n, buyer in enumerate(buyers)]
    )
    contracts = list(Contract.objects.select_related("provider", "buyer").order_by("pk"))
    contracts.sort(key=lambda contract: int(contract.bid_id.removeprefix("bid_")))
    providers_lines = _lines(contracts, Party.PROVIDER, lambda n: _lie_of_provider(n, size))
    buyers_lines = _lines(contracts, Party.BUYER, _lie_of_buyer)
    return list(zip(providers_lines, buyers_lines, strict=True))


def _lines(
    contracts: Sequence[Contract], party: Party, lie_of: Callable[[int], int]
) -> Iterator[Line]:
    fleet = equip(contracts, now=START - DAY, party=party)
    watches = ((watched, _conduct(n, lie_of(n))) for n, watched in enumerate(fleet))
    return lines_of(watches, seed=SEED)


def _terms(n: int, buyer: Organization, provider: Organization, size: Size) -> ContractTerms:
    first = (START + (n % size.days) * DAY - TEN) // HOUR
    return contract_terms(
        buyer,
        provider,
        [a_period(first + hour, lots=1_000 * (1 + n % 8)) for hour in range(size.hours)],
        auction_id=f"auc_{n % size.days}",
        bid_id=f"bid_{n}",
        hold_key=f"bid_{n}",
        site_code=f"site-{provider.pk}",
        tolerance_ppm=TOLERANCE_PPM,
    )


def _conduct(n: int, lie_ppm: int) -> Conduct:
    """Return how a contract's device and one of its meters behave."""
    return replace(USUAL, lie_ppm=lie_ppm, shortfall_ppm=SHORT_PPM if n % SHORT_EVERY < 2 else 0)


def _lie_of_provider(n: int, size: Size) -> int:
    return {0: OVER_PPM, 1: UNDER_PPM}.get(n % size.providers, 0)


def _lie_of_buyer(n: int) -> int:
    hundreds, rest = divmod(n, 100)
    if rest != LYING_BUYER:
        return 0
    return OVER_PPM if hundreds % 2 else UNDER_PPM


def _report(lines: Sequence[tuple[Line, Line]], now: datetime, outcome: Outcome) -> None:
    """Let every meter send what it has; batches of one meter mix its devices."""
    arrived: dict[str, list[Arrival]] = {}
    for line in chain.from_iterable(lines):
        arrived.setdefault(line.watched.meter, []).extend(line.arrived(now))
    begun = time.perf_counter()
    for meter, arrivals in arrived.items():
        for batch in batched(in_order(arrivals)):
            outcome.answers += straight(meter, batch)
    outcome.reported_s += time.perf_counter() - begun


def _compare(lines: Sequence[tuple[Line, Line]], outcome: Outcome) -> None:
    pairs = {provider.watched.contract: (provider, buyer) for provider, buyer in lines}
    flagged = set(Dispute.objects.undecided().values_list("period_id", flat=True))
    runs = SettlementRun.objects.filter(run_no=RunKind.R2).select_related("period__contract")
    for run in runs.iterator():
        pair = pairs[run.period.contract.public_id]
        _judge(run, pair, outcome, is_flagged=run.period_id in flagged)
    first = SettlementRun.objects.filter(period=OuterRef("period"), run_no=RunKind.PROVISIONAL)
    outcome.corrected = runs.exclude(delivered_ms=Subquery(first.values("delivered_ms"))).count()


def _judge(
    run: SettlementRun, pair: tuple[Line, Line], outcome: Outcome, *, is_flagged: bool
) -> None:
    span = run.period.starts_at, run.period.ends_at
    said = f"{run.period}: provider {run.provider_ms}, buyer {run.buyer_ms}"
    up = up_in(pair[0].watched, pair[0].conduct, *span, seed=SEED)
    if any(line.conduct.lie_ppm for line in pair):
        told = [told_ms(line.watched, line.conduct, up) for line in pair]
        if (max(told) - min(told)) * PPM > max(told) * TOLERANCE_PPM:
            outcome.lies += 1
            if not is_flagged:
                outcome.unseen.append(said)
        return
    true = grown_ms(pair[0].watched, pair[0].conduct, up)
    outcome.honest += 1
    if run.delivered_ms != true:
        outcome.wrong.append(f"{said}, settled {run.delivered_ms}, true {true}")
    if is_flagged:
        outcome.accused.append(said)
