"""How organizations and people arrive: they apply, are invited, and are written to."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from accounts.models.roles import Role
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of


def new_invitation_id() -> str:
    """Return a fresh public id of an invitation."""
    return new_id("inv")


def new_application_id() -> str:
    """Return a fresh public id of an application."""
    return new_id("app")


class ApplicationState(models.TextChoices):
    """What became of an organization's wish to take part."""

    WAITING = "waiting", "waiting"
    APPROVED = "approved", "approved"
    REFUSED = "refused", "refused"


APPLICATION_MOVES = moves_of(ApplicationState.values, {"waiting": ["approved", "refused"]})


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, caller: Caller) -> Self:
        """Show applications to operators and auditors alone."""
        return self if caller.sees_all else self.none()


class Application(models.Model):
    """An organization asks to take part. It is no organization before an operator says so."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_application_id, editable=False
    )
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=300)
    tax_country = models.CharField(max_length=2)
    provides = models.BooleanField(default=False)
    buys = models.BooleanField(default=False)
    person = models.CharField(max_length=200)
    email = models.EmailField()
    message = models.TextField(max_length=2_000, blank=True)
    state = models.CharField(
        max_length=16, choices=ApplicationState, default=ApplicationState.WAITING
    )
    reason = models.CharField(max_length=200, blank=True)
    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, null=True, related_name="application"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(provides=True) | Q(buys=True), name="application_for_something"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ApplicationState.values), name="application_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to invitations of the caller's organization; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def open(self) -> Self:
        """Cut to those that can still be accepted, by the wall clock."""
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=Now())


class Invitation(models.Model):
    """Whoever reads the letter to this address may join; once, and not for ever."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_invitation_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role)
    token_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization_id}"


class LetterQuerySet(models.QuerySet["Letter"]):
    def visible_to(self, caller: Caller) -> Self:
        """Show letters to nobody: they hold other people's addresses and tokens."""
        return self.none()


class Letter(models.Model):
    """An e-mail that waits or was sent. The table is the queue; what is sent is forgotten."""

    address = models.EmailField()
    sealed = models.BinaryField(editable=False, help_text="subject and text; empty once sent")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(sent_at=None), name="letter_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"letter {self.pk}"
