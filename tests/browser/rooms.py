"""What the browser tests look at: a provider with offers, and a published auction."""

from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import TOTP
from playwright.sync_api import Page

from accounts.models import Membership, User
from tests.factories import PASSWORD, MembershipFactory
from tests.portal.desks import Desk, desk, offer_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass(frozen=True, kw_only=True)
class Room:
    """A provider's desk and the person who will sit down at it."""

    desk: Desk
    user: User


def room() -> Room:
    """Return a provider with two offers and an owner called Lin."""
    at = desk()
    offer_of(at.caller, label="night shift")
    offer_of(at.caller, label="weekend", quantity="20", price="1.250")
    member: Membership = MembershipFactory.create(organization=at.market.provider)
    member.user.name = "Lin"
    member.user.save()
    return Room(desk=at, user=member.user)


def protect(user: User) -> None:
    """Ask this person for a code of an authenticator app from now on."""
    TOTP.activate(user, SECRET)


def sign_in(page: Page, user: User) -> None:
    """Sign in with the password, in whatever language the page is."""
    page.goto("/accounts/login/?next=/offers/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
