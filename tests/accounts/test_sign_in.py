"""Signing in, losing a password, being locked out, and the second factor."""

import re
import uuid

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.factories import PASSWORD, UserFactory, portal

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture
def client() -> Client:
    """Return a browser at an address of its own: failures are counted by address."""
    return Client(REMOTE_ADDR=f"10.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}.1")


@pytest.fixture
def user() -> User:
    return UserFactory.create(email=f"{uuid.uuid4()}@example.com")


def sign_in(client: Client, email: str, password: str = PASSWORD) -> bool:
    client.post(LOGIN, {"login": email, "password": password})
    return "_auth_user_id" in client.session


def set_up_totp(user: User) -> str:
    secret: str = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def test_one_signs_in_by_e_mail_in_any_case(client: Client, user: User) -> None:
    assert sign_in(client, user.email.upper())


def test_a_wrong_password_does_not_sign_in(client: Client, user: User) -> None:
    assert not sign_in(client, user.email, "wrong")


def test_who_left_does_not_sign_in(client: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert not sign_in(client, user.email)


def test_an_address_is_locked_out_after_failures(client: Client, user: User) -> None:
    for _ in range(5):
        assert not sign_in(client, user.email, "wrong")

    assert not sign_in(client, user.email, PASSWORD)


def test_nobody_else_is_locked_out_with_it(client: Client, user: User) -> None:
    for _ in range(5):
        sign_in(client, user.email, "wrong")

    assert sign_in(client, UserFactory.create(email=f"{uuid.uuid4()}@example.com").email)


def test_a_lost_password_is_replaced_by_a_letter(client: Client, user: User) -> None:
    client.post("/accounts/password/reset/", {"email": user.email})
    found = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert found
    page = client.get(found[1])

    client.post(
        page["Location"], {"password1": "new battery staple", "password2": "new battery staple"}
    )

    assert mail.outbox[0].to == [user.email]
    assert sign_in(client, user.email, "new battery staple")
    assert client.get(found[1]).status_code == 200  # The link is spent: a page says so.


def test_an_unknown_address_is_told_the_same(client: Client, user: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": user.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_nobody_signs_up_alone(client: Client) -> None:
    body = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}

    client.post("/accounts/signup/", body)

    assert not User.objects.filter(email="new@example.com").exists()


def test_a_second_factor_is_asked_of_who_set_one_up(client: Client, user: User) -> None:
    secret = set_up_totp(user)

    assert not sign_in(client, user.email)

    counter = next(iter(totp.yield_hotp_counters_from_time()))
    code = totp.format_hotp_value(totp.hotp_value(secret, counter))
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert "_auth_user_id" in client.session


def test_a_wrong_second_factor_does_not_sign_in(client: Client, user: User) -> None:
    set_up_totp(user)
    sign_in(client, user.email)

    client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    assert "_auth_user_id" not in client.session


def test_the_admin_asks_for_the_portal_s_sign_in(client: Client) -> None:
    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith(LOGIN)


def test_a_member_is_no_administrator() -> None:
    client = portal()

    assert client.get("/admin/", follow=True).status_code == 403


def test_staff_needs_a_second_factor_where_it_is_asked(
    client: Client, user: User, settings: Settings
) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    sign_in(client, user.email)
    assert client.get("/admin/").status_code == 200

    settings.STAFF_NEEDS_TOTP = True

    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/")
    set_up_totp(user)
    assert client.get("/admin/").status_code == 200


def test_the_secret_of_a_second_factor_belongs_to_its_user(user: User) -> None:
    set_up_totp(user)

    assert get_adapter().is_mfa_enabled(user)
    assert Authenticator.objects.get().user == user
