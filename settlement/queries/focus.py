"""What a buyer was charged, as rows of FOCUS 1.2 (FinOps Open Cost and Usage Specification).

One row says what one statement charges for one hour and one kind of line: the runs of the hour
within the statement's month are added up, as the specification knows no correction within a
billing period. What an hour's later runs change in a month after its first is a correction. The
exchange is provider and issuer, the provider of the capacity is the publisher. Decimals are always
printed; names are ASCII, with the original in a column of ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from django.conf import settings

from exchange.foundation.money import MICROS, format_scaled
from settlement.models import LineKind, Side, Statement
from settlement.postings import MS_PER_HOUR
from settlement.queries.allocation import round_half_even
from settlement.queries.focus_columns import COLUMNS
from settlement.queries.line_rows import batched, csv_row
from settlement.queries.line_transfers import Moved, transfers_of, transfers_of_line
from settlement.queries.statement_lines import AT_ONCE, Line, all_lines

QUANTITY_SCALE = 10**12
UNITS = {"gpu": "GPU-Hours", "npu": "NPU-Hours"}
FEE_SKU, FEES = "exchange-fee", "Fees"
SHORTFALL = "shortfall"
FIRST_RUN = 1


@dataclass(frozen=True, slots=True)
class Charge:
    """The lines of one kind about one hour of one contract on one statement, added up."""

    kind: LineKind
    last: Line
    is_correction: bool
    delivered_ms: int
    energy_wh: int
    exact_micros: int
    billed_minor: int
    transfers: str


def focus_csv(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield a FOCUS file of these buyers' statements, a header first."""
    yield csv_row(COLUMNS)
    for statement in statements:
        for rows in batched(focus_rows(statement), AT_ONCE):
            yield "".join(csv_row([row.get(name, "") for name in COLUMNS]) for row in rows)


def focus_rows(statement: Statement) -> Iterator[dict[str, str]]:
    """Yield the rows of one buyer's statement; columns that are null are left out."""
    assert statement.side == Side.BUYER, statement
    same = _of_statement(statement)
    for charge in charges_of(statement):
        yield same | _of_charge(charge, statement) | _of_kind(charge, statement)


def charges_of(statement: Statement) -> Iterator[Charge]:
    """Yield what the statement charges, hour by hour."""
    by_hour = groupby(all_lines(statement), key=lambda line: line.period_id)
    for hours in batched(((hour, list(lines)) for hour, lines in by_hour), AT_ONCE):
        moved = transfers_of([line for _hour, lines in hours for line in lines])
        for _hour, lines in hours:
            yield from _charges_of_hour(lines, moved)


def _charges_of_hour(lines: Sequence[Line], moved: Moved) -> Iterator[Charge]:
    """A correction is what changes an hour that an earlier statement charged for."""
    is_correction = all(line.run_no > FIRST_RUN for line in lines)
    for kind in (LineKind.USAGE, LineKind.BUYER_FEE, LineKind.CREDIT):
        same = [line for line in lines if line.kind == kind]
        if same:
            ids = dict.fromkeys(
                str(each) for line in same for each in transfers_of_line(line, moved)
            )
            yield Charge(
                kind=kind,
                last=same[-1],
                is_correction=is_correction,
                delivered_ms=sum(line.delivered_ms for line in same),
                energy_wh=sum(line.energy_wh for line in same),
                exact_micros=sum(line.exact_micros for line in same),
                billed_minor=sum(line.billed_minor for line in same),
                transfers=" ".join(ids),
            )


def _of_statement(statement: Statement) -> dict[str, str]:
    """Return what is the same in all rows of a statement."""
    organization = statement.organization
    party = statement.party_name or organization.name
    exchange = statement.issuer_name or settings.MARKET_NAME
    return {
        "BillingAccountId": organization.public_id,
        "BillingAccountName": ascii_name(party, organization.public_id),
        "BillingAccountType": "Organization",
        "BillingCurrency": statement.currency,
        "BillingPeriodStart": instant(statement.starts_at),
        "BillingPeriodEnd": instant(statement.ends_at),
        "InvoiceId": statement.name or statement.public_id,  # a draft's is provisional
        "InvoiceIssuerName": ascii_name(exchange, "Compute Exchange"),
        "PricingCurrency": statement.currency,
        "ProviderName": ascii_name(exchange, "Compute Exchange"),
        "ServiceCategory": "Compute",
        "ServiceName": "Accelerator Hours",
        "ServiceSubcategory": "Other (Compute)",
        "x_BillingAccountName": party,
    }


