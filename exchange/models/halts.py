"""Halts of the market or a part of it, and the measures by which operators make and lift them."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.states import moves_of
from exchange.models.columns import REASON_LENGTH_MAX, holds, known, public_id
from exchange.models.network import OpenQuerySet


def scope_key(name: str) -> "models.ForeignKey[Any, Any]":
    """Return the column of one kind of scope; at most one of them is set."""
    return models.ForeignKey(name, models.PROTECT, null=True, blank=True, related_name="+")


ONE_SCOPE = (
    Q(region__isnull=True) | Q(accelerator__isnull=True),
    Q(series__isnull=True) | Q(region__isnull=True),
    Q(series__isnull=True) | Q(accelerator__isnull=True),
)


class HaltQuerySet(OpenQuerySet["MarketFreeze"]):
    """Halts are told to everybody, with their reason."""

    def live(self) -> Self:
        """Cut to halts that are not lifted."""
        return self.filter(lifted_at__isnull=True)

    def of_all(self) -> Self:
        """Cut to halts of the whole market."""
        return self.filter(series=None, region=None, accelerator=None)


class OfOnePart(models.Model):
    """What is of the whole market, or of one part of it."""

    series = scope_key("exchange.AuctionSeries")
    region = scope_key("exchange.Region")
    accelerator = scope_key("exchange.Accelerator")

    class Meta:
        abstract = True

    @property
    def scope(self) -> str:
        """Of what it is: ``market``, ``series``, ``region`` or ``accelerator``."""
        parts = ("series", "region", "accelerator")
        return next((part for part in parts if getattr(self, f"{part}_id") is not None), "market")

    @property
    def part(self) -> str:
        """The code of the part; nothing for the whole market."""
        found = self.series or self.region or self.accelerator
        return str(found.code) if found else ""


class MarketFreeze(OfOnePart):
    """An operator's halt of the market, or of a series of auctions, a region or an accelerator.

    While it is not lifted no order is taken that needs the part, and no auction that has anything
    of it in its book is closed, cleared or published. Without a scope it is the whole market.
    """

    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    actor = models.CharField(max_length=80)
    frozen_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=80, blank=True)

    objects = HaltQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "region", "accelerator"],
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="market_frozen_once",
            ),
            holds("market_freeze_has_a_reason", ~Q(reason="")),
            holds("market_freeze_of_one_part", *ONE_SCOPE),
        ]

    def __str__(self) -> str:
        return f"{self.frozen_at}: {self.reason}"


class MeasureKind(models.TextChoices):
    """What an operator asks another to approve."""

    HALT = "halt", "halt"
    RESUME = "resume", "resume"
    PRICE_CAP = "price_cap", "price cap"
    POSITION_LIMIT = "position_limit", "position limit"


class MeasureState(models.TextChoices):
    """A measure is decided once."""

    ASKED = "asked", "asked for"
    APPROVED = "approved", "approved"
    REFUSED = "refused", "refused"


MEASURE_MOVES = moves_of(
    MeasureState.values, {MeasureState.ASKED: [MeasureState.APPROVED, MeasureState.REFUSED]}
)


class MeasureQuerySet(models.QuerySet["Measure"]):
    """Measures are the business of operators and auditors."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all to operators and auditors, nothing to others."""
        return self if caller is not None and caller.sees_all else self.none()


class Measure(OfOnePart):
    """A halt, a resumption or a limit: asked for by one operator, decided by another."""

    public_id = public_id("msr")
    kind = models.CharField(max_length=16, choices=MeasureKind)
    state = models.CharField(max_length=8, choices=MeasureState, default=MeasureState.ASKED)
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+"
    )
    halt = models.ForeignKey(
        MarketFreeze, models.PROTECT, null=True, blank=True, related_name="measures"
    )
    price_cap_ticks = models.BigIntegerField(null=True, blank=True)
    lot_minutes_max = models.BigIntegerField(null=True, blank=True)
    cost_micros_max = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(max_length=80, help_text="who acted on it last")

    objects = MeasureQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            known("kind", MeasureKind.values, name="measure_kind_known"),
            known("state", MeasureState.values, name="measure_state_known"),
            holds("measure_has_a_reason", ~Q(reason="")),
            holds("measure_of_one_part", *ONE_SCOPE),
            holds(
                "measure_decided_by_another",
                Q(state=MeasureState.ASKED, decided_by__isnull=True)
                | Q(state=MeasureState.REFUSED, decided_by__isnull=False)
                | Q(state=MeasureState.APPROVED, decided_by__isnull=False)
                & ~Q(decided_by=models.F("asked_by")),
            ),
            holds(
                "measure_says_its_limit",
                ~Q(kind=MeasureKind.PRICE_CAP)
                | Q(series__isnull=False, price_cap_ticks__isnull=False, price_cap_ticks__gt=0),
                ~Q(kind=MeasureKind.POSITION_LIMIT) | Q(organization__isnull=False),
                ~Q(kind=MeasureKind.RESUME) | Q(halt__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.kind}"
