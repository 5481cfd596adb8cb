from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models.callers import Caller
from accounts.models.roles import Role
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of


def new_organization_id() -> str:
    """Return a fresh public id of an organization."""
    return new_id("org")


def new_membership_id() -> str:
    """Return a fresh public id of a membership."""
    return new_id("mem")


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own organization; operators and auditors see all."""
        return self if caller.sees_all else self.filter(pk=caller.organization_id)

    def active(self) -> Self:
        """Cut to those that may act."""
        return self.filter(state=Organization.State.ACTIVE)


class Organization(models.Model):
    """A party to the market: it provides, buys, operates or audits."""

    class State(models.TextChoices):
        ACTIVE = "active", "active"
        SUSPENDED = "suspended", "suspended"

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_organization_id, editable=False
    )
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=300, blank=True)
    provides = models.BooleanField(default=False)
    buys = models.BooleanField(default=False)
    operates = models.BooleanField(default=False)
    audits = models.BooleanField(default=False)
    owner_group = models.CharField(
        max_length=64, blank=True, help_text="organizations of one owner share this word"
    )
    region_code = models.CharField(max_length=64, blank=True)
    tax_country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, two letters")
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(provides=True)
                | models.Q(buys=True)
                | models.Q(operates=True)
                | models.Q(audits=True),
                name="organization_is_of_some_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "suspended"]), name="organization_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name


ORGANIZATION_MOVES = moves_of(
    Organization.State.values, {"active": ["suspended"], "suspended": ["active"]}
)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to members of the caller's organization; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def usable(self) -> Self:
        """Cut to memberships that let an active user act for an active organization."""
        return self.filter(
            user__is_active=True, organization__state=Organization.State.ACTIVE
        ).select_related("organization")


class Membership(models.Model):
    """A user acts for an organization, in one role."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_membership_id, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "trader", "viewer", "approver"]),
                name="membership_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.organization}"
