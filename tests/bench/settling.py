"""10,000 contract periods settled in one pass, against posting the same transfers alone.

Settling: ``settle_due``: periods claimed, counters read for both ends of each, rulings and earlier
runs looked up, amounts reckoned and their inputs hashed, runs written, periods moved, transfers
posted, drafts of statements opened, parties told. Each period falls short, so that it moves three
transfers: a captured charge, an earning and a penalty.

Posting: those very transfers, under other keys, by ``post_all``.
"""

import statistics
import time

from django.db import connection

from accounts.models import Organization
from settlement.management.devices import Conduct
from settlement.management.fleet import equip
from settlement.management.simulation import batches_of
from settlement.models import Contract, Meter, Transfer
from settlement.services.contracts import open_contracts
from settlement.services.holds import HoldRequest, place_holds
from settlement.services.ledger import NewTransfer, post_all
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.bench import house
from tests.bench.tables import Table
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import HOUR, TEN, a_period, contract_terms, play_at

TIMES_MAX = 3
ROUNDS = 5
WARM_UP = 1
CONTRACTS, HOURS = 100, 100
SIZE = CONTRACTS * HOURS
MONEY = 10**14
NEVER = 365 * 24 * 60  # minutes until R1 and R2: each round has its provisional runs to itself
SHORT = Conduct(every=HOUR, shortfall_ppm=100_000)


def run() -> list[Table]:
    """Settle, and post what came of it once more, in turn."""
    with house.fresh_database():
        play_at(TEN)
        buyers = [an_organization(f"Buyer {n}") for n in range(CONTRACTS)]
        sellers = [an_organization(f"Seller {n}") for n in range(CONTRACTS // 10)]
        for each in buyers:
            put_in(each, MONEY)
        rounds = [_round(buyers, sellers, number) for number in range(WARM_UP + ROUNDS)]
    return [_table(rounds[WARM_UP:])]


def _round(
    buyers: list[Organization], sellers: list[Organization], number: int
) -> tuple[float, float, int]:
    """Return the seconds of settling and of posting, and how many transfers there were."""
    first = number * (HOURS + 24)
    names = [f"bid {number}/{n}" for n in range(CONTRACTS)]
    requests = zip(names, buyers, strict=True)
    assert all(place_holds([HoldRequest(name, each.pk, 10**12) for name, each in requests]))
    open_contracts(
        [
            contract_terms(
                buyer,
                sellers[n % len(sellers)],
                [a_period(first + hour, lots=8_000) for hour in range(HOURS)],
                auction_id=f"auc_{number}",
                bid_id=names[n],
                hold_key=names[n],
                run_delays_minutes=(60, NEVER, NEVER + 1),
            )
            for n, buyer in enumerate(buyers)
        ]
    )
    contracts = Contract.objects.filter(auction_id=f"auc_{number}").select_related("provider")
    end = TEN + (first + HOURS) * HOUR
    now = play_at(end + 2 * HOUR)
    for meter, events in batches_of(equip(list(contracts), now=now), until=end, conduct=SHORT):
        ingest(Meter.objects.get(public_id=meter), events)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    begun = time.perf_counter()
    runs = settle_due(now)
    settled = time.perf_counter() - begun
    assert runs == SIZE
    again = _again(number)
    begun = time.perf_counter()
    post_all(again, key=f"again {number}")
    return settled, time.perf_counter() - begun, len(again)


def _again(number: int) -> list[NewTransfer]:
    """Return the round's transfers under other keys."""
    moved = Transfer.objects.filter(period__contract__auction_id=f"auc_{number}").order_by("id")
    return [
        NewTransfer(
            key=f"again {each.id}",
            debit_id=each.debit_id,
            credit_id=each.credit_id,
            amount_micros=each.amount_micros,
            code=each.code,
            event_at=each.event_at,
            hold_id=each.hold_id,
            period_id=each.period_id,
            run_no=each.run_no,
        )
        for each in moved
    ]


def _table(rounds: list[tuple[float, float, int]]) -> Table:
    ratios = [settled / posted for settled, posted, _ in rounds]
    ratio = statistics.median(ratios)
    table = Table(
        f"{SIZE:,} contract periods settled in one pass: at most {TIMES_MAX} times the time of "
        "posting their transfers alone",
        ["rounds", "transfers", "settled, s", "posted alone, s", "times", "from", "to"],
    )
    table.add(
        len(rounds),
        f"{rounds[0][2]:,}",
        *(f"{statistics.median(each[n] for each in rounds):.2f}" for n in (0, 1)),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio <= TIMES_MAX,
    )
    return table
