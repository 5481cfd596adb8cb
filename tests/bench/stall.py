"""What bids are placed into: the demo's catalogue and series, one open auction, funded buyers."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import Kind
from accounts.models.roles import Scope
from accounts.services.api_keys import issue_key
from accounts.services.organizations import create_organization
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.management.demo import market_setup, platform, trading
from exchange.management.demo.parties import acting_for
from exchange.management.traces.sources import read_prices
from exchange.models import Auction
from exchange.services.auctions import open_auction, schedule_auctions
from exchange.services.catalog import load_catalog
from settlement.services.deposits import deposit

BEFORE_GATE = timedelta(hours=6)
RATE = "9000000/minute"  # the throttle counts as ever; it only never says no
MONEY_MICROS = 10**15


@dataclass(frozen=True, slots=True)
class Stall:
    """The tokens of the buyers' keys, and the demo's bids as bodies: real jobs of one day."""

    tokens: list[str]
    bodies: list[dict[str, Any]]

    def body(self, number: int) -> dict[str, Any]:
        """Return the bid of this number; when the jobs begin anew, they are other jobs."""
        again, place = divmod(number, len(self.bodies))
        body = self.bodies[place]
        return body | {"group": f"{body['group']}-{again}"} if "group" in body else body


def open_stall(buyers: int) -> Stall:
    """Open an auction of the demo's series; give each buyer money and a key with a high rate."""
    mark_as_play()
    load_catalog()
    stall = Stall(tokens_of(buyers), bodies_for(_open_auction()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # now, and not by autovacuum in the middle of a round
    return stall


def bodies_for(auction: Auction) -> list[dict[str, Any]]:
    """Return the demo's jobs as bids for an auction."""
    prices = read_prices(platform.SAMPLE / "prices.csv", currency=settings.MARKET_CURRENCY)
    start = market_setup.midnight(market_setup.day_of(auction))
    drafts = trading.draft_bids(prices, platform.Size())
    return [trading.body_of(draft, auction=auction.public_id, start=start) for draft in drafts]


def as_json(body: object) -> bytes:
    """Return a body as it goes over the wire."""
    return json.dumps(body).encode()


def _open_auction() -> Auction:
    series = market_setup.ensure_series()
    schedule_auctions()
    auction = series.auctions.earliest("closes_at")
    set_market_time(auction.closes_at - BEFORE_GATE)
    assert open_auction(auction.pk), "its time has come"
    return auction


def tokens_of(buyers: int) -> list[str]:
    """Return the tokens of new buyers with money, each with a key of a high rate."""
    bank = acting_for(create_organization("Bench operator", kinds=[Kind.OPERATES]))
    scopes = [Scope.BIDS_READ, Scope.BIDS_WRITE]
    found = []
    for number in range(buyers):
        buyer = create_organization(f"Bench buyer {number}", kinds=[Kind.BUYS])
        deposit(
            buyer.pk, amount_micros=MONEY_MICROS, reason="to measure", actor=bank, key=f"{number}"
        )
        found.append(issue_key(buyer, name="bench", scopes=scopes, rate=RATE)[1])
    return found