def _of_charge(charge: Charge, statement: Statement) -> dict[str, str]:
    """Return what every row says of its hour and its money."""
    line = charge.last
    billed = _billed(charge, statement)
    return {
        "AvailabilityZone": line.site,
        "BilledCost": billed,
        "ChargeClass": "Correction" if charge.is_correction else "",
        "ChargePeriodStart": instant(line.starts_at),
        "ChargePeriodEnd": instant(line.ends_at),
        "ContractedCost": billed,
        "EffectiveCost": billed,
        "ListCost": billed,
        "PricingCurrencyEffectiveCost": billed,
        "PublisherName": ascii_name(line.provider, line.site),
        "RegionId": line.region,
        "RegionName": line.region,
        "ResourceId": line.contract,
        "ResourceName": f"{line.accelerator} at {line.site}",
        "ResourceType": "Contract",
        "x_ContractId": line.contract,
        "x_AuctionId": line.auction,
        "x_TransferId": charge.transfers,
        "x_RunNo": str(line.run_no),
        "x_EnergyWh": str(charge.energy_wh),
        "x_PublisherName": line.provider,
    }


def _of_kind(charge: Charge, statement: Statement) -> dict[str, str]:
    line = charge.last
    if charge.kind is LineKind.USAGE:
        unit = UNITS[line.accelerator_kind]
        quantity = _quantity(charge.delivered_ms)
        return _priced(charge, price=line.price, quantity=quantity, unit=unit) | {
            "ChargeCategory": "Usage",
            "ChargeDescription": f"{quantity} {unit} of {line.accelerator} at {line.site}",
            "ChargeFrequency": "Usage-Based",
            "ConsumedQuantity": quantity,
            "ConsumedUnit": unit,
            "PricingCategory": "Dynamic",
            "SkuId": line.accelerator,
            "SkuMeter": unit,
            "SkuPriceDetails": f'{{"x_Accelerator":"{line.accelerator}","x_Site":"{line.site}"}}',
            "SkuPriceId": f"{line.accelerator}/{line.site}",
        }
    if charge.kind is LineKind.BUYER_FEE:
        price = format_scaled(abs(charge.exact_micros), scale=MICROS)
        quantity = "-1.0" if charge.exact_micros < 0 else "1.0"
        return _priced(charge, price=price, quantity=quantity, unit=FEES) | {
            "ChargeCategory": "Usage",
            "ChargeDescription": f"Fee of the exchange for {line.accelerator} at {line.site}",
            "ChargeFrequency": "Usage-Based",
            "ConsumedQuantity": quantity,
            "ConsumedUnit": FEES,
            "PricingCategory": "Standard",
            "SkuId": FEE_SKU,
            "SkuMeter": FEES,
            "SkuPriceId": FEE_SKU,
        }
    return {
        "ChargeCategory": "Credit",
        "ChargeDescription": f"Credit for a shortfall of {line.accelerator} at {line.site}",
        "ChargeFrequency": "One-Time",
        "x_SlaReason": SHORTFALL,
    }


def _priced(charge: Charge, *, price: str, quantity: str, unit: str) -> dict[str, str]:
    """Return the columns of a price: there are no discounts, so list and contract agree."""
    cost = format_scaled(charge.exact_micros, scale=MICROS)
    prices = ("ContractedUnitPrice", "ListUnitPrice")
    return (
        dict.fromkeys(("ContractedCost", "EffectiveCost", "ListCost"), cost)
        | dict.fromkeys(prices, price)
        | {f"PricingCurrency{name}": price for name in prices}
        | {"PricingCurrencyEffectiveCost": cost, "PricingQuantity": quantity, "PricingUnit": unit}
    )


def _billed(charge: Charge, statement: Statement) -> str:
    return format_scaled(charge.billed_minor, scale=10**statement.minor_digits)


def _quantity(delivered_ms: int) -> str:
    hours = round_half_even(delivered_ms * QUANTITY_SCALE, MS_PER_HOUR)
    return format_scaled(hours, scale=QUANTITY_SCALE)


def instant(at: datetime) -> str:
    """Return a moment as the specification writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ascii_name(name: str, instead: str) -> str:
    """Return a name in ASCII: as it is, or what stands in for it."""
    return name if name.isascii() else instead
