"""What settlement is told when it asks what an accelerator costs elsewhere."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.foundation.market_time import market_now
from exchange.models import Accelerator, CellPrice, Site
from exchange.queries.replacement import replacement_quotes
from settlement.services.replacement import Wanted
from tests.exchange.markets import Market, market, region_of
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db


def site_in(code: str, region: str) -> Site:
    return Site.objects.create(
        code=code,
        name=code,
        provider=OrganizationFactory.create(),
        region=region_of(region),
        pue_micros=1_200_000,
        renewable_micros=0,
    )


def quote(scene: Market) -> Decimal | None:
    auction = scene.auction
    wanted = Wanted(
        period_id=7,
        site_code="bj-1",
        region_code="beijing",
        accelerator_code="h100",
        starts_at=auction.starts_at + timedelta(minutes=auction.period_minutes),
    )
    return replacement_quotes([wanted]).get(7)


def test_it_is_the_cheapest_other_site_of_the_region_in_a_published_auction() -> None:
    scene = market()
    assert quote(scene) is None
    near, nearer = site_in("bj-2", "beijing"), site_in("bj-3", "beijing")
    far = site_in("gz", "guizhou")
    for site, ticks in ((scene.site, 1_000), (near, 5_000), (nearer, 4_500), (far, 2_000)):
        CellPrice.objects.create(
            auction=scene.auction,
            site=site,
            accelerator=Accelerator.objects.get(code="h100"),
            period=1,
            price_ticks=ticks,
        )
    assert quote(scene) is None
    type(scene.auction).objects.update(state="published", published_at=market_now())
    assert quote(scene) == Decimal("4.5")


def test_elsewhere_counts_where_the_region_has_no_other_site() -> None:
    scene = market()
    far = site_in("gz", "guizhou")
    CellPrice.objects.create(
        auction=scene.auction,
        site=far,
        accelerator=Accelerator.objects.get(code="h100"),
        period=1,
        price_ticks=2_000,
    )
    type(scene.auction).objects.update(state="published", published_at=market_now())
    assert quote(scene) == 2
