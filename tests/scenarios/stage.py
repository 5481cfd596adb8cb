"""A small market with everything in it, and the steps that people and clocks take there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.market_time import mark_as_play, market_now
from exchange.foundation.money import LOTS
from exchange.models import Accelerator, Auction, Offer, OfferVersion
from exchange.services.auctions import close_auction
from exchange.services.clearing import clear_auction
from exchange.services.publishing import publish_auction
from settlement.models import Contract, Device, Dispute, Meter, Party
from settlement.services.collateral import move_collateral, set_collateral_rate
from settlement.services.contract_moves import advance_contracts, follow_heartbeats
from settlement.services.enrolment import enroll_meter
from settlement.services.metering import ingest
from settlement.services.projects import open_project
from settlement.services.resales import lapse_resales
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.exchange.markets import HOUR, Market, auction_of, market
from tests.factories import OrganizationFactory, member, operator
from tests.settlement.books import put_in
from tests.settlement.deliveries import a_device

BEGINNING = datetime.fromisoformat("2026-01-05T09:00:00+00:00")
MINUTE = timedelta(minutes=1)
BUYERS = 3
MONEY = 400_000_000  # each buyer's; some bids are too dear for it
ON_SALE = 8  # accelerators
BOOTS = UUID(int=7)


@dataclass(slots=True)
class Counter:
    """One device as the meters of a party count it."""

    device: Device
    meter: Meter
    boot: UUID
    seq: int
    until: datetime
    total_ms: int


class Stage:
    """The market, its people, and what its devices count."""

    def __init__(self) -> None:
        mark_as_play()
        set_clock(BEGINNING)
        self.scene: Market = market()
        Auction.objects.all().delete()  # ours follow one another
        self.chip = Accelerator.objects.get(code="h100")
        self.operators = [member(operator()), member(operator())]
        self.buyers = [self._buyer(n) for n in range(BUYERS)]
        self.provider = member(self.scene.provider)
        self.paid_in = MONEY * (BUYERS + 1)
        put_in(self.scene.provider, MONEY)
        set_collateral_rate(
            self.scene.provider.pk, rate_ppm=100_000, reason="new", actor=self.operators[0]
        )
        open_project("llm", budget_micros=MONEY // 2, caller=self.buyers[0])
        self._list(ON_SALE)
        self.counters: dict[tuple[int, str], Counter] = {}
        self.auction = self._announce()

    def beat(self) -> None:
        """Do what the workers do at each knock."""
        now = market_now()
        advance_contracts(now)
        follow_heartbeats(now)
        lapse_resales(now)
        settle_due(now)
        move_collateral(now)
        finalize_due(now)

    def wait(self, minutes: int) -> None:
        """Let time pass; an auction whose gate comes meanwhile is held."""
        until = market_now() + minutes * MINUTE
        if until >= self.auction.closes_at:
            self.hold_auction(then=until)
        else:
            set_clock(until)
        self.beat()

    def hold_auction(self, *, then: datetime = BEGINNING) -> None:
        """Close, clear and publish the auction, and open the next one, at the earliest ``then``."""
        set_clock(max(market_now(), self.auction.closes_at + MINUTE))
        assert close_auction(self.auction.pk)
        assert clear_auction(self.auction.pk), Auction.objects.get(pk=self.auction.pk).alarm_detail
        assert publish_auction(self.auction.pk)
        set_clock(max(market_now(), then))
        self.auction = self._announce()

    def contracts(self) -> QuerySet[Contract]:
        """Return all contracts, the first first."""
        return Contract.objects.order_by("pk")

    def metered(self) -> Sequence[Contract]:
        """Return contracts that have begun and are delivered under their own name."""
        begun = self.contracts().filter(resale=None, starts_at__lt=market_now())
        return [each for each in begun if self._counter(each, "provider").until < each.ends_at]

    def report(self, contract: Contract, party: str, *, percent: int, reboots: bool) -> list[str]:
        """Report what a device delivered since it was last heard of; return the answers.

        Everything is sent twice, and the second time must change nothing.
        """
        counter = self._counter(contract, party)
        until = min(market_now().replace(microsecond=0), contract.ends_at)
        if until <= counter.until:
            return []
        if reboots:
            counter.boot = uuid5(counter.boot, "again")
            counter.seq, counter.total_ms = 0, 0
        length_ms = (until - counter.until) // timedelta(milliseconds=1)
        counter.seq += 1
        counter.total_ms += length_ms * counter.device.capacity_lots // LOTS * percent // 100
        event = {
            "specversion": "1.0",
            "type": "compute.reading.v1",
            "source": counter.meter.public_id,
            "id": f"{counter.device.public_id}/{counter.boot}/{counter.seq}",
            "subject": f"{contract.public_id}/{counter.device.public_id}",
            "data": {
                "boot_id": str(counter.boot),
                "seq": counter.seq,
                "period_start": counter.until.isoformat(),
                "period_end": until.isoformat(),
                "accel_ms_total": counter.total_ms,
            },
        }
        counter.until = until
        return [answer.status for _ in range(2) for answer in ingest(counter.meter, [event])]

    def undecided(self) -> QuerySet[Dispute]:
        """Return the disputes that nobody has decided."""
        return Dispute.objects.undecided().order_by("pk")

    def _counter(self, contract: Contract, party: str) -> Counter:
        key = (contract.pk, party)
        if key not in self.counters:
            self.counters[key] = self._new_counter(contract, party)
        return self.counters[key]

    def _new_counter(self, contract: Contract, party: str) -> Counter:
        if party == "buyer":
            device, owner, kind = (
                self._counter(contract, "provider").device,
                contract.buyer,
                Party.BUYER,
            )
        else:
            lots = max(contract.periods.values_list("quantity_lots", flat=True))
            device = a_device(contract, contract.public_id, lots=lots)
            owner, kind = contract.provider, Party.PROVIDER
        meter, _ = enroll_meter(owner, party=kind, site_code=contract.site_code, now=BEGINNING)
        boot = uuid5(BOOTS, f"{contract.pk}/{party}")
        return Counter(device, meter, boot, 0, contract.starts_at, 0)

    def _buyer(self, number: int) -> Caller:
        organization: Organization = OrganizationFactory.create(
            name=f"Buyer {number}", provides=False
        )
        put_in(organization, MONEY)
        return member(organization)

    def _list(self, accelerators: int) -> None:
        offer = Offer.objects.create(
            provider=self.scene.provider,
            site=self.scene.site,
            accelerator=self.chip,
            state="active",
        )
        version = OfferVersion.objects.create(
            offer=offer,
            number=1,
            starts_at=BEGINNING,
            ends_at=BEGINNING + timedelta(days=365),
            quantity_lots=accelerators * LOTS,
            price_ticks=2_000,
            actor="a test",
        )
        Offer.objects.filter(pk=offer.pk).update(terms=version)

    def _announce(self) -> Auction:
        """Return the next auction: its gate in half an hour, four hours from one hour later on."""
        now = market_now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        return auction_of(
            self.scene.series,
            opens_at=now - MINUTE,
            closes_at=now + 30 * MINUTE,
            starts_at=hour + 3 * HOUR,
            ends_at=hour + 7 * HOUR,
        )


def set_clock(at: datetime) -> None:
    """Let it be just this moment: in one long database transaction the clock stands still."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_clock SET shift = %s - now()", [at])
