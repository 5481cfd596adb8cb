"""Jobs become bids and nodes become offers by the stated assumptions, the same every time."""

from decimal import Decimal

import pytest

from exchange.management.traces import assumptions as assumed
from exchange.management.traces.demand import draft_demand
from exchange.management.traces.drafts import BidDraft
from exchange.management.traces.sources import Job, Node, Prices
from exchange.management.traces.supply import draft_supply

TFLOPS = {"a100-sxm4-80gb": 312.0, "a10-24gb": 125.0, "ascend-910b3": 313.0, "mlu370-x8": 96.0}
PUE = dict.fromkeys(assumed.SITE_WEIGHTS, Decimal("1.25"))


@pytest.fixture
def prices() -> Prices:
    found = Prices(listed={("A10", "cn-shanghai"): 9.5, ("A100-80GB", "cn-shanghai"): 34.0})
    found.spot_ratios["A10"] = [0.25, 0.35, 1.0]
    found.spot_ratios["A100-80GB"] = [0.35, 1.0]
    return found


def bids_of(prices: Prices, jobs: list[Job], *, groups: bool = False) -> list[BidDraft]:
    return draft_demand(jobs, prices=prices, tflops=TFLOPS, seed=1, groups=groups)


def jobs(gpus: int, hours: float, count: int = 60) -> list[Job]:
    return [Job(row, row % 24, gpus, hours, f"t{row % 9}") for row in range(count)]


def test_a_gang_is_a_block_on_one_site(prices: Prices) -> None:
    bids = bids_of(prices, jobs(8, 2.5))

    assert {(bid.kind, bid.duration, bid.volume) for bid in bids} == {("block", 3, None)}


def test_a_short_small_job_is_an_hourly_bid_of_one_hour(prices: Prices) -> None:
    bids = bids_of(prices, jobs(1, 0.5))

    assert {bid.kind for bid in bids} == {"hourly"}
    assert all(bid.end == bid.first + 1 for bid in bids)


def test_a_small_long_job_is_a_volume_bid_if_it_can_wait(prices: Prices) -> None:
    bids = bids_of(prices, jobs(2, 5.0))

    assert {bid.kind for bid in bids} == {"block", "volume"}
    assert all(bid.volume == 10 for bid in bids if bid.kind == "volume")


def test_a_window_fits_the_day_and_the_job(prices: Prices) -> None:
    for bid in bids_of(prices, [*jobs(8, 30.0), *jobs(8, 7.0), *jobs(1, 9.0)], groups=True):
        assert 0 <= bid.first < bid.end <= assumed.PERIODS
        assert bid.duration is None or bid.end - bid.first >= bid.duration


def test_a_job_too_small_to_count_places_no_bid(prices: Prices) -> None:
    assert bids_of(prices, jobs(1, 0.05)) == []


def test_an_elastic_gang_bids_twice_in_one_group(prices: Prices) -> None:
    bids = [bid for bid in bids_of(prices, jobs(8, 3.0), groups=True) if bid.group]

    assert bids
    for first, second in zip(bids[::2], bids[1::2], strict=True):
        assert first.group == second.group
        assert (second.quantity, second.duration) == (
            first.quantity // 2,
            2 * (first.duration or 0),
        )


def test_other_chips_are_accepted_by_their_tflops(prices: Prices) -> None:
    factors = {choice for bid in bids_of(prices, jobs(8, 3.0)) for choice in bid.choices}

    assert factors == {("a100-sxm4-80gb", Decimal(1)), ("ascend-910b3", Decimal("0.997"))}


def test_nodes_of_a_provider_stand_at_one_site(prices: Prices) -> None:
    nodes = [Node(row, "A10", 8) for row in range(200)]

    sites, offers = draft_supply(
        nodes, prices=prices, tflops=TFLOPS, pue=PUE, seed=1, share=1.0, nodes_per_provider=40
    )

    assert len(sites) == 5
    assert len(offers) == 200
    assert {offer.site for offer in offers} == {site.code for site in sites}


def test_models_without_a_known_chip_are_left_out(prices: Prices) -> None:
    sites, offers = draft_supply(
        [Node(2, "GPU-series-1", 8)],
        prices=prices,
        tflops=TFLOPS,
        pue=PUE,
        seed=1,
        share=1.0,
        nodes_per_provider=40,
    )

    assert (sites, offers) == ([], [])


def test_the_same_seed_gives_the_same_day_and_another_gives_another(prices: Prices) -> None:
    day = jobs(8, 3.0)

    assert bids_of(prices, day) == bids_of(prices, day)
    assert bids_of(prices, day) != draft_demand(
        day, prices=prices, tflops=TFLOPS, seed=2, groups=False
    )
