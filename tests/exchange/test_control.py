"""The control room's figures: capacity, links, power, shares, and auctions that are stuck."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play, market_now
from exchange.foundation.money import LOTS, MICROS
from exchange.models import Accelerator, Auction, Link, PowerBudget, Route, Site
from exchange.queries.control.network import link_loads, power_loads
from exchange.queries.control.regions import region_board
from exchange.queries.control.shares import cleared_shares
from exchange.queries.control.stuck import stuck_auctions
from tests.exchange.markets import (
    HOUR,
    Market,
    bid_body,
    buyer,
    capacity_of,
    market,
    region_of,
)
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import caller, operator

pytestmark = pytest.mark.django_db
HOUR_MS = 3_600_000
MINUTE = timedelta(minutes=1)


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def add_remote_site(scene: Market) -> Site:
    """Return a site in Guizhou, reached from Beijing over one link."""
    link = Link.objects.create(
        code="bj-gz",
        origin=region_of("beijing"),
        region=region_of("guizhou"),
        gbps_micros=10 * MICROS,
        source="a test",
    )
    Route.objects.filter(code="beijing-guizhou").update(links=[link.code])
    site = Site.objects.create(
        code="gz-1",
        name="Guizhou 1",
        provider=scene.provider,
        region=region_of("guizhou"),
        pue_micros=1_100_000,
        renewable_micros=900_000,
    )
    capacity_of(site, Accelerator.objects.get(code="h100"), 5 * LOTS)
    return site


def test_capacity_tells_what_stands_is_sold_and_is_for_sale(scene: Market) -> None:
    offer_of(scene, quantity=10)
    bid(bid_body(scene.auction, quantity="4"), buyer())
    hold_through(scene.auction)
    now = scene.auction.starts_at

    board = region_board(
        caller(operator()), now, since=now - 24 * HOUR, heard_since=now - 30 * MINUTE
    )

    (row,) = board.rows
    assert row.region == "beijing"
    assert row.capacity.standing_ms == 100 * 24 * HOUR_MS
    assert row.capacity.contracted_ms == 4 * 4 * HOUR_MS
    assert row.capacity.promised_ms == 6 * 4 * HOUR_MS
    assert row.capacity.sold_micros == 400_000
    assert row.now.contracted_lots == 4 * LOTS
    assert board.total.capacity.standing_ms == row.capacity.standing_ms
    assert board.total.now.contracted_lots == 4 * LOTS


def test_a_link_is_as_full_as_what_runs_over_it(scene: Market) -> None:
    offer_of(scene, quantity=4, ticks=1_000, site=add_remote_site(scene))
    bid(bid_body(scene.auction, quantity="2", gbps="1.5"), buyer())
    hold_through(scene.auction)
    start = scene.auction.starts_at

    (load,) = link_loads(start + HOUR, since=start, until=start + 4 * HOUR)

    assert (load.code, load.origin, load.region) == ("bj-gz", "beijing", "guizhou")
    assert (load.used_micros, load.limit_micros) == (3 * MICROS, 10 * MICROS)
    assert (load.share_micros, load.now_share_micros) == (300_000, 300_000)
    assert load.at == start
    assert link_loads(start, since=start + 4 * HOUR, until=start + 8 * HOUR) == []


def test_power_is_nominal_with_the_site_s_pue(scene: Market) -> None:
    PowerBudget.objects.create(
        region=region_of("beijing"), kw_micros=4_200_000, starts_at=market_now() - HOUR
    )
    offer_of(scene, quantity=4)
    bid(bid_body(scene.auction, quantity="4"), buyer())
    hold_through(scene.auction)
    start = scene.auction.starts_at

    (load,) = power_loads(start - HOUR, since=start, until=start + 4 * HOUR)

    assert load.used_micros == 4 * 700 * 1_200  # 4 x 0.7 kW x 1.2
    assert (load.share_micros, load.now_micros) == (800_000, 0)


def test_shares_stand_beside_the_policy_of_their_auction(scene: Market) -> None:
    Auction.objects.update(min_domestic_share_micros=200_000)
    scene.auction.refresh_from_db()
    offer_of(scene, quantity=4)
    capacity_of(scene.site, Accelerator.objects.get(code="ascend"))
    offer_of(scene, quantity=4, chip="ascend")
    two = [{"accelerator": chip, "factor": "1"} for chip in ("h100", "ascend")]
    bid(bid_body(scene.auction, quantity="8", accelerators=two), buyer())
    assert cleared_shares() == []
    hold_through(scene.auction)

    (shares,) = cleared_shares()

    assert shares.policy_micros == 200_000
    assert shares.domestic_micros == 320 * MICROS // (320 + 990)
    assert shares.renewable_micros == 300_000


def test_an_auction_is_stuck_when_a_step_is_overdue_or_failed(scene: Market) -> None:
    now = market_now()
    Auction.objects.update(closes_at=now - MINUTE)
    assert stuck_auctions(now) == []
    Auction.objects.update(closes_at=now - 3 * MINUTE)
    (stuck,) = stuck_auctions(now)
    assert (stuck.why, stuck.since) == ("overdue", now - 3 * MINUTE)

    close(Auction.objects.get())
    Auction.objects.update(closed_at=now, clearing_seconds=60)
    assert stuck_auctions(now + 3 * MINUTE) == []
    (stuck,) = stuck_auctions(now + 5 * MINUTE)
    assert stuck.why == "slow"

    Auction.objects.update(alarm_code="audit_failed", alarm_at=now)
    (stuck,) = stuck_auctions(now)
    assert (stuck.why, stuck.auction.pk) == ("failed", scene.auction.pk)
    Auction.objects.update(state="published")
    assert stuck_auctions(now) == []
