"""Which tax the amounts of a statement contain, by rate and by the region of the parties."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Caller
from settlement.models.statements import Statement

COUNTRY_LENGTH = 2
NAME_LENGTH_MAX = 64
SOURCE_LENGTH_MAX = 500
PPM_MAX = 1_000_000


class Supply(models.TextChoices):
    """What is supplied: a provider's computing power, or the exchange's service for a fee."""

    CAPACITY = "capacity", "computing power"
    FEE = "fee", "service of the exchange"


class TaxRate(models.Model):
    """A rate that the operator sets for supplies from one country to another.

    An empty country or supply means any. The closest row that is in force counts, by supplier,
    then customer, then supply; of equals the latest. Rows are added, never changed or removed.
    """

    supplier_country = models.CharField(max_length=COUNTRY_LENGTH, blank=True)
    customer_country = models.CharField(max_length=COUNTRY_LENGTH, blank=True)
    supply = models.CharField(max_length=16, choices=Supply, blank=True)
    name = models.CharField(max_length=NAME_LENGTH_MAX, help_text="as it is printed")
    rate_ppm = models.IntegerField(help_text="of the net amount, x 1,000,000")
    note = models.CharField(
        max_length=SOURCE_LENGTH_MAX, blank=True, help_text="printed below, such as reverse charge"
    )
    source = models.CharField(max_length=SOURCE_LENGTH_MAX, help_text="the law and its article")
    valid_from = models.DateField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["supplier_country", "customer_country", "supply", "-valid_from", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_ppm__gte=0, rate_ppm__lte=PPM_MAX), name="tax_rate_is_a_share"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="tax_rate_has_source"),
            models.CheckConstraint(
                condition=Q(supply__in=["", *Supply.values]), name="tax_rate_supply"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="tax_rate_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.supplier_country or '*'} to {self.customer_country or '*'}"


class StatementTaxQuerySet(models.QuerySet["StatementTax"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to lines of statements that the caller may see."""
        return self.filter(statement__in=Statement.objects.visible_to(caller).values("pk"))


class StatementTax(models.Model):
    """The part of a statement's total that one rate applies to. All of them make up the total.

    Amounts of the market contain their tax: ``gross = net + tax``. Without a rate in the table
    ``rate_ppm`` is empty and no tax is stated. Rows are added, never changed or removed.
    """

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="taxes")
    line_no = models.SmallIntegerField()
    supply = models.CharField(max_length=16, choices=Supply)
    supplier_country = models.CharField(max_length=COUNTRY_LENGTH, blank=True)
    customer_country = models.CharField(max_length=COUNTRY_LENGTH, blank=True)
    rate = models.ForeignKey(TaxRate, on_delete=models.PROTECT, null=True, related_name="+")
    gross_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    objects = StatementTaxQuerySet.as_manager()

    class Meta:
        ordering = ["statement", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "line_no"], name="statement_tax_no"),
            models.CheckConstraint(
                condition=Q(gross_minor=models.F("net_minor") + models.F("tax_minor")),
                name="statement_tax_adds_up",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="statement_tax_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} tax {self.line_no}"
