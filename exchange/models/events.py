"""What happened in the open market, in the order in which it was committed."""

from django.db import models

from exchange.models.network import OpenQuerySet


class MarketEvent(models.Model):
    """An auction moved to another state, or the market was halted or goes on.

    Triggers on the auctions and the halts write these rows when a transaction is committed, one
    after another, so that ids rise in the order in which readers can see them: whoever knows an id
    has missed nothing before it. The row wakes the web processes (NOTIFY market_events).
    """

    kind = models.CharField(max_length=8, help_text="auction or halt")
    subject = models.BigIntegerField(help_text="the row of the auction or the halt")
    word = models.CharField(max_length=10, help_text="the state, or frozen or lifted")
    happened_at = models.DateTimeField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.word}"
