"""Transfers as a journal for Beancount, the plain-text accounting program.

Whoever sees everything gets the exchange's own books: what it holds for others is a liability,
fees and rents are income. An organization gets its side: what it has at the exchange is an asset.
Debits are positive, as Beancount writes them. The journal opens with the balances before its time
and closes with assertions of those at its end, so Beancount itself checks that nothing is missing.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from accounts.models import Caller
from exchange.foundation.money import MICROS, format_scaled
from settlement.models import AccountKind, TransferCode

AT_ONCE = 2_000
BEGINNING = date(2000, 1, 1)  # before anything ever moved
EXCHANGE_ACCOUNTS: Mapping[str, str] = {
    AccountKind.EXTERNAL: "Assets:Bank",
    AccountKind.AVAILABLE: "Liabilities:Available",
    AccountKind.PAYABLE: "Liabilities:Payable",
    AccountKind.WITHDRAWING: "Liabilities:Withdrawing",
    AccountKind.IN_TRANSIT: "Liabilities:InTransit",
    AccountKind.CLEARING: "Liabilities:Clearing",
    AccountKind.SUSPENSE: "Liabilities:Suspense",
    AccountKind.FEE: "Income:Fees",
    AccountKind.CONGESTION_RENT: "Income:CongestionRents",
    AccountKind.POWER_RENT: "Income:PowerRents",
    AccountKind.POLICY: "Income:Policy",
    AccountKind.PENALTY: "Income:Penalties",
    AccountKind.ROUNDING: "Income:Rounding",
}
OWN_ACCOUNTS: Mapping[str, str] = {
    AccountKind.AVAILABLE: "Assets:Exchange:Available",
    AccountKind.PAYABLE: "Assets:Exchange:Payable",
    AccountKind.WITHDRAWING: "Assets:Exchange:Withdrawing",
}
OTHER_SIDES: Mapping[int, str] = {
    TransferCode.CHARGE: "Expenses:Exchange:ComputingPower",
    TransferCode.EARNING: "Income:Exchange:ComputingPower",
    TransferCode.DEPOSIT: "Assets:Bank",
    TransferCode.WITHDRAWAL: "Assets:Bank",
    TransferCode.PENALTY: "Income:Exchange:Shortfalls",
    TransferCode.COLLATERAL: "Income:Exchange:Shortfalls",
    TransferCode.CREDIT: "Income:Exchange:Shortfalls",
}
ELSEWHERE = "Equity:Exchange:Other"
ROWS = """
SELECT transfer.id, transfer.event_at, transfer.amount_micros, transfer.code, transfer.run_no,
       debit.kind, debit.reference, debit_owner.public_id, credit.kind, credit.reference,
       credit_owner.public_id, debit.currency, batch.key, contract.public_id, period.starts_at
FROM settlement_transfer AS transfer
JOIN settlement_batch AS batch ON batch.id = transfer.batch_id
JOIN settlement_ledgeraccount AS debit ON debit.id = transfer.debit_id
JOIN settlement_ledgeraccount AS credit ON credit.id = transfer.credit_id
LEFT JOIN accounts_organization AS debit_owner ON debit_owner.id = debit.owner_id
LEFT JOIN accounts_organization AS credit_owner ON credit_owner.id = credit.owner_id
LEFT JOIN settlement_deliveryperiod AS period ON period.id = transfer.period_id
LEFT JOIN settlement_contract AS contract ON contract.id = period.contract_id
WHERE transfer.event_at >= %(starts_at)s AND transfer.event_at < %(ends_at)s
  AND (%(all)s OR debit.owner_id = %(owner)s OR credit.owner_id = %(owner)s)
ORDER BY transfer.event_at, transfer.batch_id, transfer.id
"""
SUMS = """
SELECT transfer.code, debit.kind, debit.reference, debit_owner.public_id, credit.kind,
       credit.reference, credit_owner.public_id, debit.currency, sum(transfer.amount_micros)::bigint
