"""What must hold of a batch before it is posted, asked once for the whole set."""

from collections.abc import Collection, Iterable, Sequence

from django.db.backends.utils import CursorWrapper

from exchange.foundation.arrays import spelled
from settlement.services.holds import UnknownHold
from settlement.services.posting_rows import NewTransfer

ACCOUNTS = """
SELECT id, currency FROM settlement_ledgeraccount
WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
HOLDS = """
SELECT id, account_id FROM settlement_hold
WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
TRANSFERS = "SELECT id FROM settlement_transfer WHERE id = ANY(%s::uuid[])"
PERIODS = "SELECT id FROM settlement_deliveryperiod WHERE id = ANY(%s::bigint[])"


class UnknownAccount(Exception):
    """A transfer names an account that does not exist."""


class UnknownPeriod(Exception):
    """A transfer names a delivery period that does not exist."""


class UnknownTransfer(Exception):
    """A transfer would undo one that does not exist."""


class TwoCurrencies(Exception):
    """A transfer would turn one currency into another."""


class HoldOfAnother(Exception):
    """A transfer would capture a hold that is not on its debit account."""


def lock_and_check(cursor: CursorWrapper, transfers: Sequence[NewTransfer]) -> None:
    """Lock the accounts and holds of ``transfers`` in order of id; refuse what cannot be posted.

    Raises UnknownAccount, UnknownHold, UnknownPeriod, UnknownTransfer, TwoCurrencies or
    HoldOfAnother.
    """
    _check_accounts(cursor, transfers)
    capturing = [each for each in transfers if each.hold_id is not None]
    if capturing:
        _check_holds(cursor, capturing)
    period_ids = {each.period_id for each in transfers if each.period_id is not None}
    _check_exist(cursor, PERIODS, period_ids, UnknownPeriod)
    reversed_ids = {each.reverses_id for each in transfers if each.reverses_id is not None}
    _check_exist(cursor, TRANSFERS, reversed_ids, UnknownTransfer)


def _check_accounts(cursor: CursorWrapper, transfers: Sequence[NewTransfer]) -> None:
    wanted = {each.debit_id for each in transfers} | {each.credit_id for each in transfers}
    cursor.execute(ACCOUNTS, [spelled(wanted)])
    currency: dict[int, str] = dict(cursor.fetchall())
    _refuse_missing(UnknownAccount, wanted, currency)
    if len(set(currency.values())) > 1:
        for each in transfers:
            if currency[each.debit_id] != currency[each.credit_id]:
                raise TwoCurrencies(f"transfer {each.key} is between two currencies")


def _check_holds(cursor: CursorWrapper, capturing: Sequence[NewTransfer]) -> None:
    wanted = {each.hold_id for each in capturing}
    cursor.execute(HOLDS, [spelled(wanted)])
    account: dict[int | None, int] = dict(cursor.fetchall())
    _refuse_missing(UnknownHold, wanted, account)
    for each in capturing:
        if account[each.hold_id] != each.debit_id:
            raise HoldOfAnother(f"transfer {each.key} captures a hold of another account")


def _check_exist(
    cursor: CursorWrapper, query: str, wanted: Collection[object], refusal: type[Exception]
) -> None:
    if wanted:
        cursor.execute(query, [spelled(wanted)])
        _refuse_missing(refusal, wanted, (row[0] for row in cursor.fetchall()))


def _refuse_missing(
    refusal: type[Exception], wanted: Iterable[object], found: Iterable[object]
) -> None:
    missing = set(wanted).difference(found)
    if missing:
        raise refusal(f"unknown: {', '.join(sorted(map(str, missing))[:5])}")
