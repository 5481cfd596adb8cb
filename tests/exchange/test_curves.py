"""The open market's figures, worked out by hand on a small market that was really cleared."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play
from exchange.models import Accelerator, Auction, Link, Region, Route, Site
from exchange.queries.archived_books import archived_clearing
from exchange.queries.curves import Curves, Step, curves_at
from exchange.queries.flows import flows_of, links_used
from exchange.queries.market_index import accelerator_index, class_index
from exchange.queries.price_maps import price_map, region_prices
from tests.exchange.markets import Market, bid_body, block_body, buyer, capacity_of, market
from tests.exchange.trading import bid, hold_through, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def far_site(scene: Market) -> Site:
    """Return a cheap site in Guizhou, reached from Beijing over a link of 5 Gbps."""
    guizhou = Region.objects.get(code="guizhou")
    site = Site.objects.create(
        code="gz-1",
        name="Guizhou 1",
        provider=scene.provider,
        region=guizhou,
        pue_micros=1_200_000,
        renewable_micros=900_000,
    )
    capacity_of(site, Accelerator.objects.get(code="h100"))
    beijing = Region.objects.get(code="beijing")
    Link.objects.create(
        code="bj-gz", origin=beijing, region=guizhou, gbps_micros=5_000_000, source="a test"
    )
    Route.objects.filter(code="beijing-guizhou").update(links=["bj-gz"])
    return site


def curves_of(auction: Auction, region: str = "beijing", period: int = 0) -> Curves:
    book, clearing = archived_clearing(Auction.objects.get(pk=auction.pk).result)
    return curves_at(book, clearing, region=region, accelerator="h100", period=period)


def test_the_curves_cross_where_the_market_cleared(scene: Market) -> None:
    offer_of(scene, quantity=3, ticks=1_000)
    offer_of(scene, quantity=5, ticks=2_000)
    bid(bid_body(scene.auction, quantity="4", limit_price="5.000"), buyer())
    bid(bid_body(scene.auction, quantity="2", limit_price="1.500"), buyer())
    hold_through(scene.auction)
    curves = curves_of(scene.auction)
    assert curves.supply == (Step(1_000, 3_000, 3_000), Step(2_000, 5_000, 8_000))
    assert curves.demand == (Step(5_000, 4_000, 4_000), Step(1_500, 2_000, 6_000))
    assert (curves.sold_lots, curves.price_ticks) == (4_000, 2_000)


def test_what_a_bid_got_elsewhere_is_no_demand_here(scene: Market) -> None:
    offer_of(scene, quantity=10, ticks=4_000)
    offer_of(scene, quantity=3, ticks=1_000, site=far_site(scene))
    bid(bid_body(scene.auction, quantity="5", limit_price="3.000"), buyer())
    hold_through(scene.auction)
    here, there = curves_of(scene.auction), curves_of(scene.auction, "guizhou")
    assert here.demand == (Step(3_000, 2_000, 2_000),)
    assert (here.sold_lots, here.price_ticks) == (0, None)
    assert there.demand == (Step(3_000, 5_000, 5_000),)
    assert there.sold_lots == 3_000


def test_a_bid_that_may_not_run_here_is_no_demand_here(scene: Market) -> None:
    offer_of(scene)
    for changes in ({"regions": ["guizhou"]}, {"latency_ms_max": "0.5"}, {"starts_at": "later"}):
        if "starts_at" in changes:
            changes = {"starts_at": scene.auction.period(2).start.isoformat()}  # noqa: PLW2901
        bid(bid_body(scene.auction, **changes), buyer())
    bid(bid_body(scene.auction, renewable_share_min="0.9"), buyer())
    hold_through(scene.auction)
    assert curves_of(scene.auction).demand == ()
    assert curves_of(scene.auction, period=2).sold_lots == 2_000


def test_a_block_that_was_left_out_counts_whole(scene: Market) -> None:
    offer_of(scene, quantity=3)
    bid(block_body(scene.auction, quantity="8", limit_price="9.000"), buyer())
    hold_through(scene.auction)
    assert curves_of(scene.auction).demand == (Step(9_000, 8_000, 8_000),)


def test_an_unknown_place_has_no_curves(scene: Market) -> None:
    offer_of(scene)
    hold_through(scene.auction)
    assert curves_of(scene.auction, "nowhere").supply == ()
    assert curves_of(scene.auction, period=99).supply == ()


def test_work_that_moved_is_a_flow_and_fills_its_links(scene: Market) -> None:
    offer_of(scene, quantity=10, ticks=4_000)
    offer_of(scene, quantity=10, ticks=1_000, site=far_site(scene))
    bid(bid_body(scene.auction, quantity="8", limit_price="5.000", gbps="1"), buyer())
    hold_through(scene.auction)
    auction = Auction.objects.get(pk=scene.auction.pk)
    book, _clearing = archived_clearing(auction.result)
    moved = {(flow.origin, flow.region): flow.lots for flow in flows_of(auction, 0)}
    assert moved == {("beijing", "guizhou"): 5_000, ("beijing", "beijing"): 3_000}
    [link] = links_used(auction, book)
    assert (link.link, link.used_micros, link.limit_micros) == ("bj-gz", 5_000_000, 5_000_000)
    assert link.price_ticks > 0
    Link.objects.update(gbps_micros=50_000_000)
    assert links_used(auction, book)[0].limit_micros == 5_000_000


def test_a_price_is_that_of_trades_else_of_the_next_unit(scene: Market) -> None:
    offer_of(scene, quantity=2, ticks=2_000)
    ends = scene.auction.period(1).start.isoformat()
    bid(bid_body(scene.auction, quantity="2", ends_at=ends), buyer())
    hold_through(scene.auction)
    auction = Auction.objects.get(pk=scene.auction.pk)
    first, *others = region_prices(auction, "h100")
    assert first.traded_ticks == first.ticks
    assert first.lots == 2_000
    assert {(other.traded_ticks, other.ticks, other.lots) for other in others} == {(None, 2_000, 0)}
    [(region, cells)] = price_map(auction, "h100").rows
    assert region == "beijing"
    assert len([cell for cell in cells if cell]) == 4


def test_the_index_is_made_from_trades_alone(scene: Market) -> None:
    offer_of(scene, quantity=2, ticks=2_000)
    offer_of(scene, quantity=2, ticks=9_000, chip="ascend")
    bid(bid_body(scene.auction, quantity="1"), buyer())
    hold_through(scene.auction)
    per_chip, per_class = accelerator_index("day-ahead"), class_index("day-ahead")
    assert per_chip.columns == (("h100", "h100"),)
    assert [point.ticks for point in per_chip.points] == [(2_000,)]
    assert per_class.columns == (("gpu-foreign", "gpu-foreign"),)
    # 2.000 for an hour of 0.99 PFLOPS
    assert [point.ticks for point in per_class.points] == [(2_020,)]


def test_before_the_first_publication_there_is_no_index(scene: Market) -> None:
    assert accelerator_index("day-ahead").points == ()
