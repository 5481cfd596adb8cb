"""A person signs in, protects the account with an authenticator app, and signs in with it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.rooms import code_now, confirm_password, room, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_authenticator_app_is_set_up_and_then_asked_for(open_page: OpenPage) -> None:
    lin = room().user
    page = open_page()
    sign_in(page, lin, to="/accounts/2fa/totp/activate/")
    confirm_password(page)
    secret = page.input_value("#authenticator_secret")
    page.fill("input[name=code]", code_now(secret))
    page.click("main button[type=submit]")
    expect(page.locator("h1")).to_have_text("Recovery Codes")

    other = open_page()
    sign_in(other, lin)
    expect(other.locator("h1")).to_have_text("Two-Factor Authentication")
    other.fill("input[name=code]", "000000")
    other.click("main button:has-text('Sign In')")
    expect(other.locator(".invalid-feedback")).to_be_visible()
    codes = page.input_value("#recovery_codes").split()
    other.fill("input[name=code]", codes[0])
    other.click("main button:has-text('Sign In')")
    expect(other.locator("h1")).to_have_text("Offers")


def test_a_wrong_password_opens_nothing(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", room().user.email)
    page.fill("input[name=password]", "not the password")
    page.click("main button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    page.goto("/offers/")
    expect(page.locator("h1")).to_have_text("Sign in")


def test_the_language_and_the_colours_are_switched_and_kept(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/")
    page.click("button:has-text('中文')")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.click("button[name=theme]:visible")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/accounts/login/")
    expect(page.locator("h1")).to_have_text("登录")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
