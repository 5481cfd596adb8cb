"""What a clearing gave. Written once, in one database transaction, by COPY; never changed."""

from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models.callers import Caller
from exchange.foundation.ids import LENGTH_MAX
from exchange.models.auctions import Auction, AuctionState
from exchange.models.bids import Bid
from exchange.models.chips import Accelerator
from exchange.models.columns import REASON_LENGTH_MAX, holds, known, written_at
from exchange.models.network import Link, Region, Route, Row_co
from exchange.models.offers import Offer
from exchange.models.sites import Site

FINAL = pgtrigger.Update | pgtrigger.Delete


class ResultQuerySet(models.QuerySet[Row_co]):
    """Results are sealed until their auction is published; then they are open to everybody."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to published results; operators and auditors see all."""
        if caller is not None and caller.sees_all:
            return self
        return self.filter(auction__state=AuctionState.PUBLISHED)


class ClearingResult(models.Model):
    """The head of a result: its welfare, the bound that its certificate proves, its archive."""

    auction = models.OneToOneField(Auction, models.PROTECT, primary_key=True, related_name="result")
    complete = models.BooleanField(help_text="no time limit was hit")
    welfare_micros = models.DecimalField(max_digits=40, decimal_places=6)
    bound_micros = models.DecimalField(max_digits=40, decimal_places=0)
    domestic_share_nanos = models.BigIntegerField()
    bids_count = models.PositiveIntegerField()
    offers_count = models.PositiveIntegerField()
    rejected_winners = ArrayField(
        models.CharField(max_length=LENGTH_MAX + 8),
        default=list,
        help_text="blocks in the money that could not be accepted",
    )
    engine = models.CharField(max_length=40, help_text="version")
    archive = models.CharField(max_length=200, help_text="folder below the archive's root")
    book_sha256 = models.CharField(max_length=64)
    result_sha256 = models.CharField(max_length=64)
    seconds = models.FloatField(help_text="that the engine took; never compared")
    created_at = written_at()

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [holds("clearing_within_its_bound", Q(welfare_micros__lte=F("bound_micros")))]
        triggers = [pgtrigger.Protect(name="clearing_results_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"result of {self.auction_id}"


class CellPrice(models.Model):
    """The clearing price of one accelerator-hour at (site, accelerator, period)."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="cell_prices")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="+", db_index=False)
    period = models.PositiveIntegerField()
    price_ticks = models.BigIntegerField()

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["auction", "site", "accelerator", "period"], name="cell_priced_once"
            )
        ]
        triggers = [pgtrigger.Protect(name="cell_prices_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.accelerator_id}/{self.period}: {self.price_ticks}"


class LinkPrice(models.Model):
    """What a Gbps-hour of a full link cost; links that are not full have no row."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="link_prices")
    link = models.ForeignKey(Link, models.PROTECT, related_name="+", db_index=False)
    period = models.PositiveIntegerField()
    price_ticks = models.BigIntegerField()

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["auction", "link", "period"], name="link_priced_once"),
            holds("link_price_positive", Q(price_ticks__gt=0)),
        ]
        triggers = [pgtrigger.Protect(name="link_prices_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.link_id}/{self.period}: {self.price_ticks}"


class PowerPrice(models.Model):
    """What a kWh of a used-up power budget cost; regions with room have no row."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="power_prices")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    period = models.PositiveIntegerField()
    price_ticks = models.BigIntegerField()

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["auction", "region", "period"], name="power_priced_once"
            ),
            holds("power_price_positive", Q(price_ticks__gt=0)),
        ]
        triggers = [pgtrigger.Protect(name="power_prices_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.region_id}/{self.period}: {self.price_ticks}"


class BidFill(models.Model):
    """Accelerators that a bid got in one period, and the route to them. Anonymous in public."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="bid_fills")
    bid = models.ForeignKey(Bid, models.PROTECT, related_name="fills")
    site = models.ForeignKey(Site, models.PROTECT, related_name="bid_fills", db_index=False)
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="+", db_index=False)
    route = models.ForeignKey(Route, models.PROTECT, related_name="+", db_index=False)
    period = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField(help_text="accelerators")

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["auction", "bid", "site", "accelerator", "period", "route"],
                name="bid_filled_once",
            ),
            holds("bid_fill_positive", Q(quantity_lots__gt=0)),
            holds("bid_fill_lasts", Q(starts_at__lt=F("ends_at"))),
        ]
        indexes = [models.Index(fields=["site", "starts_at"], name="bid_fill_at")]
        triggers = [pgtrigger.Protect(name="bid_fills_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.bid_id}: {self.quantity_lots} lots in {self.period}"


class OfferFill(models.Model):
    """What an offer sold in one period: from its publication on, contracted and not free."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="offer_fills")
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="fills")
    period = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField()

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["auction", "offer", "period"], name="offer_filled_once"
            ),
            holds("offer_fill_positive", Q(quantity_lots__gt=0)),
            holds("offer_fill_lasts", Q(starts_at__lt=F("ends_at"))),
        ]
        indexes = [models.Index(fields=["ends_at"], name="offer_fill_until")]
        triggers = [pgtrigger.Protect(name="offer_fills_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.quantity_lots} lots in {self.period}"


class Answer(models.TextChoices):
    """Why a bid got what it got."""

    FILLED = "filled", "filled whole"
    PARTIALLY_FILLED = "partially_filled", "filled in part: at the price, or capacity ran out"
    AT_THE_MARGIN = "at_the_margin", "at the price: the capacity there was went to others, pro rata"
    OUT_OF_THE_MONEY = "out_of_the_money", "the cheapest acceptable cost was above the limit"
    NO_CAPACITY = "no_acceptable_capacity", "no capacity that the bid accepts was offered"
    INDIVISIBLE = "indivisible", "in the money, but a block is filled whole or not at all"
    OTHER_ALTERNATIVE = "other_alternative", "another block of its group was accepted"


class BidAnswerQuerySet(models.QuerySet["BidAnswer"]):
    """The answer to a bid is its buyer's, once published."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to published answers to the caller's own bids; operators and auditors see all."""
        if caller is None:
            return self.none()
        if caller.sees_all:
            return self
        published = self.filter(auction__state=AuctionState.PUBLISHED)
        return published.filter(bid__organization_id=caller.organization_id)


class BidAnswer(models.Model):
    """What an auction said to one bid of its book, and why.

    ``filled_lot_minutes`` is lots of units times minutes; ``cheapest_micros`` the lowest cost per
    unit-hour at the clearing prices of anything the bid accepted, where there was any.
    """

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="answers")
    bid = models.ForeignKey(Bid, models.PROTECT, related_name="answers")
    answer = models.CharField(max_length=22, choices=Answer)
    detail = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    filled_lot_minutes = models.BigIntegerField(default=0)
    cheapest_micros = models.BigIntegerField(null=True, blank=True)

    objects = BidAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["auction", "bid"], name="bid_answered_once"),
            known("answer", Answer.values, name="bid_answer_known"),
            holds("bid_answer_fills_not_negative", Q(filled_lot_minutes__gte=0)),
        ]
        triggers = [pgtrigger.Protect(name="bid_answers_stay", operation=FINAL)]

    def __str__(self) -> str:
        return f"{self.bid_id}: {self.answer}"
