"""What the door does with a key, over HTTP."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey, Organization, Scope
from accounts.services import tokens
from accounts.services.api_keys import issue_key, revoke_key
from accounts.services.organizations import suspend_organization
from exchange.foundation.ids import new_id
from tests.factories import OrganizationFactory, api_with, caller, operator

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def issue(**options: Any) -> tuple[ApiKey, str]:
    options = {"name": "trading desk", "scopes": [Scope.BIDS_READ]} | options
    return issue_key(OrganizationFactory.create(), **options)


def refusal(token: str) -> tuple[int, str]:
    answer = api_with(token).get(ME)
    return answer.status_code, answer.json()["code"]


def test_a_key_says_who_it_speaks_for() -> None:
    key, token = issue()

    answer = api_with(token).get(ME)

    assert answer.status_code == 200
    assert answer.json()["organization"]["id"] == key.organization.public_id
    assert answer.json()["api_key"]["scopes"] == ["bids:read"]


def test_the_secret_is_kept_nowhere() -> None:
    key, token = issue()

    kept = ApiKey.objects.filter(pk=key.pk).values().get()

    assert token.partition(".")[2] not in str(kept)
    assert bytes(kept["secret_hmac"]) == tokens.hmacs(token)[0]


def test_no_key_is_asked_for_one() -> None:
    answer = APIClient().get(ME)

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "header", ["Basic a2V5", "Bearer", "Bearer ", "bearer x", "key_x", "", "Béarer"]
)
def test_a_strange_header_is_a_401(header: str) -> None:
    assert APIClient(HTTP_AUTHORIZATION=header).get(ME).status_code == 401


def test_the_scheme_may_be_written_in_any_case() -> None:
    _, token = issue()

    assert APIClient(HTTP_AUTHORIZATION=f"bearer {token}").get(ME).status_code == 200


def test_an_unknown_key_and_a_wrong_secret_look_the_same() -> None:
    key, _ = issue()

    unknown = api_with(tokens.new_secret(new_id("key"))).get(ME)
    wrong = api_with(tokens.new_secret(key.public_id)).get(ME)

    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


def test_a_revoked_key_opens_nothing() -> None:
    key, token = issue()
    revoke_key(key, actor=caller())

    assert refusal(token) == (401, "api_key_revoked")


def test_a_key_opens_until_the_second_it_expires() -> None:
    key, token = issue(expires_at=timezone.now() + timedelta(hours=1))
    assert api_with(token).get(ME).status_code == 200

    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())

    assert refusal(token) == (401, "api_key_expired")


def test_what_ails_a_key_is_told_only_to_who_knows_its_secret() -> None:
    key, _ = issue()
    revoke_key(key, actor=caller())

    assert refusal(tokens.new_secret(key.public_id)) == (401, "api_key_invalid")


def test_a_suspended_organization_is_told_so() -> None:
    key, token = issue()
    suspend_organization(key.organization, reason="unpaid", actor=caller(operator()))

    assert refusal(token) == (403, "organization_suspended")


def test_an_older_pepper_still_opens_and_is_replaced_by_use(settings: Settings) -> None:
    settings.API_KEY_PEPPER = "old"
    key, token = issue()
    settings.API_KEY_PEPPER = "new,old"
    assert api_with(token).get(ME).status_code == 200

    settings.API_KEY_PEPPER = "new"

    assert api_with(token).get(ME).status_code == 200
    key.refresh_from_db()
    assert bytes(key.secret_hmac) == tokens.hmacs(token)[0]


def test_a_pepper_no_longer_in_force_opens_nothing(settings: Settings) -> None:
    settings.API_KEY_PEPPER = "old"
    _, token = issue()
    settings.API_KEY_PEPPER = "new"

    assert refusal(token) == (401, "api_key_invalid")


def test_the_door_asks_the_database_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _, token = issue()
    api_with(token).get(ME)

    with django_assert_num_queries(2):  # The door's, and the view's own.
        api_with(token).get(ME)


def test_use_is_written_at_most_once_a_minute() -> None:
    key, token = issue()
    api_with(token).get(ME)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    api_with(token).get(ME)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first is not None

    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    api_with(token).get(ME)

    assert ApiKey.objects.get(pk=key.pk).last_used_at > first  # type: ignore[operator]


def test_the_secret_never_reaches_the_database() -> None:
    _, token = issue()

    with CaptureQueriesContext(connection) as asked:
        api_with(token).get(ME)

    assert token.partition(".")[2] not in str(asked.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_a_locked_key_is_not_waited_for() -> None:
    key, token = issue()
    answers: list[int] = []

    def ask() -> None:
        answers.append(api_with(token).get(ME).status_code)
        connection.close()

    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=key.pk)
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(timeout=10)
        assert answers == [200]
    assert ApiKey.objects.get(pk=key.pk).last_used_at is None


def test_a_state_that_no_organization_has_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="organization_state"), transaction.atomic():
        Organization.objects.update_or_create(name="x", buys=True, state="closed")
