"""A season: small contracts over weeks, metered, settled and put on paper by real processes.

Every third day each contract delivers an hour. Its meters report through the door of the web
process, money comes in from the bank, and the worker makes what the clock has made due: the
provisional run of that hour, later runs of earlier ones, and the statements of months that are
over. It waits for whatever was killed to come back, and ends with status 0 if everything is as it
must be (tests.faults.season_truth).

The theatre starts it as a process of its own, by ``words``.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid5

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q

from accounts.models import Caller, Kind, Organization
from accounts.services.organizations import create_organization
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.foundation.ports import free_port
from exchange.management.demo.parties import acting_for
from exchange.management.demo.stage import Stage, forward_to, log_folder
from settlement.management.fleet import equip, fresh_keys
from settlement.management.sending import DoorShut, Send, through_door
from settlement.models import (
    Contract,
    DeliveryPeriod,
    PeriodState,
    Statement,
    StatementState,
)
from settlement.services.contracts import PeriodTerms, open_contracts
from settlement.services.deposits import deposit
from settlement.services.holds import HoldRequest, place_hold
from tests.faults.season_truth import (
    BUYERS,
    EVERY,
    MONEY_MICROS,
    PAID_IN_MICROS,
    PROVIDERS,
    READINGS,
    delivered_ms,
    what_is_wrong,
)
from tests.settlement.deliveries import HOUR, MINUTE, TEN, contract_terms
from tests.settlement.deliveries import a_period as hour_of

DAY = timedelta(days=1)
BETWEEN_DAYS = 3
BATCH = 6
BOOTS = UUID(int=7)
DOWN_SECONDS_MAX = 120  # how long a part that was killed may be away
Found = TypeVar("Found")


class Hour(NamedTuple):
    """One delivery: which contract, by which device and meter, and when it begins."""

    contract: str
    device: str
    meter: str
    delivered_ms: int
    period: DeliveryPeriod


def words(verb: str, *numbers: int) -> list[str]:
    """Return what makes a Python carry out a function of this module, with Django set up."""
    asked = f"{verb}({', '.join(map(str, numbers))})"
    return ["-c", f"import django; django.setup(); from tests.faults import season; season.{asked}"]


def prepare(days: int) -> None:
    """Set the scene: parties with money, contracts over so many days, devices and meters."""
    mark_as_play()
    set_market_time(TEN - DAY)
    operator = create_organization("Operator", kinds=[Kind.OPERATES])
    buyers = [create_organization(f"Buyer {n}", kinds=[Kind.BUYS]) for n in range(BUYERS)]
    providers = [
        create_organization(f"Provider {n}", kinds=[Kind.PROVIDES]) for n in range(PROVIDERS)
    ]
    for buyer in buyers:
        _pay_in(buyer, operator, MONEY_MICROS, key=f"first/{buyer.name}")
        for provider in providers:
            _agree(buyer, provider, [hour_of(24 * BETWEEN_DAYS * day) for day in range(days)])
    equip(list(Contract.objects.order_by("pk")), now=market_now())


def play() -> None:
    """Play the season to its end, whatever dies in it; exit with 0 if all is as it must be."""
    with Stage(port=free_port(), logs=log_folder()) as stage:
        stage.wait_for_the_web()
        hours = _patiently(lambda: list(_hours()))
        tokens = _patiently(lambda: fresh_keys({hour.meter for hour in hours}))
        send = through_door(f"http://127.0.0.1:{stage.port}", tokens)
        days = len({hour.period.starts_at for hour in hours})
        for day in range(days):
            _play_day(day, hours, send, stage)
        last = max(hour.period.ends_at for hour in hours)
        for later in (8, 15, 40):  # R2, the final run, the end of the month
            _wait_at(last + later * DAY, stage)
    wrong = _patiently(lambda: what_is_wrong(days))
    for line in wrong:
        print(line)  # noqa: T201 - this is what the theatre reads
    sys.exit(1 if wrong else 0)


def _agree(buyer: Organization, provider: Organization, periods: list[PeriodTerms]) -> None:
    name = f"{buyer.name}/{provider.name}"
    place_hold(HoldRequest(name, buyer.pk, MONEY_MICROS // 10))
    terms = contract_terms(
        buyer, provider, periods, bid_id=name, hold_key=name, site_code=name.lower()
    )
    open_contracts([terms])


def _pay_in(buyer: Organization, operator: Organization, amount: int, *, key: str) -> None:
    actor: Caller = acting_for(operator)
    deposit(buyer.pk, amount_micros=amount, reason="to play with", actor=actor, key=key)


def _hours() -> Iterator[Hour]:
    """Yield every hour of every contract; the later a contract, the less of it is delivered."""
    contracts = list(Contract.objects.order_by("pk"))
    for number, watched in enumerate(equip(contracts, now=market_now())):
        for period in contracts[number].periods.order_by("starts_at"):
            ms = delivered_ms(number)
            yield Hour(watched.contract, watched.device, watched.meter, ms, period)


def _play_day(day: int, hours: list[Hour], send: Send, stage: Stage) -> None:
    starts_at = TEN + day * BETWEEN_DAYS * DAY
    _patiently(lambda: forward_to(starts_at + HOUR + MINUTE))
    for hour in hours:
        if hour.period.starts_at == starts_at:
            events = _events_of(hour)
            for first in range(0, len(events), BATCH):
                batch = events[first : first + BATCH]
                _patiently(partial(send, hour.meter, batch))
    buyer, operator = _named("Buyer 0"), _named("Operator")
    _patiently(lambda: _pay_in(buyer, operator, PAID_IN_MICROS, key=f"day {day}"))
    _wait_at(starts_at + 2 * HOUR + MINUTE, stage)


def _named(name: str) -> Organization:
    return _patiently(lambda: Organization.objects.get(name=name))


def _events_of(hour: Hour) -> list[dict[str, Any]]:
    """Return what the meter says of the hour, each tenth reading twice."""
    boot = uuid5(BOOTS, f"{hour.device} {hour.period.starts_at}")
    told = []
    for seq in range(1, READINGS + 1):
        ends_at = hour.period.starts_at + seq * EVERY
        reading = {
            "boot_id": str(boot),
            "seq": seq,
            "period_start": (ends_at - EVERY).isoformat(),
            "period_end": ends_at.isoformat(),
            "accel_ms_total": hour.delivered_ms * seq // READINGS,
        }
        event = {
            "specversion": "1.0",
            "type": "compute.reading.v1",
            "source": hour.meter,
            "id": f"{boot}/{seq}",
            "subject": f"{hour.contract}/{hour.device}",
            "data": reading,
        }
        told += [event, event] if seq % 10 == 0 else [event]
    return told


def _wait_at(moment: datetime, stage: Stage) -> None:
    """Let the clock reach ``moment``, and the worker do all that is due then."""
    _patiently(lambda: forward_to(moment))
    stage.wait_for(lambda: _patiently(_is_all_done), f"what is due at {moment}")


def _is_all_done() -> bool:
    now = market_now()
    waiting = Q(state=PeriodState.OPEN, ends_at__lte=now) | Q(next_run_at__lte=now)
    drafts = Statement.objects.filter(state=StatementState.DRAFT, ends_at__lte=now)
    return not (DeliveryPeriod.objects.filter(waiting).exists() or drafts.exists())


def _patiently(call: Callable[[], Found]) -> Found:
    """Call until neither the database nor the door is away; each call here may be repeated."""
    give_up = time.monotonic() + DOWN_SECONDS_MAX
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError, DoorShut):
            if time.monotonic() > give_up:
                raise
            connection.close()
            time.sleep(0.1)
