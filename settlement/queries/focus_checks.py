"""Eleven checks of prices, quantities and costs in a FOCUS file.

The public validator's rules of this kind do not fire on ordinary rows, so these stand beside it.
Pure: rows in, faults out. A cost is exact to a micro-unit and a quantity to 10^-12 of an hour.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from settlement.queries.focus_columns import COLUMNS

Row = Mapping[str, str]
PROVISIONAL = "stm_"  # a draft has no number yet, and its id instead
MICRO, FINEST, MINOR = Decimal("0.000001"), Decimal("1e-12"), Decimal("0.01")
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
NEEDED = ("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit", "SkuPriceId")


@dataclass(frozen=True, slots=True)
class Fault:
    """Which row (the header is row 1; 0: the file) breaks which check, and how."""

    row_no: int
    check: str
    says: str

    def __str__(self) -> str:
        return f"row {self.row_no}, {self.check}: {self.says}"


def check_file(rows: Iterable[Row], *, totals: Mapping[str, Decimal]) -> list[Fault]:
    """Return what is wrong with the rows; ``totals`` are the invoices' by InvoiceId."""
    faults: list[Fault] = []
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row_no, row in enumerate(rows, start=2):
        faults += [Fault(row_no, check.__name__, says) for check, says in _faults(row)]
        billed[row["InvoiceId"]] += _number(row, "BilledCost") or 0
    for invoice in sorted(set(billed) | set(totals)):
        is_issued = not invoice.startswith(PROVISIONAL)
        if is_issued and billed[invoice] != totals.get(invoice):
            says = f"{invoice}: rows bill {billed[invoice]}, the invoice {totals.get(invoice)}"
            faults.append(Fault(0, "invoices_add_up", says))
    return faults


def _faults(row: Row) -> Iterator[tuple[Callable[[Row], str], str]]:
    for check in CHECKS:
        try:
            says = check(row)
        except (InvalidOperation, KeyError, TypeError) as wrong:
            says = f"a number is missing or malformed ({type(wrong).__name__})"
        if says:
            yield check, says


def columns_are_complete(row: Row) -> str:
    """Every column is there, and every amount is a plain decimal."""
    missing = set(COLUMNS) - set(row)
    bad = [name for name in COSTS if not _is_plain(row.get(name, ""))]
    return f"missing {sorted(missing)}, not plain {bad}" if missing or bad else ""


def list_cost_is_price_times_quantity(row: Row) -> str:
    """ListCost = ListUnitPrice x PricingQuantity, corrections apart."""
    return _product(row, "ListUnitPrice", "ListCost")


def contracted_cost_is_price_times_quantity(row: Row) -> str:
    """ContractedCost = ContractedUnitPrice x PricingQuantity, corrections apart."""
    return _product(row, "ContractedUnitPrice", "ContractedCost")


def list_and_contract_agree(row: Row) -> str:
    """There are no discounts: the list's price is the contract's."""
    same = _number(row, "ListUnitPrice") == _number(row, "ContractedUnitPrice")
    return "" if same else "ListUnitPrice is not ContractedUnitPrice"


def nothing_is_amortized(row: Row) -> str:
    """EffectiveCost = ContractedCost = ListCost: nothing is prepaid."""
    costs = {_number(row, name) for name in ("EffectiveCost", "ContractedCost", "ListCost")}
    return "" if len(costs) == 1 else "EffectiveCost, ContractedCost and ListCost differ"


def billed_is_rounded(row: Row) -> str:
    """BilledCost is off by less than a minor unit for each run that it adds up."""
    off = abs(_known(row, "BilledCost") - _known(row, "EffectiveCost"))
    return "" if off < MINOR * int(row["x_RunNo"]) else f"BilledCost is off by {off}"


def unpriced_rows_bill_their_cost(row: Row) -> str:
    """Without a unit price every cost is the billed one."""
    same = len({_number(row, name) for name in COSTS}) == 1
    return "" if row["ListUnitPrice"] or same else "costs differ without a price"


def usage_is_consumed(row: Row) -> str:
    """Usage is priced by what was consumed; nothing else is consumed."""
    if row["ChargeCategory"] != "Usage":
        return "ConsumedQuantity of no usage" if row["ConsumedQuantity"] else ""
    same = _number(row, "ConsumedQuantity") == _number(row, "PricingQuantity")
    units = row["ConsumedUnit"] == row["PricingUnit"]
    return "" if same and units else "what is priced is not what was consumed"


def one_currency(row: Row) -> str:
    """Prices are in the currency of billing, and the same there."""
    same = row["PricingCurrency"] == row["BillingCurrency"] and all(
        _number(row, f"PricingCurrency{name}") == _number(row, name)
        for name in ("ListUnitPrice", "ContractedUnitPrice", "EffectiveCost")
    )
    return "" if same else "amounts in the pricing currency differ"


def prices_are_there_or_not(row: Row) -> str:
    """Usage has price, quantity and unit; credits have none."""
    there = [bool(row[name]) for name in NEEDED]
    fits = all(there) if row["ChargeCategory"] == "Usage" else not any(there)
    return "" if fits else f"{row['ChargeCategory']} with {sum(there)} of {len(there)}"


def signs_fit(row: Row) -> str:
    """Prices are not negative; only corrections turn a sign."""
    if (_number(row, "ListUnitPrice") or 0) < 0:
        return "a negative price"
    if row["ChargeClass"] == "Correction":
        return ""
    sign = -1 if row["ChargeCategory"] == "Credit" else 1
    wrong = [name for name in (*COSTS, "PricingQuantity") if sign * (_number(row, name) or 0) < 0]
    return f"the sign of {', '.join(wrong)}" if wrong else ""


CHECKS: tuple[Callable[[Row], str], ...] = (
    columns_are_complete,
    list_cost_is_price_times_quantity,
    contracted_cost_is_price_times_quantity,
    list_and_contract_agree,
    nothing_is_amortized,
    billed_is_rounded,
    unpriced_rows_bill_their_cost,
    usage_is_consumed,
    one_currency,
    prices_are_there_or_not,
    signs_fit,
)


def _product(row: Row, price_name: str, cost_name: str) -> str:
    if not row[price_name] or row["ChargeClass"] == "Correction":
        return ""
    price, cost = _known(row, price_name), _known(row, cost_name)
    off = abs(price * _known(row, "PricingQuantity") - cost)
    return "" if off <= MICRO + price * FINEST else f"{cost_name} is off by {off}"


def _number(row: Row, name: str) -> Decimal | None:
    return Decimal(row[name]) if row[name] else None


def _known(row: Row, name: str) -> Decimal:
    return Decimal(row[name])


def _is_plain(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit() and "." in text
