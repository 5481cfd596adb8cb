"""Bids: a buyer's orders of the three kinds."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.ids import LENGTH_MAX
from exchange.foundation.money import LOTS, MICROS
from exchange.foundation.states import moves_of
from exchange.models.auctions import Auction
from exchange.models.chips import DTYPE_BITS, AiModel
from exchange.models.columns import (
    CODE_LENGTH_MAX,
    REASON_LENGTH_MAX,
    holds,
    known,
    public_id,
)
from exchange.models.network import Region

ACCELERATORS_MAX = 32  # acceptable accelerators of one bid
REGIONS_MAX = 64


class BidKind(models.TextChoices):
    """How a bid may be filled: see the market's rules."""

    HOURLY = "hourly", "hourly: each period on its own, in part"
    BLOCK = "block", "block: whole or not at all, without a gap, on one site"
    VOLUME = "volume", "volume: an amount of work by a deadline"


class TimeInForce(models.TextChoices):
    """How long a bid lives."""

    AUCTION = "auction", "for one auction"
    STANDING = "standing", "until the last moment it could start"


class BidState(models.TextChoices):
    """``accepted`` waits for its one auction, ``standing`` for any that covers its window."""

    ACCEPTED = "accepted", "accepted"
    STANDING = "standing", "standing"
    FILLED = "filled", "filled"
    PARTIALLY_FILLED = "partially_filled", "partially filled"
    UNFILLED = "unfilled", "unfilled"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"
    REJECTED = "rejected", "rejected"


BID_STATES_LIVE = [BidState.ACCEPTED, BidState.STANDING]
_ENDS = [state for state in BidState.values if state not in BID_STATES_LIVE]
BID_MOVES = moves_of(
    BidState.values,
    {BidState.ACCEPTED: [BidState.STANDING, *_ENDS], BidState.STANDING: _ENDS},
)


class BidQuerySet(models.QuerySet["Bid"]):
    """Bids are their buyer's business alone."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to the caller's own bids; operators and auditors see all."""
        if caller is None:
            return self.none()
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def live(self) -> Self:
        """Cut to bids that may still be filled."""
        return self.filter(state__in=BID_STATES_LIVE)


