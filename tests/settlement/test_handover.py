"""Hand-over: meters and devices, whom they serve, and the note that says how to get in."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey, AuditRow, Organization, Role, WebhookEndpoint
from accounts.services.sealing import is_newest
from settlement.models import AccessNote, AccessNoteRead, ContractState, DeviceAssignment, Meter
from settlement.services.contracts import move_contract
from tests.accounts.endpoints import an_endpoint
from tests.factories import OrganizationFactory, api, api_with, auditor, operator, portal
from tests.settlement.agreements import START, a_contract
from tests.settlement.deliveries import play_at

pytestmark = pytest.mark.django_db
NOTE = "ssh gpu-7.example, password: horse staple"
MACHINES = {
    "site": "gui-an-1",
    "accelerator": "ascend-910b",
    "serials": ["a-1", "a-2"],
    "capacity": "8",
}


class Deal:
    """A contract with its provider and buyer, each at a desk and at the API."""

    def __init__(self) -> None:
        play_at(START)
        self.buyer: Organization = OrganizationFactory.create(provides=False)
        self.provider: Organization = OrganizationFactory.create(buys=False)
        self.contract = a_contract(self.buyer, self.provider)
        self.path = f"/api/v1/contracts/{self.contract.public_id}"
        self.page = f"/contracts/{self.contract.public_id}/handover/"

    def write(self, text: str = NOTE) -> Any:
        return api(self.provider).put(f"{self.path}/access_note", {"text": text})


@pytest.fixture
def deal() -> Deal:
    return Deal()


def post(client: APIClient, path: str, body: object, *, key: str = "k") -> Any:
    return client.post(path, body, headers={"Idempotency-Key": key})


def test_a_meter_is_enrolled_over_the_api_and_its_key_reports(deal: Deal) -> None:
    answer = post(api(deal.provider), "/api/v1/meters", {"party": "provider", "site": "gui-an-1"})

    assert answer.status_code == 201
    me = api_with(answer.json()["token"]).get("/api/v1/me").json()
    assert me["api_key"]["meter"] == answer.json()["id"]
    assert me["api_key"]["scopes"] == ["readings:write"]


def test_the_kept_answer_with_a_meter_s_key_is_sealed(deal: Deal) -> None:
    client = api(deal.provider)
    body = {"party": "provider", "site": "gui-an-1"}
    token = post(client, "/api/v1/meters", body).json()["token"]

    assert post(client, "/api/v1/meters", body).json()["token"] == token
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM accounts_idempotencyrecord")
        assert token.encode() not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize("party", ["provider", "buyer"])
def test_a_meter_is_of_a_kind_that_its_organization_is(deal: Deal, party: str) -> None:
    wrong = deal.buyer if party == "provider" else deal.provider

    answer = post(api(wrong), "/api/v1/meters", {"party": party, "site": "gui-an-1"})

    assert answer.json()["code"] == "not_for_meters"
    assert not Meter.objects.exists()


def test_a_revoked_meter_reports_no_more(deal: Deal) -> None:
    client = api(deal.provider)
    made = post(client, "/api/v1/meters", {"party": "provider", "site": "gui-an-1"}).json()

    answer = post(client, f"/api/v1/meters/{made['id']}/revoke", {"reason": "stolen"}, key="r")

    assert answer.json()["revoked_at"] is not None
    event = [{"id": "1"}]
    refused = api_with(made["token"]).post(
        "/api/v1/readings", event, content_type="application/cloudevents-batch+json"
    )
    assert refused.status_code in {403, 415} or refused.json()["rejected"]
    assert AuditRow.objects.filter(verb="revoke", reason="stolen").exists()


def test_devices_are_enrolled_found_again_and_not_on_other_terms(deal: Deal) -> None:
    client = api(deal.provider)
    first = post(client, "/api/v1/devices", MACHINES, key="1").json()["devices"]
    again = post(client, "/api/v1/devices", MACHINES, key="2").json()["devices"]
    other = post(client, "/api/v1/devices", MACHINES | {"capacity": "4"}, key="3")

    assert [each["serial"] for each in first] == ["a-1", "a-2"]
    assert again == first
    assert other.json()["code"] == "enrolment_malformed"
    assert len(client.get("/api/v1/devices", {"serial": "a-1"}).json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"serials": []}, 400),
        ({"serials": ["a", "a"]}, 422),
        ({"serials": ["x" * 65]}, 400),
        ({"capacity": "0"}, 400),
        ({"capacity": 8}, 400),
        ({"site": ""}, 400),
    ],
)
def test_malformed_devices_are_refused_and_none_is_enrolled(
    deal: Deal, change: dict[str, Any], status: int
) -> None:
    client = api(deal.provider)

    assert post(client, "/api/v1/devices", MACHINES | change).status_code == status
    assert client.get("/api/v1/devices").json()["data"] == []


def test_a_device_serves_a_contract_until_it_is_taken_away(deal: Deal) -> None:
    client = api(deal.provider)
    device = post(client, "/api/v1/devices", MACHINES, key="1").json()["devices"][0]
    answer = post(client, f"{deal.path}/devices", {"device": device["id"]}, key="2")

    assert answer.status_code == 201
    (seen,) = api(deal.buyer).get(f"{deal.path}/devices").json()["data"]
    assert (seen["device"], seen["revoked_at"]) == (device["id"], None)
    gone = {"device": device["id"], "reason": "broken"}
    assert post(client, f"{deal.path}/devices/unassign", gone, key="3").status_code == 204
    assert DeviceAssignment.objects.get().revoked_at is not None
    again = post(client, f"{deal.path}/devices/unassign", gone, key="4")
    assert again.json()["code"] == "not_assigned"


def test_a_device_is_assigned_within_its_contract_s_time(deal: Deal) -> None:
    client = api(deal.provider)
    device = post(client, "/api/v1/devices", MACHINES, key="1").json()["devices"][0]
    late = {"device": device["id"], "ends_at": "2027-01-01T00:00:00Z"}

    answer = post(client, f"{deal.path}/devices", late, key="2")

    assert answer.json()["code"] == "outside_contract"


def test_a_device_serves_one_contract_at_a_time(deal: Deal) -> None:
    other = a_contract(deal.buyer, deal.provider, bid_id="bid_2", hold_key="bid_2")
    client = api(deal.provider)
    device = post(client, "/api/v1/devices", MACHINES, key="1").json()["devices"][0]["id"]
    assert post(client, f"{deal.path}/devices", {"device": device}, key="2").status_code == 201

    path = f"/api/v1/contracts/{other.public_id}/devices"

    assert post(client, path, {"device": device}, key="3").json()["code"] == "device_taken"


def test_the_buyer_s_traders_read_the_note_and_each_reading_is_on_record(deal: Deal) -> None:
    assert deal.write().json()["version"] == 1

    answer = api(deal.buyer).get(f"{deal.path}/access_note")

    assert answer.json() == {"text": NOTE}
    assert answer["Cache-Control"] == "no-store"
    read = AccessNoteRead.objects.get()
    assert (read.version, read.organization, read.reader_name) == (1, deal.buyer, "a test")
    theirs = api(deal.provider).get(f"{deal.path}/access_note/reads").json()["data"]
    ours = api(deal.buyer).get(f"{deal.path}/access_note/reads").json()["data"]
    assert [each["reader"] for each in theirs + ours] == ["", "a test"]


def test_nobody_else_reads_the_note(deal: Deal) -> None:
    deal.write()
    note = f"{deal.path}/access_note"

    for who in (deal.provider, operator(), auditor()):
        assert api(who).get(note).json()["code"] == "not_the_buyer"
    assert api(deal.buyer, scopes=["contracts:read"]).get(note).json()["code"] == "scope_missing"
    assert api().get(note).status_code == 404
    for role in (Role.VIEWER, Role.APPROVER):
        assert portal(deal.buyer, role=role).post(f"{deal.page}note/read/").status_code == 403
    assert not AccessNoteRead.objects.exists()


@pytest.mark.parametrize(("text", "status"), [("", 400), (" \n", 422), ("x" * 8_001, 400)])
def test_a_note_says_something(deal: Deal, text: str, status: int) -> None:
    assert deal.write(text).status_code == status
    assert not AccessNote.objects.exists()


def test_only_the_provider_writes_the_note(deal: Deal) -> None:
    answer = api(deal.buyer).put(f"{deal.path}/access_note", {"text": NOTE})

    assert answer.json()["code"] == "not_the_provider"


def test_a_note_is_replaced(deal: Deal) -> None:
    deal.write()

    assert deal.write("new").json()["version"] == 2
    assert api(deal.buyer).get(f"{deal.path}/access_note").json() == {"text": "new"}


def test_a_contract_that_is_over_has_no_note_to_read(deal: Deal) -> None:
    deal.write()
    for state in (ContractState.PROVISIONING, ContractState.ACTIVE, ContractState.ENDED):
        move_contract(deal.contract, state, reason="a test")

    answer = api(deal.buyer).get(f"{deal.path}/access_note")

    assert answer.json()["code"] == "contract_over"
    assert deal.write().json()["code"] == "contract_over"


def test_no_column_holds_the_note_as_it_reads(deal: Deal) -> None:
    deal.write()

    sealed = bytes(AccessNote.objects.get().sealed)

    assert b"horse" not in sealed


def test_a_note_does_not_open_under_another_contract(deal: Deal) -> None:
    deal.write()
    other = a_contract(deal.buyer, deal.provider, bid_id="bid_2", hold_key="bid_2")
    AccessNote.objects.update(contract=other)

    answer = api(deal.buyer).get(f"/api/v1/contracts/{other.public_id}/access_note")

    assert answer.status_code == 500
    assert "horse" not in answer.content.decode()
    assert not AccessNoteRead.objects.exists()


def test_what_was_read_cannot_be_unread(deal: Deal) -> None:
    deal.write()
    api(deal.buyer).get(f"{deal.path}/access_note")

    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        AccessNoteRead.objects.all().delete()


def resealed() -> list[str]:
    out = StringIO()
    call_command("reseal_secrets", stdout=out)
    return out.getvalue().splitlines()


def test_after_a_rotation_of_keys_everything_opens_with_the_new_one_alone(
    deal: Deal, settings: Settings
) -> None:
    settings.SEALING_KEYS = ["old"]
    deal.write()
    endpoint, _ = an_endpoint()
    client = api(deal.provider)
    body = {"party": "provider", "site": "gui-an-1"}
    token = post(client, "/api/v1/meters", body).json()["token"]
    settings.SEALING_KEYS = ["new", "old"]

    assert resealed() == [
        "access notes: 1 sealed anew",
        "webhook endpoints: 1 sealed anew",
        "kept answers: 1 sealed anew",
    ]
    assert {line.split()[-3] for line in resealed()} == {"0"}

    settings.SEALING_KEYS = ["new"]
    assert api(deal.buyer).get(f"{deal.path}/access_note").json() == {"text": NOTE}
    assert is_newest(WebhookEndpoint.objects.get(pk=endpoint.pk).sealed_secret)
    assert post(client, "/api/v1/meters", body).json()["token"] == token


def test_a_key_that_was_dropped_too_early_is_told(deal: Deal, settings: Settings) -> None:
    settings.SEALING_KEYS = ["old"]
    deal.write()
    settings.SEALING_KEYS = ["new"]

    with pytest.raises(CommandError, match="access notes: no key"):
        resealed()


def test_the_provider_hands_over_on_its_page(deal: Deal) -> None:
    client = portal(deal.provider, role=Role.TRADER)
    client.post(
        "/equipment/devices/new/",
        {"site": "gui-an-1", "accelerator": "ascend-910b", "capacity": "2", "serials": "s-1\ns-2"},
    )
    page = client.get(deal.page).content.decode()
    assert "s-1" in page
    device = deal.provider.devices.get(serial="s-1")

    client.post(f"{deal.page}assign/", {"device": device.public_id})
    client.post(f"{deal.page}note/", {"text": NOTE})

    page = client.get(deal.page).content.decode()
    assert "Take away" in page
    assert NOTE not in page
    assert "Read the note" not in page
    client.post(f"{deal.page}unassign/", {"device": device.public_id})
    assert DeviceAssignment.objects.get().revoked_at is not None


def test_the_buyer_reads_on_its_page(deal: Deal) -> None:
    deal.write("<b>ssh</b>")
    client = portal(deal.buyer, role=Role.TRADER)
    assert "Read the note" in client.get(deal.page).content.decode()
    assert client.get(f"{deal.page}note/read/").status_code == 405

    answer = client.post(f"{deal.page}note/read/")

    assert "&lt;b&gt;ssh&lt;/b&gt;" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    reader = AccessNoteRead.objects.get().reader_name
    assert reader in client.get(deal.page).content.decode()
    assert reader not in portal(deal.provider).get(deal.page).content.decode()


def test_a_meter_s_key_is_shown_once_on_the_page(deal: Deal) -> None:
    client: Client = portal(deal.buyer)

    answer = client.post("/equipment/meters/new/", {"site": "gui-an-1", "party": "buyer"})

    assert answer.status_code == 201
    meter = Meter.objects.get()
    token_id = ApiKey.objects.get(meter=meter.public_id).public_id
    assert token_id in answer.content.decode()
    assert token_id not in client.get("/equipment/").content.decode()
    client.post(f"/equipment/meters/{meter.public_id}/revoke/")
    meter.refresh_from_db()
    assert meter.revoked_at is not None


@pytest.mark.parametrize(
    "changes", [{"serials": "x" * 65}, {"serials": "a\na"}, {"capacity": "0"}, {"serials": ""}]
)
def test_a_wrong_form_enrols_nothing(deal: Deal, changes: dict[str, str]) -> None:
    form = {"site": "gui-an-1", "accelerator": "h", "capacity": "1", "serials": "a"} | changes

    answer = portal(deal.provider).post("/equipment/devices/new/", form)

    assert answer.status_code == 422
    assert not deal.provider.devices.exists()
