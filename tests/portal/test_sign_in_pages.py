"""Signing in, out and back after a lost password, on our own pages in both languages."""

import re
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, MembershipFactory, portal

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return MembershipFactory.create(user__email="lin@example.com").user


def sign_in(client: Client, **changes: str) -> int:
    fields = {"login": "lin@example.com", "password": PASSWORD} | changes
    return client.post("/accounts/login/", fields).status_code


def test_the_right_password_opens_the_portal(client: Client, user: User) -> None:
    assert sign_in(client) == 302
    assert client.get("/contracts/").status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"login": "nobody@example.com"}])
def test_a_wrong_password_and_an_unknown_person_read_the_same(
    client: Client, user: User, wrong: dict[str, str]
) -> None:
    assert sign_in(client, **wrong) == 200
    page = client.post("/accounts/login/", {"login": "x@example.com", "password": "y"})
    assert "not correct" in page.content.decode()
    assert client.get("/contracts/").status_code == 302


def test_nobody_signs_up_alone(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/",
        {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.status_code in (200, 302)
    assert not User.objects.filter(email="new@example.com").exists()
    assert "/accounts/signup/" not in client.get("/accounts/login/").content.decode()


def test_a_lost_password_is_set_anew_by_mail(client: Client, user: User) -> None:
    client.post("/accounts/password/reset/", {"email": user.email})
    found = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert found
    form = client.get(found[0], follow=True)
    changed = {"password1": "correct zebra staple", "password2": "correct zebra staple"}
    assert client.post(form.redirect_chain[-1][0], changed).status_code == 302
    assert sign_in(client) == 200
    assert sign_in(client, password="correct zebra staple") == 302


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/accounts/login/", "登录"),
        ("/accounts/password/reset/", "密码重置"),
        ("/accounts/logout/", "退出登录"),
        ("/accounts/password/change/", "修改密码"),
        ("/accounts/2fa/", "身份验证"),
        ("/nowhere/", "没有这个页面"),
    ],
)
def test_the_pages_speak_chinese(user: User, address: str, said: str) -> None:
    client = Client() if "login" in address or "reset" in address else portal()
    client.post("/i18n/setlang/", {"language": "zh-hans"})
    page = client.get(address).content.decode()
    assert '<html lang="zh-hans"' in page
    assert said in page


def test_signing_out_is_a_post(user: User) -> None:
    client = portal()
    client.get("/accounts/logout/")
    assert client.get("/contracts/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/contracts/").status_code == 302


def test_a_form_without_its_token_says_so_in_our_look() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "This form has grown too old" in answer.content.decode()


def test_a_page_sets_a_policy_without_unsafe_words(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


TEMPLATES = sorted((Path(__file__).resolve().parents[2] / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_carries_inline_scripts_or_styles(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
