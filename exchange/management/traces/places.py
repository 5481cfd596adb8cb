"""Where jobs come from, where sites stand, and where a region's prices are taken from."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exchange.management.traces import assumptions as assumed
from exchange.management.traces.sources import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """``origin_of`` gives a tenant's region; ``price_regions`` the region of a price list."""

    origin_of: Callable[[str], str]
    site_weights: Mapping[str, float]
    price_regions: Mapping[str, str]


def _hub_of(tenant: str) -> str:
    number = int(hashlib.sha256(tenant.encode()).hexdigest(), 16)
    return assumed.ORIGINS[number % len(assumed.ORIGINS)]


HUBS = Places(
    origin_of=_hub_of,
    site_weights=assumed.SITE_WEIGHTS,
    price_regions=assumed.PRICE_REGIONS,
)


def listed_price(prices: Prices, accelerator: str, region: str, places: Places = HUBS) -> float:
    """Return the list price of a chip where a region's prices are taken from."""
    where = places.price_regions.get(region, assumed.PRICE_REGION_ELSEWHERE)
    return prices.listed_near(assumed.PRICED_AS[accelerator], where)
