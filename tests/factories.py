"""Rows of accounts for tests, and clients that act for them."""

from collections.abc import Collection
from functools import cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiKey, Caller, Membership, Organization, Role, Scope, User
from accounts.queries.callers import caller_of_key, caller_of_membership
from accounts.services.api_keys import issue_key

PASSWORD = "horse staple battery"


@cache
def hashed_password() -> str:
    """Return the hash of PASSWORD; made once, for hashing is slow on purpose."""
    return make_password(PASSWORD)


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.com")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = factory.LazyFunction(hashed_password)


class OrganizationFactory(factory.django.DjangoModelFactory[Organization]):
    """Provides and buys, unless told otherwise."""

    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"Organization {number}")
    legal_name = factory.SelfAttribute("name")
    provides = True
    buys = True


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)
    role = Role.OWNER


def operator() -> Organization:
    """Return an organization that operates the market and does nothing else."""
    return OrganizationFactory.create(provides=False, buys=False, operates=True)


def auditor() -> Organization:
    """Return an organization that audits the market and does nothing else."""
    return OrganizationFactory.create(provides=False, buys=False, audits=True)


def caller(
    organization: Organization | None = None,
    *,
    scopes: Collection[str] = tuple(Scope.values),
    **options: Any,
) -> Caller:
    """Return who a fresh key of this (or a fresh) organization speaks for."""
    key, _ = issue_key(
        organization or OrganizationFactory.create(), name="a test", scopes=scopes, **options
    )
    return caller_of_key(key)


def member(organization: Organization | None = None, *, role: str = Role.OWNER) -> Caller:
    """Return a person who acts for this (or a fresh) organization in the portal."""
    membership = MembershipFactory.create(
        organization=organization or OrganizationFactory.create(), role=role
    )
    return caller_of_membership(membership)


def api(
    organization: Organization | None = None,
    *,
    scopes: Collection[str] = tuple(Scope.values),
    **options: Any,
) -> APIClient:
    """Return a client of the API with a fresh key of this (or a fresh) organization."""
    _, token = issue_key(
        organization or OrganizationFactory.create(), name="a test", scopes=scopes, **options
    )
    return api_with(token)


def api_with(token: str) -> APIClient:
    """Return a client of the API that says this token."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def portal(organization: Organization | None = None, *, role: str = Role.OWNER) -> Client:
    """Return a browser in which a member of this (or a fresh) organization is signed in."""
    client = Client()
    membership = MembershipFactory.create(
        organization=organization or OrganizationFactory.create(), role=role
    )
    client.force_login(
        membership.user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def _issue(
    organization: Organization | None, scopes: Collection[str], **options: Any
) -> tuple[ApiKey, str]:
    return issue_key(
        organization or OrganizationFactory.create(), name="a test", scopes=scopes, **options
    )
