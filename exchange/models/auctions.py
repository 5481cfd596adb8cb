"""Auctions: a series sets the cadence and the terms, an auction is one clearing."""

from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models.callers import Caller
from exchange.foundation.market_time import MarketNow
from exchange.foundation.money import MICROS
from exchange.foundation.periods import Period
from exchange.foundation.states import moves_of
from exchange.models.columns import (
    REASON_LENGTH_MAX,
    code,
    code_shaped,
    holds,
    known,
    public_id,
    written_at,
)
from exchange.models.network import OpenQuerySet

PPM = 1_000_000


def default_run_delays() -> list[int]:
    """Return minutes after a period's end: provisional an hour, R1 a day, R2 seven days."""
    return [60, 24 * 60, 7 * 24 * 60]


class Horizon(models.TextChoices):
    """What one auction of a series sells."""

    FORWARD = "forward", "forward: days, once a week"
    DAY_AHEAD = "day_ahead", "day ahead: the hours of a local day, once a day"
    INTRADAY = "intraday", "intraday: the hours left of today and tomorrow"


class AuctionSeries(models.Model):
    """Auctions of one cadence and horizon, and the terms that each takes over when scheduled.

    ``gate_minute`` is the minute of the local day at which the gates of daily and weekly series
    close (noon: 720); ``gate_weekday`` (Monday 0) is for weekly series; ``every_minutes`` is the
    beat of intraday ones, and ``lead_minutes`` what they leave between gate and first period.
    """

    code = code()
    name = models.CharField(max_length=120)
    horizon = models.CharField(max_length=10, choices=Horizon)
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    period_minutes = models.PositiveIntegerField()
    periods = models.PositiveIntegerField(null=True, blank=True, help_text="forward: how many")
    gate_minute = models.PositiveIntegerField(default=720)
    gate_weekday = models.PositiveSmallIntegerField(default=0)
    every_minutes = models.PositiveIntegerField(default=15)
    lead_minutes = models.PositiveIntegerField(default=15)
    open_minutes = models.PositiveIntegerField(help_text="how long the book is open")
    price_cap_ticks = models.BigIntegerField()
    min_domestic_share_micros = models.BigIntegerField(null=True, blank=True)
    buyer_fee_ppm = models.PositiveIntegerField()
    seller_fee_ppm = models.PositiveIntegerField()
    tolerance_ppm = models.PositiveIntegerField(default=20_000)
    penalty_factor_ppm = models.PositiveIntegerField(default=1_200_000)
    dispute_days = models.PositiveIntegerField(default=14)
    notice_minutes = models.PositiveIntegerField(
        default=1440, db_default=1440, help_text="before a provider may take capacity back"
    )
    run_delays_minutes = ArrayField(
        models.PositiveIntegerField(),
        default=default_run_delays,
        help_text="after a period's end: provisional, R1, R2",
    )
    clearing_seconds = models.PositiveIntegerField(default=240)
    active = models.BooleanField(default=True)

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name_plural = "auction series"
        constraints = [
            code_shaped("code", name="series_code_shaped"),
            known("horizon", Horizon.values, name="series_horizon_known"),
            holds("series_periods_positive", Q(period_minutes__gt=0)),
            holds("series_forward_has_periods", ~Q(horizon=Horizon.FORWARD) | Q(periods__gt=0)),
            holds("series_gate_in_the_day", Q(gate_minute__lt=1440), Q(gate_weekday__lt=7)),
            holds("series_beats", Q(every_minutes__gt=0), Q(open_minutes__gt=0)),
            holds("series_cap_positive", Q(price_cap_ticks__gt=0)),
            holds(
                "series_share_is_a_share",
                Q(min_domestic_share_micros__isnull=True)
                | Q(min_domestic_share_micros__range=(0, MICROS)),
            ),
            holds("series_fees_below_all", Q(buyer_fee_ppm__lt=PPM), Q(seller_fee_ppm__lt=PPM)),
        ]

    def __str__(self) -> str:
        return self.code


class AuctionState(models.TextChoices):
    """A closed book never changes; before publication nothing of it is public."""

    SCHEDULED = "scheduled", "scheduled"
    OPEN = "open", "open for orders"
    CLOSED = "closed", "closed, waiting to be cleared"
    CLEARED = "cleared", "cleared, waiting to be published"
    PUBLISHED = "published", "published"
    VOIDED = "voided", "voided"


AUCTION_MOVES = moves_of(
    AuctionState.values,
    {
        AuctionState.SCHEDULED: [AuctionState.OPEN, AuctionState.VOIDED],
        AuctionState.OPEN: [AuctionState.CLOSED, AuctionState.VOIDED],
        AuctionState.CLOSED: [AuctionState.CLEARED, AuctionState.VOIDED],
        AuctionState.CLEARED: [AuctionState.PUBLISHED, AuctionState.VOIDED],
    },
)


