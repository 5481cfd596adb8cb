"""Data centres: what stands in them, and when it is down for maintenance."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.money import MICROS
from exchange.models.chips import Accelerator
from exchange.models.columns import code, code_shaped, holds, public_id, written_at
from exchange.models.network import OpenQuerySet, Region, Row_co


class Site(models.Model):
    """One data centre of one provider in one region."""

    code = code()
    name = models.CharField(max_length=120)
    provider = models.ForeignKey(Organization, models.PROTECT, related_name="sites")
    region = models.ForeignKey(Region, models.PROTECT, related_name="sites")
    pue_micros = models.BigIntegerField()
    renewable_micros = models.BigIntegerField(help_text="share of the energy, in millionths")
    source = models.TextField(blank=True)

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="site_code_shaped"),
            holds("site_pue_at_least_one", Q(pue_micros__gte=MICROS)),
            holds("site_renewable_is_a_share", Q(renewable_micros__range=(0, MICROS))),
        ]

    def __str__(self) -> str:
        return self.code


class AtSiteQuerySet(models.QuerySet[Row_co]):
    """Rows about what a provider has at a site: the provider's own business."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return what the caller's organization has; operators and auditors see all."""
        if caller is None:
            return self.none()
        if caller.sees_all:
            return self.all()
        return self.filter(site__provider_id=caller.organization_id)


class SiteCapacity(models.Model):
    """Accelerators that stand at a site in a stretch of time; several rows add up."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="capacities")
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="capacities")
    quantity_lots = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="empty: until further notice")
    created_at = written_at()

    objects = AtSiteQuerySet.as_manager()

    class Meta:
        constraints = [
            holds("site_capacity_positive", Q(quantity_lots__gt=0)),
            holds("site_capacity_lasts", Q(ends_at__isnull=True) | Q(starts_at__lt=F("ends_at"))),
        ]
        indexes = [models.Index(fields=["site", "accelerator"], name="site_capacity_at")]

    def __str__(self) -> str:
        return f"{self.quantity_lots} lots at {self.site_id}"


class MaintenanceWindow(models.Model):
    """A stretch of time in which some or all accelerators of a site are down.

    ``accelerator`` empty: every model there. ``quantity_lots`` empty: all that stand there.
    """

    public_id = public_id("mnt")
    site = models.ForeignKey(Site, models.PROTECT, related_name="maintenance_windows")
    accelerator = models.ForeignKey(
        Accelerator, models.PROTECT, null=True, blank=True, related_name="maintenance_windows"
    )
    quantity_lots = models.BigIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=80)
    created_at = written_at()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = AtSiteQuerySet.as_manager()

    class Meta:
        constraints = [
            holds("maintenance_lasts", Q(starts_at__lt=F("ends_at"))),
            holds(
                "maintenance_quantity_positive",
                Q(quantity_lots__isnull=True) | Q(quantity_lots__gt=0, accelerator__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["site", "ends_at"], name="maintenance_at")]

    def __str__(self) -> str:
        return self.public_id
