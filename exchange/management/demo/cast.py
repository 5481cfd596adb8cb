"""Everybody and everything on the play's stage before the first auction opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts.models import Organization
from exchange.management.demo import market_setup, parties
from exchange.management.demo.platform import SAMPLE, Size
from exchange.management.demo.progress import step
from exchange.management.traces.drafts import OfferDraft, SiteDraft
from exchange.management.traces.sources import Prices, read_prices
from exchange.services.catalog import load_catalog
from settlement.services.grid_factors import OUR_FACTORS, load_factors


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The parties, the sites, and what they can offer on a day."""

    size: Size
    prices: Prices
    people: parties.Parties
    sites: Sequence[SiteDraft]
    offers: Sequence[OfferDraft]
    owners: Mapping[str, Organization]  # by the code of the site


def load_tables() -> None:
    """Load what the project ships: the catalogue and the grids' factors."""
    with step("the catalogue: regions, links, chips, models"):
        load_catalog()
        load_factors(OUR_FACTORS.read_text(encoding="utf-8"))


def gather_cast(size: Size) -> Cast:
    """Gather the parties and build the sites; what an earlier run left is found."""
    with step(f"{size.providers} providers, {size.buyers} buyers, their people and their money"):
        people = parties.gather(size)
    prices = read_prices(SAMPLE / "prices.csv", currency=settings.MARKET_CURRENCY)
    sites, offers = market_setup.draft_offers(prices, size)
    market_setup.build_sites(sites, offers, people.providers)
    market_setup.set_limits(sites, offers)
    return Cast(
        size=size,
        prices=prices,
        people=people,
        sites=sites,
        offers=offers,
        owners={site.code: people.providers[site.provider] for site in sites},
    )
