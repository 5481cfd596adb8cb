"""Alternatives of a job, placed in bulk: one hold a job, however they come."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models.callers import Caller
from exchange.models import Bid
from exchange.queries.bid_terms import BidCard
from exchange.services.bids import place_bid
from exchange.services.bulk_bids import place_bids
from settlement.models import Hold
from settlement.services.holds import InsufficientFunds
from tests.exchange.markets import Market, auction_of, block_body, give_money, market, series_of
from tests.factories import OrganizationFactory, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Market:
    return market()


def buyer(micros: int = 10**12) -> Caller:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, micros)
    return caller(organization)


def job(scene: Market, *prices: str, group: str = "job") -> list[object]:
    """Return alternatives of one job; one at 2.000 holds 8.08 units of money."""
    return [block_body(scene.auction, group=group, limit_price=price) for price in prices]


def open_holds() -> list[int]:
    return sorted(Hold.objects.open().values_list("amount_micros", flat=True))


def test_each_new_job_of_a_bulk_holds_its_dearest_alternative(scene: Market) -> None:
    bodies = job(scene, "2.000", "3.000") + job(scene, "1.000", group="other")
    place_bids(bodies, caller=buyer(), atomic=True)
    assert open_holds() == [4_040_000, 12_120_000]
    assert Bid.objects.filter(group="job").values("hold_key").distinct().count() == 1


def test_a_cheaper_alternative_in_a_later_bulk_needs_no_new_hold(scene: Market) -> None:
    who = buyer()
    first = place_bid(job(scene, "3.000")[0], caller=who)
    place_bids(job(scene, "2.000", "1.000"), caller=who, atomic=True)
    assert open_holds() == [12_120_000]
    kept = Bid.objects.get(public_id=first.public_id).hold_key
    assert set(Bid.objects.values_list("hold_key", flat=True)) == {kept}


def test_a_dearer_alternative_in_a_later_bulk_replaces_the_hold(scene: Market) -> None:
    who = buyer()
    place_bid(job(scene, "2.000")[0], caller=who)
    place_bids(job(scene, "1.000", "3.000"), caller=who, atomic=True)
    assert open_holds() == [12_120_000]
    assert set(Bid.objects.values_list("hold_key", flat=True)) == {Hold.objects.open().get().key}


def test_a_job_that_the_money_does_not_cover_stays_as_it_was(scene: Market) -> None:
    who = buyer(10_000_000)
    place_bid(job(scene, "2.000")[0], caller=who)
    bodies = job(scene, "1.000", "3.000") + job(scene, "2.000", group="other")
    answers = place_bids(bodies, caller=who, atomic=False)
    assert [type(answer) for answer in answers] == [InsufficientFunds] * 3
    assert open_holds() == [8_080_000]
    assert Bid.objects.count() == 1


def test_jobs_of_one_name_in_two_auctions_of_a_bulk_hold_apart(scene: Market) -> None:
    who = buyer()
    place_bid(job(scene, "3.000")[0], caller=who)
    other = auction_of(series_of("other"))
    answers = place_bids([block_body(other, group="job")], caller=who, atomic=True)
    assert isinstance(answers[0], BidCard)
    assert Hold.objects.open().count() == 2


def test_many_jobs_cost_no_more_statements_than_one(scene: Market) -> None:
    who = buyer()
    place_bids(job(scene, "1.000"), caller=who, atomic=True)  # reads the catalogue
    counts = []
    for jobs in (1, 40):
        groups = [f"{jobs}-{number}" for number in range(jobs)]
        bodies = [body for group in groups for body in job(scene, "1.000", "2.000", group=group)]
        with CaptureQueriesContext(connection) as asked:
            place_bids(bodies, caller=who, atomic=True)
        counts.append(len(asked))
    assert counts[0] == counts[1]
