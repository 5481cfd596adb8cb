"""Which tax a statement's amounts contain: the table of rates asked for each pair of parties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from settlement.models import Statement, StatementTax, Supply, TaxRate
from settlement.queries.allocation import tax_in


@dataclass(frozen=True, slots=True)
class Supplied:
    """What one kind of supply between two countries comes to, tax included, in minor units."""

    supply: Supply
    supplier_country: str
    customer_country: str
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Tax:
    """A line about tax. Without a rate in the table none is stated: ``rate`` is None."""

    supply: Supply
    supplier_country: str
    customer_country: str
    rate: TaxRate | None
    gross_minor: int
    net_minor: int
    tax_minor: int


def rates_at(day: date) -> list[TaxRate]:
    """Return the rates in force on ``day``, the closest and latest first."""
    rates = TaxRate.objects.filter(Q(valid_from__lte=day))
    return sorted(rates, key=_closeness, reverse=True)


def taxes_on(supplied: Iterable[Supplied], rates: Sequence[TaxRate]) -> list[Tax]:
    """Return the tax in each amount, in the order given."""
    return [_tax(each, next((r for r in rates if _is_for(r, each)), None)) for each in supplied]


def taxes_written(statement: Statement) -> list[Tax]:
    """Return the lines about tax of a finalized statement."""
    rows = StatementTax.objects.filter(statement=statement).select_related("rate")
    return [
        Tax(
            supply=Supply(row.supply),
            supplier_country=row.supplier_country,
            customer_country=row.customer_country,
            rate=row.rate,
            gross_minor=row.gross_minor,
            net_minor=row.net_minor,
            tax_minor=row.tax_minor,
        )
        for row in rows.order_by("line_no")
    ]


def _closeness(rate: TaxRate) -> tuple[bool, bool, bool, date, int]:
    countries = bool(rate.supplier_country), bool(rate.customer_country)
    return *countries, bool(rate.supply), rate.valid_from, rate.pk


def _is_for(rate: TaxRate, supplied: Supplied) -> bool:
    return (
        rate.supplier_country in {"", supplied.supplier_country}
        and rate.customer_country in {"", supplied.customer_country}
        and rate.supply in {"", supplied.supply}
    )


def _tax(supplied: Supplied, rate: TaxRate | None) -> Tax:
    tax = tax_in(supplied.gross_minor, rate_ppm=rate.rate_ppm if rate else 0)
    return Tax(
        supply=supplied.supply,
        supplier_country=supplied.supplier_country,
        customer_country=supplied.customer_country,
        rate=rate,
        gross_minor=supplied.gross_minor,
        net_minor=supplied.gross_minor - tax,
        tax_minor=tax,
    )
