"""Offers: a provider's standing sale of accelerator-hours at one of its sites."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.states import moves_of
from exchange.models.chips import Accelerator
from exchange.models.columns import (
    REASON_LENGTH_MAX,
    holds,
    known,
    public_id,
    written_at,
)
from exchange.models.sites import Site
from settlement.models import Resale


class OfferState(models.TextChoices):
    """Only active offers go into books."""

    DRAFT = "draft", "draft"
    ACTIVE = "active", "active"
    PAUSED = "paused", "paused"
    WITHDRAWN = "withdrawn", "withdrawn"
    EXPIRED = "expired", "expired"


OFFER_MOVES = moves_of(
    OfferState.values,
    {
        OfferState.DRAFT: [OfferState.ACTIVE, OfferState.WITHDRAWN, OfferState.EXPIRED],
        OfferState.ACTIVE: [OfferState.PAUSED, OfferState.WITHDRAWN, OfferState.EXPIRED],
        OfferState.PAUSED: [OfferState.ACTIVE, OfferState.WITHDRAWN, OfferState.EXPIRED],
    },
)
OFFER_STATES_LIVE = [OfferState.DRAFT, OfferState.ACTIVE, OfferState.PAUSED]


class OfferQuerySet(models.QuerySet["Offer"]):
    """Offers are their provider's business until a published fill makes them public."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to the caller's own offers; operators and auditors see all."""
        if caller is None:
            return self.none()
        return self if caller.sees_all else self.filter(provider_id=caller.organization_id)

    def of_sites(self) -> Self:
        """Cut to what providers offer of their own sites: no resales."""
        return self.filter(resale=None)

    def live(self) -> Self:
        """Cut to offers that can still be edited, paused or sold from."""
        return self.filter(state__in=OFFER_STATES_LIVE)

    def with_terms(self) -> Self:
        """Fetch the current version beside each offer."""
        return self.select_related("terms", "site", "accelerator", "site__region")


class Offer(models.Model):
    """What stays the same through all versions: who sells, where, and which accelerator.

    ``terms`` is the current version; an edit adds a version and moves this pointer. What of it is
    still free is derived from the fills, never stored. An offer that stands for a ``resale`` sells
    what its buyer offers back of a contract: settlement keeps it, and says how much is left.
    """

    public_id = public_id("off")
    provider = models.ForeignKey(Organization, models.PROTECT, related_name="offers")
    site = models.ForeignKey(Site, models.PROTECT, related_name="offers")
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="offers")
    label = models.CharField(max_length=120, blank=True, help_text="the provider's own words")
    terms = models.OneToOneField(
        "OfferVersion", models.PROTECT, null=True, related_name="+", editable=False
    )
    resale = models.OneToOneField(
        Resale, models.PROTECT, null=True, editable=False, related_name="+"
    )
    state = models.CharField(max_length=10, choices=OfferState, default=OfferState.DRAFT)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(max_length=80, blank=True)
    created_at = written_at()
    moved_at = models.DateTimeField(null=True, blank=True, help_text="of the last change of state")

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            known("state", OfferState.values, name="offer_state_known"),
            holds(
                "offer_ends_with_a_reason",
                Q(state__in=OFFER_STATES_LIVE) | ~Q(reason_code=""),
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "-id"], name="offer_of_provider"),
            models.Index(fields=["site", "accelerator"], name="offer_at"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"


class OfferVersionQuerySet(models.QuerySet["OfferVersion"]):
    """Versions are as visible as their offers."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to versions of the caller's own offers; operators and auditors see all."""
        if caller is None:
            return self.none()
        return self if caller.sees_all else self.filter(offer__provider_id=caller.organization_id)


class OfferVersion(models.Model):
    """The terms of an offer as they stood from one edit to the next. Never changed."""

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField()
    price_ticks = models.BigIntegerField(help_text="the lowest price per accelerator-hour")
    actor = models.CharField(max_length=80)
    created_at = written_at()

    objects = OfferVersionQuerySet.as_manager()

    class Meta:
        ordering = ["offer_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "number"], name="offer_version_once"),
            holds("offer_version_numbered_from_one", Q(number__gte=1)),
            holds("offer_version_lasts", Q(starts_at__lt=F("ends_at"))),
            holds("offer_version_sells_something", Q(quantity_lots__gt=0)),
            holds("offer_version_price_not_negative", Q(price_ticks__gte=0)),
        ]
        triggers = [
            pgtrigger.Protect(
                name="offer_versions_stay", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} v{self.number}"
