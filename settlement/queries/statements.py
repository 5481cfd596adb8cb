"""What a statement comes to: a draft as of now, a finalized one as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Caller
from exchange.foundation.money import MICROS, format_scaled
from settlement.models import Side, Statement, StatementState, Supply
from settlement.postings import MS_PER_HOUR
from settlement.queries.allocation import round_half_even
from settlement.queries.statement_lines import WRITTEN, given_of, lines_cte, unit_of
from settlement.queries.taxes import Supplied, Tax, rates_at, taxes_on, taxes_written

# Sums by who supplies whom: computing power goes from provider to buyer, a fee is the exchange's.
SUMS = """
SELECT line.kind IN ('buyer_fee', 'seller_fee'), provider.tax_country, buyer.tax_country,
       count(*), sum(exact_micros)::bigint, sum(billed_minor)::bigint,
       sum(energy_wh)::bigint, sum(co2_grams)::bigint
FROM billed AS line
JOIN settlement_deliveryperiod AS period ON period.id = line.period_id
JOIN settlement_contract AS contract ON contract.id = period.contract_id
JOIN accounts_organization AS provider ON provider.id = contract.provider_id
JOIN accounts_organization AS buyer ON buyer.id = contract.buyer_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """One row of SUMS."""

    is_fee: bool
    provider_country: str
    buyer_country: str
    lines_count: int
    exact_micros: int
    billed_minor: int
    energy_wh: int
    co2_grams: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines come to, exactly and in minor units, with the taxes that it contains."""

    lines_count: int
    exact_micros: int
    total_minor: int
    energy_wh: int
    co2_grams: int
    taxes: list[Tax]

    @property
    def tax_minor(self) -> int:
        """The tax in the total."""
        return sum(tax.tax_minor for tax in self.taxes)

    @property
    def net_minor(self) -> int:
        """The total without its tax."""
        return self.total_minor - self.tax_minor


def totals_of(statement: Statement) -> Totals:
    """Return what the statement comes to."""
    if statement.state == StatementState.DRAFT:
        return compute_totals(statement)
    return Totals(
        lines_count=statement.lines_count or 0,
        exact_micros=statement.exact_micros or 0,
        total_minor=statement.total_minor or 0,
        energy_wh=statement.energy_wh or 0,
        co2_grams=statement.co2_grams or 0,
        taxes=taxes_written(statement),
    )


def compute_totals(statement: Statement) -> Totals:
    """Return what the lines as they stand come to, its total rounded once."""
    with connection.cursor() as cursor:
        cursor.execute(lines_cte(statement) + SUMS, given_of(statement))
        return _totals(statement, [Sum(*row) for row in cursor.fetchall()])


def totals_of_lines(statement: Statement) -> Totals:
    """Return what the lines in the table come to, whatever the statement's state."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN + SUMS, given_of(statement))
        return _totals(statement, [Sum(*row) for row in cursor.fetchall()])


def _totals(statement: Statement, sums: Sequence[Sum]) -> Totals:
    exact = sum(each.exact_micros for each in sums)
    total_minor = sum(each.billed_minor for each in sums)
    assert total_minor == round_half_even(exact, unit_of(statement)), statement
    last_day = (statement.ends_at - timedelta(microseconds=1)).astimezone(market_zone()).date()
    return Totals(
        lines_count=sum(each.lines_count for each in sums),
        exact_micros=exact,
        total_minor=total_minor,
        energy_wh=sum(each.energy_wh for each in sums),
        co2_grams=sum(each.co2_grams for each in sums),
        taxes=taxes_on([_supplied(each, statement) for each in sums], rates_at(last_day)),
    )


def _supplied(each: Sum, statement: Statement) -> Supplied:
    """Say who supplies whom: a fee is between the exchange and the statement's organization."""
    if each.is_fee:
        is_buyer = statement.side == Side.BUYER
        customer = each.buyer_country if is_buyer else each.provider_country
        return Supplied(Supply.FEE, settings.MARKET_COUNTRY, customer, each.billed_minor)
    return Supplied(Supply.CAPACITY, each.provider_country, each.buyer_country, each.billed_minor)


def market_zone() -> ZoneInfo:
    """Return the time zone in which months begin and end."""
    return ZoneInfo(settings.MARKET_TIME_ZONE)


def hours_of(accelerator_ms: int) -> str:
    """Return accelerator-milliseconds as accelerator-hours, rounded half-even to six decimals."""
    return format_scaled(round_half_even(accelerator_ms * MICROS, MS_PER_HOUR), scale=MICROS)


def statements_shown(caller: Caller) -> QuerySet[Statement]:
    """Return the statements that the caller may see, with what is printed of them."""
    return Statement.objects.visible_to(caller).select_related(
        "organization", "replaces", "credit_note"
    )
