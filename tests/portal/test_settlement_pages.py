"""What members read of their contracts, statements and money."""

from datetime import timedelta

import pytest
from django.test import Client

from settlement.models import Statement
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.factories import OrganizationFactory, portal
from tests.settlement.deliveries import (
    HOUR,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    play_at,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def settled() -> Delivery:
    """An hour of one accelerator at 10.000, delivered and settled once."""
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    settle_due(now)
    return delivery


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_provider_sees_what_it_earned_and_the_buyer_what_it_owes(settled: Delivery) -> None:
    address = f"/contracts/{settled.contract.public_id}/"
    provider = page_of(portal(settled.provider), address)
    assert "9.80 CNY" in provider
    assert "10.10 CNY" not in provider
    assert "10.10 CNY" in page_of(portal(settled.buyer), address)


def test_contracts_are_listed_for_both_parties_and_nobody_else(settled: Delivery) -> None:
    named = settled.contract.public_id
    assert named in page_of(portal(settled.provider), "/contracts/")
    assert named in page_of(portal(settled.buyer), "/contracts/?state=scheduled")
    assert named not in page_of(portal(settled.buyer), "/contracts/?state=ended")
    assert named not in page_of(portal(), "/contracts/")


def test_a_strangers_contract_is_not_there(settled: Delivery) -> None:
    stranger = portal(OrganizationFactory.create())
    assert stranger.get(f"/contracts/{settled.contract.public_id}/").status_code == 404


def test_a_draft_statement_shows_the_lines_of_this_moment(settled: Delivery) -> None:
    statement = Statement.objects.get(organization=settled.provider)
    page = page_of(portal(settled.provider), f"/statements/{statement.public_id}/")
    assert "A draft: its lines" in page
    assert "10.00" in page
    assert "-0.20" in page


def test_a_finalized_statement_has_its_number_and_total(settled: Delivery) -> None:
    finalize_due(TEN + timedelta(days=40))
    statement = Statement.objects.get(organization=settled.buyer)
    page = page_of(portal(settled.buyer), "/statements/")
    assert f"{statement.series}-{statement.number}" in page
    assert "10.10 CNY" in page_of(portal(settled.buyer), f"/statements/{statement.public_id}/")


def test_a_strangers_statement_is_not_there(settled: Delivery) -> None:
    statement = Statement.objects.get(organization=settled.buyer)
    assert portal(settled.provider).get(f"/statements/{statement.public_id}/").status_code == 404


def test_the_provider_sees_its_money_and_what_moved_it(settled: Delivery) -> None:
    page = page_of(portal(settled.provider), "/money/")
    assert "9.80" in page
    assert "earning for delivered hours" in page
    assert "No money has moved yet." in page_of(portal(), "/money/")


@pytest.mark.parametrize("address", ["/contracts/", "/statements/", "/money/"])
def test_these_pages_are_for_reading_only(address: str) -> None:
    assert portal().post(address).status_code == 405
