"""Nodes of a real cluster, laid out as the sites of providers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from exchange.management.traces import assumptions as assumed
from exchange.management.traces.drafts import OfferDraft, SiteDraft, draw, on_tick
from exchange.management.traces.places import HUBS, Places, listed_price
from exchange.management.traces.sources import Node, Prices


def draft_supply(
    nodes: Sequence[Node],
    *,
    prices: Prices,
    tflops: Mapping[str, float],
    pue: Mapping[str, Decimal],
    seed: int,
    share: float,
    nodes_per_provider: int = assumed.NODES_PER_PROVIDER,
    places: Places = HUBS,
) -> tuple[list[SiteDraft], list[OfferDraft]]:
    """Return the sites and offers of ``share`` of the nodes; ``tflops`` by chip, ``pue`` by region.

    Each node that is drawn becomes one offer at its provider's site.
    """
    sites: dict[str, SiteDraft] = {}
    offers = []
    for place, node in enumerate(nodes):
        chip = assumed.ACCELERATOR_OF_MODEL.get(node.model)
        if chip is None or draw("node", seed, place).random() > share:
            continue
        provider = place // nodes_per_provider
        site = _site(provider, seed=seed, pue=pue, places=places)
        sites[site.code] = site
        listed = listed_price(prices, chip, site.region, places)
        ratios = prices.spot_ratios[assumed.PRICED_AS[chip]]
        offers.append(
            _offer(node, place, chip, site, listed=listed, ratios=ratios, tflops=tflops, seed=seed)
        )
    return list(sites.values()), offers


def _site(provider: int, *, seed: int, pue: Mapping[str, Decimal], places: Places) -> SiteDraft:
    chance = draw("site", seed, provider)
    regions, weights = zip(*places.site_weights.items(), strict=True)
    region = chance.choices(regions, weights)[0]
    return SiteDraft(
        code=f"{region}-p{provider:03d}",
        provider=provider,
        region=region,
        pue=pue[region],
        renewable_share=Decimal(str(round(chance.uniform(*assumed.RENEWABLE_SHARE), 2))),
    )


def _offer(
    node: Node,
    place: int,
    chip: str,
    site: SiteDraft,
    *,
    listed: float,
    ratios: Sequence[float],
    tflops: Mapping[str, float],
    seed: int,
) -> OfferDraft:
    provider, own = draw("asks", seed, site.provider), draw("ask", seed, place)
    spot = sorted(ratios)[int(provider.random() * assumed.SPOT_QUANTILE_MAX * len(ratios))]
    ask = listed * spot * own.uniform(*assumed.ASK_SPREAD)
    if provider.random() < assumed.DOMESTIC_SHARE_OF_PROVIDERS:
        twin = assumed.DOMESTIC_TWIN[chip]
        ask, chip = ask * tflops[twin] / tflops[chip], twin
    return OfferDraft(
        name=f"o{place:05d}",
        site=site.code,
        accelerator=chip,
        first=own.choice(assumed.FIRST_HOURS),
        end=assumed.PERIODS,
        quantity=max(1, node.gpus),
        price=on_tick(ask),
    )
