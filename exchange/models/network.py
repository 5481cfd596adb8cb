"""Where work can run: regions, the links between them, routes over the links, power budgets."""

from typing import Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.models.columns import CODE_LENGTH_MAX, code, code_shaped, holds

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class OpenQuerySet(models.QuerySet[Row_co]):
    """Rows of the catalogue: everybody may see them."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all rows: the catalogue is open, also to strangers."""
        return self.all()


class Region(models.Model):
    """A computing hub: it has an operator, a place, and a distance to the others."""

    code = code()
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    hub = models.CharField(max_length=80, blank=True, help_text="the national hub it belongs to")
    side = models.CharField(max_length=20, blank=True, help_text="east or west")
    latitude_micros = models.BigIntegerField(help_text="millionths of a degree north")
    longitude_micros = models.BigIntegerField(help_text="millionths of a degree east")
    operator = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="regions_operated"
    )
    pue_micros_max = models.BigIntegerField(help_text="the highest PUE allowed to a new site")
    source = models.TextField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="region_code_shaped"),
            holds(
                "region_is_on_earth",
                Q(latitude_micros__range=(-90_000_000, 90_000_000)),
                Q(longitude_micros__range=(-180_000_000, 180_000_000)),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Link(models.Model):
    """One direction of a backbone link. ``gbps_micros`` is empty where it has no limit."""

    code = code()
    origin = models.ForeignKey(Region, models.PROTECT, related_name="links_out")
    region = models.ForeignKey(Region, models.PROTECT, related_name="links_in")
    gbps_micros = models.BigIntegerField(null=True, blank=True)
    source = models.TextField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="link_code_shaped"),
            holds("link_leaves_its_origin", ~Q(origin=F("region"))),
            holds("link_gbps_not_negative", Q(gbps_micros__isnull=True) | Q(gbps_micros__gte=0)),
        ]

    def __str__(self) -> str:
        return self.code


class Route(models.Model):
    """A path from an origin to an executing region, over ``links`` (codes, in order of travel).

    ``latency_micros`` is one way, in millionths of a millisecond.
    """

    code = code()
    origin = models.ForeignKey(Region, models.PROTECT, related_name="routes_out")
    region = models.ForeignKey(Region, models.PROTECT, related_name="routes_in")
    latency_micros = models.BigIntegerField()
    links = ArrayField(models.CharField(max_length=CODE_LENGTH_MAX), default=list, blank=True)
    source = models.TextField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="route_code_shaped"),
            holds("route_latency_not_negative", Q(latency_micros__gte=0)),
            holds("route_inside_a_region_has_no_links", ~Q(origin=F("region")) | Q(links__len=0)),
        ]

    def __str__(self) -> str:
        return self.code


class PowerBudget(models.Model):
    """The power that a region's sites may draw together in a stretch of time; none: no limit."""

    region = models.ForeignKey(Region, models.PROTECT, related_name="power_budgets")
    kw_micros = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="empty: until further notice")

    objects = OpenQuerySet.as_manager()

    class Meta:
        constraints = [
            holds("power_budget_not_negative", Q(kw_micros__gte=0)),
            holds("power_budget_lasts", Q(ends_at__isnull=True) | Q(starts_at__lt=F("ends_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.region_id}: {self.kw_micros} from {self.starts_at}"
