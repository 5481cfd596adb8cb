"""Webhooks in the portal."""

import re

import pytest
from django.test import Client

from accounts.models import AuditRow, Organization, Role, WebhookDelivery, WebhookEndpoint
from accounts.services.webhook_courier import visit
from tests.accounts.endpoints import PUBLIC, a_delivery, an_endpoint
from tests.accounts.receivers import answering, receiver
from tests.factories import OrganizationFactory, member, portal

pytestmark = pytest.mark.django_db
PAGE = "/organization/webhooks"


@pytest.fixture
def own() -> Organization:
    return OrganizationFactory.create()


@pytest.fixture
def client(own: Organization) -> Client:
    return portal(own)


def endpoint_of(own: Organization, url: str = PUBLIC) -> WebhookEndpoint:
    return an_endpoint(url, owner=member(own))[0]


def test_a_secret_is_shown_once(client: Client) -> None:
    answer = client.post(f"{PAGE}/new", {"url": PUBLIC, "event_types": ["dispute.moved"]})

    secret = re.search(r"whsec_[\w+/]+=*", answer.content.decode())
    assert secret
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.event_types == ["dispute.moved"]
    for path in (PAGE, f"{PAGE}/{endpoint.public_id}"):
        assert secret[0] not in client.get(path).content.decode()


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://receiver.example/", "must begin with https://"), ("nothing", "not the address")],
)
def test_a_wrong_address_is_told_on_the_form(client: Client, url: str, said: str) -> None:
    answer = client.post(f"{PAGE}/new", {"url": url})

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_only_owners_change_endpoints(own: Organization) -> None:
    endpoint = endpoint_of(own)
    trader = portal(own, role=Role.TRADER)

    assert trader.get(PAGE).status_code == 200
    assert trader.get(f"{PAGE}/{endpoint.public_id}").status_code == 200
    for verb in ("edit", "rotate", "enable", "disable", "remove", "test"):
        assert trader.post(f"{PAGE}/{endpoint.public_id}/{verb}").status_code == 403


def test_an_endpoint_is_edited(client: Client, own: Organization) -> None:
    endpoint = endpoint_of(own)
    path = f"{PAGE}/{endpoint.public_id}/edit"
    assert PUBLIC in client.get(path).content.decode()

    client.post(path, {"url": PUBLIC + "2", "description": "second"})

    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.description) == (PUBLIC + "2", "second")
    assert AuditRow.objects.about(endpoint).filter(verb="edit").exists()


def test_an_endpoint_is_disabled_enabled_and_removed(client: Client, own: Organization) -> None:
    endpoint = endpoint_of(own)
    states = []
    for verb in ("disable", "disable", "enable", "remove"):
        client.post(f"{PAGE}/{endpoint.public_id}/{verb}")
        endpoint.refresh_from_db()
        states.append(endpoint.state)

    assert states == ["disabled", "disabled", "enabled", "removed"]
    assert client.get(f"{PAGE}/{endpoint.public_id}").status_code == 404


def test_a_test_event_shows_what_came_of_it_and_is_sent_again(
    client: Client, own: Organization
) -> None:
    with receiver(answering(500, "<b>no</b>")) as there:
        endpoint = endpoint_of(own, there.url)
        page = client.post(f"{PAGE}/{endpoint.public_id}/test")["Location"]
        visit(endpoint.pk)
        shown = client.get(page).content.decode()
        client.post(f"{page}/replay")
        visit(endpoint.pk)

    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert "answered with an error" in shown
    assert len(there.got) == 2


def test_the_log_shows_a_state_alone(client: Client, own: Organization) -> None:
    endpoint = endpoint_of(own)
    sent = a_delivery(endpoint)
    given_up = a_delivery(endpoint)
    WebhookDelivery.objects.filter(pk=given_up.pk).update(state="failed")

    page = client.get(f"{PAGE}/{endpoint.public_id}?state=failed").content.decode()

    assert given_up.public_id in page
    assert sent.public_id not in page


def test_a_new_secret_is_shown_with_the_end_of_the_old_one(
    client: Client, own: Organization
) -> None:
    endpoint = endpoint_of(own)

    page = client.post(f"{PAGE}/{endpoint.public_id}/rotate").content.decode()

    assert "whsec_" in page
    assert "goes on signing beside it until" in page
