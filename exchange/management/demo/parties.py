"""Who takes part in the play. Each step finds what an earlier run left and adds what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import ApiKey, Caller, Kind, Organization, User
from accounts.models.roles import Role, Scope
from accounts.services.api_keys import issue_key, revoke_key
from accounts.services.members import add_member
from accounts.services.organizations import create_organization
from exchange.management.demo import platform
from exchange.management.demo.platform import Size
from settlement.models import AccountKind, LedgerAccount
from settlement.services.deposits import deposit

FIRST_BID = "first bid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """The organizations of the play, providers and buyers in the order of their numbers."""

    operator: Organization
    providers: Sequence[Organization]
    buyers: Sequence[Organization]


def gather(size: Size) -> Parties:
    """Create the organizations, the people who sign in, and the buyers' money."""
    operator = _named([platform.OPERATOR], Kind.OPERATES)[0]
    auditor = _named(["Demo auditor"], Kind.AUDITS)[0]
    providers = _named(_numbered(platform.PROVIDER_NAME, size.providers), Kind.PROVIDES)
    buyers = _named(_numbered(platform.BUYER_NAME, size.buyers), Kind.BUYS)
    for role, organization in (
        ("operator", operator),
        ("auditor", auditor),
        ("provider", providers[0]),
        ("buyer", buyers[0]),
    ):
        _person(platform.LOGINS[role], organization, staff=role in {"operator", "auditor"})
    _fund(buyers, operator)
    return Parties(operator=operator, providers=providers, buyers=buyers)


def _fund(buyers: Sequence[Organization], operator: Organization) -> None:
    """Give money to every buyer that has never had any."""
    accounts = LedgerAccount.objects.filter(kind=AccountKind.AVAILABLE, credits_posted__gt=0)
    funded = set(accounts.filter(owner__in=buyers).values_list("owner_id", flat=True))
    with transaction.atomic():
        for buyer in buyers:
            if buyer.pk not in funded:
                deposit(
                    buyer.pk,
                    amount_micros=platform.DEPOSIT_MICROS,
                    reason="money to play with",
                    actor=acting_for(operator),
                    key=f"demo-{buyer.public_id}",
                )


def buyers_key(buyer: Organization) -> str:
    """Return the token of a new key to bid with; the one that an earlier run printed ends."""
    for key in ApiKey.objects.live().filter(organization=buyer, name=FIRST_BID):
        revoke_key(key, actor=acting_for(buyer), reason="another was printed")
    scopes = [Scope.BIDS_READ, Scope.BIDS_WRITE, Scope.BALANCES_READ, Scope.FILLS_READ]
    _, token = issue_key(buyer, name=FIRST_BID, scopes=scopes)
    return token


def acting_for(organization: Organization) -> Caller:
    """Return the caller that an owner of ``organization`` is."""
    return Caller(
        organization_id=organization.pk,
        organization_public_id=organization.public_id,
        organization_name=organization.name,
        role=Role.OWNER,
        provides=organization.provides,
        buys=organization.buys,
        operates=organization.operates,
        audits=organization.audits,
    )


def _numbered(pattern: str, count: int) -> list[str]:
    return [pattern.format(number=number) for number in range(1, count + 1)]


def _named(names: Sequence[str], kind: str) -> list[Organization]:
    there = {found.name: found for found in Organization.objects.filter(name__in=names)}
    with transaction.atomic():
        return [there.get(name) or create_organization(name, kinds=[kind]) for name in names]


def _person(email: str, organization: Organization, *, staff: bool) -> None:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, platform.PASSWORD, is_staff=staff)
    if staff and not user.is_superuser:
        User.objects.filter(pk=user.pk).update(is_superuser=organization.operates)
    add_member(organization, user, role=Role.OWNER)