FROM settlement_transfer AS transfer
JOIN settlement_ledgeraccount AS debit ON debit.id = transfer.debit_id
JOIN settlement_ledgeraccount AS credit ON credit.id = transfer.credit_id
LEFT JOIN accounts_organization AS debit_owner ON debit_owner.id = debit.owner_id
LEFT JOIN accounts_organization AS credit_owner ON credit_owner.id = credit.owner_id
WHERE transfer.event_at < %(before)s
  AND (%(all)s OR debit.owner_id = %(owner)s OR credit.owner_id = %(owner)s)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of a transfer's two accounts in the ledger."""

    kind: str
    reference: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a journal is written; ``own`` is empty for the exchange's books."""

    own: str

    def name(self, side: Side, code: int) -> str:
        """Return the journal's name of an account, seen from here."""
        if self.own:
            if side.owner == self.own:
                return OWN_ACCOUNTS[side.kind]
            return OTHER_SIDES.get(code, ELSEWHERE)
        name = EXCHANGE_ACCOUNTS[side.kind]
        part = side.owner or side.reference
        return f"{name}:{_component(part)}" if part else name

    @property
    def sign(self) -> int:
        """Return what a debit at the exchange is here: the other way round for its customers."""
        return -1 if self.own else 1


def journal(caller: Caller, *, first: date, after: date) -> Iterator[str]:
    """Yield the journal from the day ``first`` until the day before ``after``, in pieces.

    Days are the market's. A caller that sees all gets the exchange's books, any other its own.
    """
    reader = Reader("" if caller.sees_all else caller.organization_public_id)
    given = {"all": caller.sees_all, "owner": caller.organization_id}
    opening = _balances(reader, given | {"before": _midnight(first)})
    closing_balances = _balances(reader, given | {"before": _midnight(after)})
    yield from _head(reader, first, sorted({*opening, *closing_balances}))
    yield from _opening(first, opening)
    yield from _transactions(
        reader, given | {"starts_at": _midnight(first), "ends_at": _midnight(after)}
    )
    for (name, currency), amount in sorted(closing_balances.items()):
        yield f"{after} balance {name}  {_amount(amount)} ~ 0 {currency}\n"


def _head(reader: Reader, first: date, accounts: list[tuple[str, str]]) -> Iterator[str]:
    title = reader.own or settings.MARKET_NAME
    yield f'option "title" {_quoted(title)}\n'
    yield f'option "operating_currency" "{settings.MARKET_CURRENCY}"\n\n'
    for name, currency in accounts:
        yield f"{first} open {name}  {currency}\n"
    yield "\n"


def _opening(first: date, balances: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Yield one transaction that brings every balance forward; it adds up by itself."""
    carried = {key: amount for key, amount in sorted(balances.items()) if amount}
    if carried:
        yield f'{first} * "brought forward"\n'
        for (name, currency), amount in carried.items():
            yield f"  {name}  {_amount(amount)} {currency}\n"
        yield "\n"


def _balances(reader: Reader, given: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    balances: dict[tuple[str, str], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(SUMS, given)
        for code, *sides, currency, amount in cursor.fetchall():
            for side, sign in ((Side(*sides[:3]), 1), (Side(*sides[3:]), -1)):
                key = reader.name(side, code), currency
                balances[key] = balances.get(key, 0) + sign * reader.sign * amount
    return balances


def _transactions(reader: Reader, given: Mapping[str, Any]) -> Iterator[str]:
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(ROWS, given)
        while rows := cursor.fetchmany(AT_ONCE):
            yield "".join(_transaction(reader, row) for row in rows)


def _transaction(reader: Reader, row: tuple[Any, ...]) -> str:
    transfer_id, event_at, amount, code, run_no, *sides, currency, batch, contract, starts_at = row
    debit, credit = Side(*sides[:3]), Side(*sides[3:])
    day = event_at.astimezone(_zone()).date()
    told = {"transfer": str(transfer_id), "batch": batch, "contract": contract}
    lines = [f'{day} * "{TransferCode(code).label}"']
    lines += [f"  {name}: {_quoted(value)}" for name, value in told.items() if value]
    if run_no is not None:
        lines.append(f"  run: {run_no}")
        lines.append(f'  hour: "{starts_at.isoformat()}"')
    for side, sign in ((debit, 1), (credit, -1)):
        signed = _amount(sign * reader.sign * amount)
        lines.append(f"  {reader.name(side, code)}  {signed} {currency}")
    return "\n".join(lines) + "\n\n"


def _component(text: str) -> str:
    """Return a part of an account's name: a capital or digit, then letters, digits and dashes."""
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in text)
    return f"X{plain}" if plain.startswith("-") else plain[:1].upper() + plain[1:]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _amount(micros: int) -> str:
    return format_scaled(micros, scale=MICROS)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.MARKET_TIME_ZONE)


def day_after(at: datetime) -> date:
    """Return the market's day after the one of ``at``: a journal until then holds everything."""
    return at.astimezone(_zone()).date() + timedelta(days=1)
