"""How much CO2 comes with a kilowatt-hour from the grid, by region and year."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from settlement.models.contracts import CODE_LENGTH_MAX

SOURCE_LENGTH_MAX = 500


class GridFactor(models.Model):
    """The average of one year for one region, or for every region without a row of its own.

    A period is settled by the latest year's row that is not of a year after it; of two rows for
    one region and year the later one counts. Rows are added, never changed or removed: each run
    names the row that it was reckoned with.
    """

    region_code = models.CharField(
        max_length=CODE_LENGTH_MAX, blank=True, help_text="of the contract; empty: anywhere else"
    )
    year = models.SmallIntegerField()
    grams_per_mwh = models.BigIntegerField(help_text="kg CO2 a kWh x 1,000,000")
    source = models.CharField(max_length=SOURCE_LENGTH_MAX)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["region_code", "-year", "-id"]
        indexes = [models.Index(fields=["region_code", "-year", "-id"], name="grid_factor_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(grams_per_mwh__gte=0, grams_per_mwh__lte=5_000_000),
                name="grid_factor_plausible",
            ),
            models.CheckConstraint(
                condition=Q(year__gte=1990, year__lte=2200), name="grid_factor_year"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="grid_factor_has_source"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="grid_factor_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.region_code or 'anywhere else'} {self.year}: {self.grams_per_mwh} g/MWh"
