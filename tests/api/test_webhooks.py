"""Webhook endpoints and their logs over REST."""

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from accounts.models import Organization, WebhookDelivery, WebhookEndpoint
from accounts.services.webhook_courier import visit
from accounts.services.webhook_endpoints import ENDPOINTS_MAX
from tests.accounts.endpoints import PUBLIC, a_delivery
from tests.accounts.receivers import answering, receiver
from tests.factories import OrganizationFactory, api

pytestmark = pytest.mark.django_db
ENDPOINTS = "/api/v1/webhook_endpoints"
DELIVERIES = "/api/v1/webhook_deliveries"


@pytest.fixture
def own() -> Organization:
    return OrganizationFactory.create()


@pytest.fixture
def client(own: Organization) -> APIClient:
    return api(own)


def post(client: APIClient, path: str, body: object = None, *, key: str = "") -> Any:
    key = key or f"key {path} {WebhookDelivery.objects.count()}"
    return client.post(path, body or {}, headers={"Idempotency-Key": key})


def add(client: APIClient, *, key: str = "", **changes: Any) -> Any:
    return post(client, ENDPOINTS, {"url": PUBLIC} | changes, key=key or str(changes))


def test_an_endpoint_is_made_and_its_secret_told_once(client: APIClient) -> None:
    answer = add(client, description="ours", event_types=["dispute.moved"])

    made = answer.json()
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    found = client.get(answer["Location"]).json()
    assert found == {name: value for name, value in made.items() if name != "secret"}
    assert found["event_types"] == ["dispute.moved"]
    assert client.get(ENDPOINTS).json()["data"] == [found]


def test_a_repeat_tells_the_same_secret_and_no_table_holds_it(client: APIClient) -> None:
    first = add(client, key="once").json()
    again = add(client, key="once")

    assert again.json() == first
    assert again["Idempotency-Replayed"] == "true"
    assert WebhookEndpoint.objects.count() == 1
    secret = first["secret"].removeprefix("whsec_").encode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM accounts_idempotencyrecord")
        kept = b"".join(bytes(body) for (body,) in cursor.fetchall())
        cursor.execute("SELECT sealed_secret FROM accounts_webhookendpoint")
        kept += b"".join(bytes(sealed) for (sealed,) in cursor.fetchall())
    assert secret not in kept


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://receiver.example/", "url_not_https"),
        ("ftp://receiver.example/", "url_not_https"),
        ("receiver.example", "url_malformed"),
        ("https://", "url_malformed"),
        ("https://user:pass@receiver.example/", "url_malformed"),
        ("https://receiver.example/#part", "url_malformed"),
        ("https://receiver.example:99999/", "url_malformed"),
        ("https://[half/", "url_malformed"),
        ("https://receiver.example/a b", "url_malformed"),
        ("javascript:alert(1)", "url_malformed"),
    ],
)
def test_an_address_that_is_none_is_refused(client: APIClient, url: str, code: str) -> None:
    answer = add(client, url=url)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code
    assert answer.json()["errors"][0]["pointer"] == "/url"
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"url": ["x"]}, {"url": PUBLIC, "event_types": ["no.such"]}, {"url": PUBLIC, "other": 1}],
)
def test_a_malformed_body_is_refused(client: APIClient, body: dict[str, Any]) -> None:
    assert post(client, ENDPOINTS, body).status_code == 400
    assert not WebhookEndpoint.objects.exists()


def test_endpoints_have_a_limit_and_removed_ones_do_not_count(client: APIClient) -> None:
    made = [add(client, key=str(n)).json()["id"] for n in range(ENDPOINTS_MAX)]

    assert add(client, key="more").json()["code"] == "too_many_endpoints"
    assert post(client, f"{ENDPOINTS}/{made[0]}/remove").json()["state"] == "removed"
    assert add(client, key="more").status_code == 201
    assert client.get(f"{ENDPOINTS}/{made[0]}").status_code == 404


def test_an_endpoint_is_changed_in_part(client: APIClient) -> None:
    made = add(client, description="old", event_types=["dispute.moved"]).json()

    answer = client.patch(f"{ENDPOINTS}/{made['id']}", {"description": "new"})

    assert answer.json()["description"] == "new"
    assert (answer.json()["url"], answer.json()["event_types"]) == (PUBLIC, ["dispute.moved"])


def test_rotation_tells_another_secret_and_until_when_both_sign(client: APIClient) -> None:
    made = add(client).json()

    rotated = post(client, f"{ENDPOINTS}/{made['id']}/rotate").json()

    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["old_secret_until"] is not None


def test_a_test_event_is_sent_logged_and_replayed(client: APIClient) -> None:
    with receiver(answering(503, "later")) as there:
        made = add(client, url=there.url).json()
        sent = post(client, f"{ENDPOINTS}/{made['id']}/test").json()
        visit(WebhookEndpoint.objects.get().pk)
        seen = client.get(f"{DELIVERIES}/{sent['id']}").json()
        there.behave = answering(200)
        replayed = post(client, f"{DELIVERIES}/{sent['id']}/replay")
        visit(WebhookEndpoint.objects.get().pk)

    assert (seen["state"], seen["event_type"], seen["attempts"]) == ("pending", "webhook.test", 1)
    assert seen["tries"][0]["status"] == 503
    assert seen["tries"][0]["answer"] == "later"
    assert seen["data"] == {"endpoint": made["id"]}
    assert replayed.status_code == 200
    assert client.get(f"{DELIVERIES}/{sent['id']}").json()["state"] == "delivered"
    assert Webhook(made["secret"]).verify(there.got[1].body, there.got[1].headers)


def test_a_disabled_endpoint_is_not_tested(client: APIClient) -> None:
    made = add(client).json()
    path = f"{ENDPOINTS}/{made['id']}"
    assert post(client, f"{path}/disable").json()["state"] == "disabled"

    assert post(client, f"{path}/test").json()["code"] == "endpoint_not_enabled"
    assert post(client, f"{path}/disable", key="again").json()["code"] == "illegal_move"
    assert post(client, f"{path}/enable").json()["state"] == "enabled"


def test_the_log_is_cut_by_its_filters(client: APIClient, own: Organization) -> None:
    add(client, key="one")
    add(client, key="two")
    one, two = WebhookEndpoint.objects.order_by("pk")
    a_delivery(one)
    WebhookDelivery.objects.filter(endpoint=two).update(state="failed")

    def found(**query: str) -> list[str]:
        return [row["endpoint"] for row in client.get(DELIVERIES, query).json()["data"]]

    assert sorted(found()) == sorted([one.public_id, two.public_id])
    assert found(endpoint=one.public_id) == [one.public_id]
    assert found(state="failed") == [two.public_id]
    assert found(event_type="dispute.moved") == []
    assert len(found(about="thing_1")) == 2
