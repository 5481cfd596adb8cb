"""One kilowatt-hour and one yuan, from reading to line to transfer and back: pages and API."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import Organization
from settlement.models import Statement, Transfer
from settlement.services.statements import finalize_due
from tests.factories import OrganizationFactory, api, auditor, operator, portal
from tests.settlement.deliveries import Delivery, play_at
from tests.settlement.paper import settled, statement_of
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db
HOUR = "20260105T100000Z"


@pytest.fixture
def delivery() -> Delivery:
    found = settled(energy_mj_total=1_800_000_000)
    finalize_due(play_at(FEBRUARY))
    return found


def hour_page(delivery: Delivery) -> str:
    return f"/contracts/{delivery.contract.public_id}/hours/{HOUR}/"


def links(client: Client, address: str) -> set[str]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    main = answer.content.decode().partition("<main")[2]
    return {link.replace("&amp;", "&") for link in re.findall(r'href="([^"#]+)', main)}


def sides(delivery: Delivery) -> Iterator[tuple[Organization, str]]:
    yield delivery.buyer, "delivered hours"
    yield delivery.provider, "earning for delivered hours"


def test_every_page_of_the_way_leads_on_and_back(delivery: Delivery) -> None:
    for organization, _ in sides(delivery):
        client, hour = portal(organization), hour_page(delivery)
        statement = f"/statements/{statement_of(organization).public_id}/"
        mine = Transfer.objects.filter(period__in=delivery.periods)
        owned = mine.filter(debit__owner=organization) | mine.filter(credit__owner=organization)
        transfers = {f"/transfers/{each.pk}/" for each in owned}

        assert transfers | {f"{statement}?line=1"} <= links(client, hour)
        assert transfers | {hour} <= links(client, statement)
        assert hour in links(client, f"/contracts/{delivery.contract.public_id}/")
        assert transfers & links(client, "/money/")
        for transfer in transfers:
            found = links(client, transfer)
            assert hour in found
            assert any(link.startswith(statement) for link in found)


def test_a_draft_is_led_to_by_its_hour(db: None) -> None:
    delivery = settled()
    client = portal(delivery.buyer)
    address = f"/statements/{Statement.objects.get(organization=delivery.buyer).public_id}/"
    way = f"{address}?contract={delivery.contract.public_id}&hour={HOUR}"

    assert way in links(client, hour_page(delivery))
    assert 'id="line-1"' in client.get(way).content.decode()


def test_the_hours_page_shows_readings_with_their_events(delivery: Delivery) -> None:
    page = portal(delivery.buyer).get(hour_page(delivery)).content.decode()

    assert delivery.device.public_id in page
    assert f"{delivery.device.public_id}/" in page  # the event's id
    assert "0.5" in page  # kWh as metered
    assert "0.6 kWh" in page  # with PUE


def test_strangers_and_wrong_hours_find_nothing(delivery: Delivery) -> None:
    stranger, buyer = portal(OrganizationFactory.create()), portal(delivery.buyer)
    theirs = Transfer.objects.filter(credit__owner=delivery.provider).first()
    assert theirs is not None

    assert stranger.get(hour_page(delivery)).status_code == 404
    assert portal(delivery.buyer).get(f"/transfers/{theirs.pk}/").status_code == 404
    for hour in ("20260105T090000Z", "20261305T100000Z", "x"):
        page = f"/contracts/{delivery.contract.public_id}/hours/{hour}/"
        assert buyer.get(page).status_code == 404


def test_the_api_can_be_walked_both_ways(delivery: Delivery) -> None:
    for organization, _ in sides(delivery):
        client = api(organization)
        contract = client.get("/api/v1/contracts").json()["data"][0]["id"]
        period = client.get(f"/api/v1/contracts/{contract}").json()["periods"][0]
        place = f"/api/v1/contracts/{contract}/hours/{period['hour']}"
        reading = client.get(f"{place}/readings").json()["data"][0]
        run = client.get(place).json()["runs"][0]
        line = run["statement_lines"][0]
        lines = client.get(f"/api/v1/statements/{line['statement']}/lines").json()["data"]
        transfer = client.get(f"/api/v1/transfers/{lines[0]['transfers'][0]}").json()

        assert reading["id"].startswith(delivery.device.public_id)
        assert (reading["accel_ms_total"], reading["energy_mj_total"]) == (2_700_000, 1_800_000_000)
        assert run["energy_mj"] == 1_800_000_000
        assert (lines[0]["energy_kwh"], run["run"]["energy_wh"]) == ("0.600", 600)
        assert transfer["id"] in run["transfers"]
        assert (transfer["contract"], transfer["hour"]) == (contract, period["hour"])
        assert line in transfer["statement_lines"]
        assert (lines[0]["contract"], lines[0]["hour"]) == (contract, period["hour"])
        assert len(transfer["batch_sha256"]) == 64


def test_who_sees_all_can_walk_too(delivery: Delivery) -> None:
    transfer = Transfer.objects.filter(period=delivery.period).first()
    assert transfer is not None

    for organization in (auditor(), operator()):
        shown = api(organization).get(f"/api/v1/transfers/{transfer.pk}").json()
        assert {line["number"] for line in shown["statement_lines"]} <= {"B2026-1", "P2026-1"}
        assert f"/transfers/{transfer.pk}/" in links(portal(organization), hour_page(delivery))


def test_the_admin_can_be_walked_both_ways(delivery: Delivery, admin_client: Client) -> None:
    def page(kind: str, pk: object) -> str:
        answer = admin_client.get(f"/admin/settlement/{kind}/{pk}/change/")
        assert answer.status_code == 200, kind
        return answer.content.decode().replace("&amp;", "&")

    statement = statement_of(delivery.buyer)
    line = statement.lines.earliest("line_no")
    transfer = Transfer.objects.filter(period=delivery.period, code=10).get()
    run = delivery.period.runs.get()
    reading = delivery.contract.readings.get()
    cut = f"period__id__exact={delivery.period.pk}"

    assert f"statementline/?statement__id__exact={statement.pk}" in page("statement", statement.pk)
    of_line = page("statementline", line.pk)
    assert f"transfer/?{cut}&run_no__exact=1&code__exact=10" in of_line
    assert f"deliveryperiod/{delivery.period.pk}/change/" in of_line
    assert f"settlementrun/{run.pk}/change/" in of_line
    of_transfer = page("transfer", transfer.pk)
    assert f"statementline/?{cut}&run_no__exact=1" in of_transfer
    assert f"deliveryperiod/{delivery.period.pk}/change/" in of_transfer
    assert f"settlementrun/{run.pk}/change/" in of_transfer
    of_period = page("deliveryperiod", delivery.period.pk)
    assert f"reading/?contract__id__exact={delivery.contract.pk}" in of_period
    assert f"statementline/?{cut}" in of_period
    assert f"statementline/?{cut}&run_no__exact=1" in page("settlementrun", run.pk)
    hours = re.search(
        r'href="(/admin/settlement/deliveryperiod/\?[^"]+)"', page("reading", reading.pk)
    )
    assert hours is not None
    listed = admin_client.get(hours[1]).content.decode()
    assert f"/admin/settlement/deliveryperiod/{delivery.period.pk}/change/" in listed