class Bid(models.Model):
    """One order to buy. Its terms never change; only its state and what explains it do.

    Acceptable accelerators, their factors and the allowed regions are columns of this row and not
    tables of their own: they are read and written with the bid alone, a bulk of bids is one COPY,
    and a book of a million bids is one pass. Services check that the codes exist.

    Units: ``limit_ticks`` per unit-hour; ``quantity_lots`` of units; ``volume_lot_minutes`` lots of
    units times minutes (unit-hours x 60,000); ``latency_micros_max`` millionths of a millisecond;
    ``gbps_micros`` per accelerator; ``factors_micros[i]`` accelerators of ``accelerators[i]`` that
    do the work of one unit, in millionths.
    """

    public_id = public_id("bid")
    # Foreign keys that another index begins with, or that most rows leave empty, have none of
    # their own: every index is written with every bid.
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="bids", db_index=False
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    actor = models.CharField(max_length=80, help_text="user or key that last acted on it")
    project = models.CharField(max_length=80, blank=True)
    label = models.CharField(max_length=120, blank=True, help_text="the buyer's own words")

    kind = models.CharField(max_length=6, choices=BidKind)
    time_in_force = models.CharField(max_length=8, choices=TimeInForce)
    auction = models.ForeignKey(
        Auction, models.PROTECT, null=True, blank=True, related_name="bids", db_index=False
    )
    origin = models.ForeignKey(Region, models.PROTECT, related_name="bids")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField()
    limit_ticks = models.BigIntegerField()
    duration_minutes = models.BigIntegerField(null=True, blank=True)
    volume_lot_minutes = models.BigIntegerField(null=True, blank=True)
    group = models.CharField(max_length=80, blank=True)
    latency_micros_max = models.BigIntegerField(null=True, blank=True)
    gbps_micros = models.BigIntegerField(default=0)
    renewable_micros_min = models.BigIntegerField(default=0)
    regions = ArrayField(models.CharField(max_length=CODE_LENGTH_MAX), default=list, blank=True)
    accelerators = ArrayField(models.CharField(max_length=CODE_LENGTH_MAX))
    factors_micros = ArrayField(models.BigIntegerField())
    ai_model = models.ForeignKey(
        AiModel, models.PROTECT, null=True, blank=True, related_name="bids", db_index=False
    )
    dtype = models.CharField(max_length=8, blank=True)

    greatest_cost_micros = models.BigIntegerField(help_text="at the limit price, fee included")
    hold_key = models.CharField(
        max_length=LENGTH_MAX + 120, help_text="the bid's public id, or its group's key"
    )
    state = models.CharField(max_length=16, choices=BidState)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    placed_at = models.DateTimeField(help_text="by the market's clock")
    moved_at = models.DateTimeField(help_text="of the last change of state")

    objects = BidQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            known("kind", BidKind.values, name="bid_kind_known"),
            known("state", BidState.values, name="bid_state_known"),
            known("dtype", ["", *DTYPE_BITS], name="bid_dtype_known"),
            holds(
                "bid_lives_for_one_auction_or_stands",
                Q(time_in_force=TimeInForce.AUCTION, auction__isnull=False)
                | Q(time_in_force=TimeInForce.STANDING, auction__isnull=True),
            ),
            holds("bid_window_lasts", Q(starts_at__lt=F("ends_at"))),
            holds("bid_quantity_positive", Q(quantity_lots__gt=0)),
            holds("bid_limit_not_negative", Q(limit_ticks__gte=0)),
            holds(
                "bid_block_is_whole_and_lasts",
                ~Q(kind=BidKind.BLOCK) & Q(duration_minutes__isnull=True, group="")
                | Q(kind=BidKind.BLOCK, duration_minutes__gt=0)
                & Q(quantity_lots=F("quantity_lots") / LOTS * LOTS),
            ),
            holds(
                "bid_volume_has_a_volume",
                ~Q(kind=BidKind.VOLUME) & Q(volume_lot_minutes__isnull=True)
                | Q(kind=BidKind.VOLUME, volume_lot_minutes__gt=0),
            ),
            holds(
                "bid_bounds_not_negative",
                Q(latency_micros_max__isnull=True) | Q(latency_micros_max__gte=0),
                Q(gbps_micros__gte=0),
                Q(renewable_micros_min__range=(0, MICROS)),
            ),
            holds(
                "bid_names_accelerators_with_factors",
                Q(accelerators__len__range=(1, ACCELERATORS_MAX)),
                Q(factors_micros__len=F("accelerators__len")),
            ),
            holds("bid_regions_bounded", Q(regions__len__lte=REGIONS_MAX)),
            holds("bid_cost_not_negative", Q(greatest_cost_micros__gte=0)),
            holds("bid_ends_with_a_reason", Q(state__in=BID_STATES_LIVE) | ~Q(reason_code="")),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="bid_of_organization"),
            models.Index(fields=["auction", "public_id"], name="bid_in_auction"),
            models.Index(
                fields=["ends_at"], name="bid_standing", condition=Q(state=BidState.STANDING)
            ),
            models.Index(fields=["hold_key"], name="bid_hold_key"),
            models.Index(
                fields=["placed_by"], name="bid_placed_by", condition=Q(placed_by__isnull=False)
            ),
            models.Index(
                fields=["ai_model"], name="bid_of_model", condition=Q(ai_model__isnull=False)
            ),
            models.Index(
                fields=["organization", "group", "auction"],
                name="bid_of_group",
                condition=~Q(group=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"

    @property
    def factors(self) -> dict[str, int]:
        """Accelerators of each acceptable model that do the work of one unit, in millionths."""
        return dict(zip(self.accelerators, self.factors_micros, strict=True))
