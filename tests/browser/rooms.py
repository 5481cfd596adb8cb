"""What the browser tests look at: a provider with offers, a published auction, a settled hour."""

from dataclasses import dataclass

from allauth.mfa.totp.internal import auth
from playwright.sync_api import Page

from accounts.models import User
from tests.factories import PASSWORD, MembershipFactory
from tests.portal.desks import Desk, desk, offer_of, publish


@dataclass(frozen=True, kw_only=True)
class Room:
    """A provider's desk and the person who will sit down at it."""

    desk: Desk
    user: User


def room() -> Room:
    """Return a provider with two offers, one of them sold from, and an owner called Lin."""
    at = desk()
    offer_of(at.caller, label="night shift")
    offer_of(at.caller, label="weekend", quantity="20", price="1.250")
    publish(at)
    user = MembershipFactory.create(organization=at.market.provider, user__name="Lin").user
    return Room(desk=at, user=user)


def sign_in(page: Page, user: User, *, to: str = "/offers/") -> None:
    """Sign in with the password, in whatever language the page is."""
    page.goto(f"/accounts/login/?next={to}")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")


def confirm_password(page: Page) -> None:
    """Answer the page that asks for the password again before the account is changed."""
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")


def code_now(secret: str) -> str:
    """Return what an authenticator app with this secret shows at this moment."""
    *_, latest = auth.yield_hotp_counters_from_time()
    return str(auth.format_hotp_value(auth.hotp_value(secret, latest)))
