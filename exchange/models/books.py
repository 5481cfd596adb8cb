"""What stood in a book when its gate closed, for the orders that outlive one auction."""

from typing import Self

from django.db import models

from accounts.models.callers import Caller
from exchange.models.auctions import Auction
from exchange.models.bids import Bid
from exchange.models.offers import OfferVersion


class OfferEntryQuerySet(models.QuerySet["OfferEntry"]):
    """A book is sealed: its entries are seen by those whose orders they are."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to entries of the caller's own offers; operators and auditors see all."""
        if caller is None:
            return self.none()
        if caller.sees_all:
            return self
        return self.filter(version__offer__provider_id=caller.organization_id)


class OfferEntry(models.Model):
    """A version of an offer that went into an auction's book. The book keeps these terms."""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="offer_entries")
    version = models.ForeignKey(OfferVersion, models.PROTECT, related_name="entries")

    objects = OfferEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "offer entries"
        constraints = [
            models.UniqueConstraint(fields=["auction", "version"], name="offer_entered_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} in {self.auction_id}"


class BidEntryQuerySet(models.QuerySet["BidEntry"]):
    """As for offers."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to entries of the caller's own bids; operators and auditors see all."""
        if caller is None:
            return self.none()
        return self if caller.sees_all else self.filter(bid__organization_id=caller.organization_id)


class BidEntry(models.Model):
    """A standing bid that went into an auction's book. (Others name their one auction.)"""

    auction = models.ForeignKey(Auction, models.PROTECT, related_name="bid_entries")
    bid = models.ForeignKey(Bid, models.PROTECT, related_name="entries")

    objects = BidEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "bid entries"
        constraints = [models.UniqueConstraint(fields=["auction", "bid"], name="bid_entered_once")]

    def __str__(self) -> str:
        return f"{self.bid_id} in {self.auction_id}"