class AuctionQuerySet(models.QuerySet["Auction"]):
    """Who waits for what. The queue is this table."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all: that an auction is held, and on which terms, is open to everybody."""
        return self

    def published(self) -> Self:
        """Cut to auctions whose results are public."""
        return self.filter(state=AuctionState.PUBLISHED)

    def due_to_open(self) -> Self:
        """Cut to scheduled auctions whose book opens now."""
        return self.filter(state=AuctionState.SCHEDULED, opens_at__lte=MarketNow())

    def due_to_close(self) -> Self:
        """Cut to open auctions whose gate has come, by the database's clock."""
        return self.filter(state=AuctionState.OPEN, closes_at__lte=MarketNow())

    def taking_bids(self) -> Self:
        """Cut to auctions whose book is open now, by the database's clock."""
        return self.filter(state=AuctionState.OPEN, closes_at__gt=MarketNow())

    def waiting_to_be_cleared(self) -> Self:
        """Cut to closed auctions that may be tried now, in the order of their gates.

        The wait after a failure is about machines, so it runs by the real clock.
        """
        due = Q(retry_at__isnull=True) | Q(retry_at__lte=Now())
        return self.filter(due, state=AuctionState.CLOSED).order_by("closes_at", "pk")

    def waiting_to_be_published(self) -> Self:
        """Cut to cleared auctions."""
        return self.filter(state=AuctionState.CLEARED).order_by("closes_at", "pk")

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Self:
        """Cut to auctions that sell some of the same time."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


class Auction(models.Model):
    """One clearing of one horizon; its terms are the series' as they were when it was scheduled."""

    public_id = public_id("auc")
    series = models.ForeignKey(AuctionSeries, models.PROTECT, related_name="auctions")
    state = models.CharField(
        max_length=9, choices=AuctionState, default=AuctionState.SCHEDULED, editable=False
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    period_minutes = models.PositiveIntegerField()
    periods = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    price_cap_ticks = models.BigIntegerField()
    min_domestic_share_micros = models.BigIntegerField(null=True, blank=True)
    buyer_fee_ppm = models.PositiveIntegerField()
    seller_fee_ppm = models.PositiveIntegerField()
    tolerance_ppm = models.PositiveIntegerField()
    penalty_factor_ppm = models.PositiveIntegerField()
    dispute_days = models.PositiveIntegerField()
    notice_minutes = models.PositiveIntegerField(default=1440, db_default=1440)
    run_delays_minutes = ArrayField(models.PositiveIntegerField())
    clearing_seconds = models.PositiveIntegerField()

    created_at = written_at()
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(max_length=80, blank=True)

    book_sha256 = models.CharField(max_length=64, blank=True, help_text="of the archived book")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="not before, after a failure")
    attempts = models.PositiveIntegerField(default=0, help_text="how often a worker began to clear")
    alarm_code = models.CharField(max_length=40, blank=True)
    alarm_detail = models.TextField(blank=True)
    alarm_at = models.DateTimeField(null=True, blank=True)

    objects = AuctionQuerySet.as_manager()

    class Meta:
        ordering = ["-closes_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "closes_at"], name="auction_one_per_gate"),
            known("state", AuctionState.values, name="auction_state_known"),
            holds("auction_opens_before_its_gate", Q(opens_at__lt=F("closes_at"))),
            holds("auction_gate_before_delivery", Q(closes_at__lte=F("starts_at"))),
            holds("auction_sells_something", Q(periods__gt=0), Q(period_minutes__gt=0)),
            holds("auction_horizon_lasts", Q(starts_at__lt=F("ends_at"))),
            holds(
                "auction_voided_with_a_reason",
                ~Q(state=AuctionState.VOIDED)
                | Q(voided_at__isnull=False) & ~Q(reason_code="") & ~Q(actor=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                name="auction_waiting",
                condition=~Q(state__in=[AuctionState.PUBLISHED, AuctionState.VOIDED]),
            ),
            models.Index(
                fields=["-published_at"],
                name="auction_published",
                condition=Q(state=AuctionState.PUBLISHED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"

    @property
    def horizon(self) -> Period:
        """All the time that this auction sells."""
        return Period(self.starts_at, self.ends_at)

    def period(self, number: int) -> Period:
        """Return period ``number``, counted from 0."""
        assert 0 <= number < self.periods, number
        step = timedelta(minutes=self.period_minutes)
        return Period(self.starts_at + number * step, self.starts_at + (number + 1) * step)
