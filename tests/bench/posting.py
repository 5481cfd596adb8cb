"""Transfers posted 10,000 a batch with all checks, against COPY, and against one at a time.

Posting: ``post_batch``: ids hashed, repeats looked for, accounts and holds locked and checked, rows
written by COPY, holds captured, balances moved, the batch sealed in the hash chain, committed. Half
of the transfers capture one of 1,000 holds, half pay one of 100 sellers, one pays the fee.

COPY: the rows of that very batch, as Python values, into a table of the same columns, defaults,
indexes and CHECKs, committed; one text that is ready stands beside it.

One at a time: a database transaction for each transfer that locks its two accounts, one of which
is always the fee's, writes the row and moves both balances.
"""

import statistics
import time
import uuid
from typing import Any

from django.db import connection, transaction

from settlement.models import AccountKind, Hold, TransferCode
from settlement.services.holds import HoldRequest, place_hold
from settlement.services.ledger import (
    NewTransfer,
    accounts_of,
    clearing_account,
    house_account,
    post_batch,
)
from tests.bench import house
from tests.bench.tables import Table
from tests.settlement.books import MOMENT, an_organization, put_in

COPY_RATIO_MIN = 0.5
SINGLE_RATIO_MIN = 15
ROUNDS = 9
WARM_UP = 2
SIZE = 10_000
SINGLES = 200
BUYERS, SELLERS = 1_000, 100
MONEY = 10**12
LAST = "SELECT * FROM settlement_transfer ORDER BY batch_id DESC LIMIT 10000"
TABLES = """
CREATE TABLE bare_rows (LIKE settlement_transfer INCLUDING ALL);
CREATE TABLE bare_text (LIKE settlement_transfer INCLUDING ALL);
CREATE TABLE bare_single (LIKE settlement_transfer INCLUDING ALL);
CREATE TABLE bare_account (LIKE settlement_ledgeraccount INCLUDING ALL);
INSERT INTO bare_account OVERRIDING SYSTEM VALUE SELECT * FROM settlement_ledgeraccount;
ANALYZE
"""
LOCK = "SELECT id FROM bare_account WHERE id IN (%s, %s) ORDER BY id FOR NO KEY UPDATE"
INSERT = """
INSERT INTO bare_single (id, batch_id, debit_id, credit_id, amount_micros, code, event_at)
VALUES (%s, 1, %s, %s, 1, 10, %s)
"""
DEBIT = "UPDATE bare_account SET debits_posted = debits_posted + 1 WHERE id = %s"
CREDIT = "UPDATE bare_account SET credits_posted = credits_posted + 1 WHERE id = %s"


class Books:
    """Accounts with money and holds, and batches of transfers between them."""

    def __init__(self) -> None:
        owners = [an_organization(f"Buyer {n}") for n in range(BUYERS)]
        self.buyers = [put_in(owner, MONEY) for owner in owners]
        for owner in owners:
            place_hold(HoldRequest(f"of {owner.pk}", owner.pk, MONEY // 2))
        self.holds = dict(Hold.objects.values_list("account_id", "id"))
        sellers = [an_organization(f"Seller {n}").pk for n in range(SELLERS)]
        self.sellers = list(accounts_of(AccountKind.PAYABLE, sellers).values())
        self.clearing, self.fee = clearing_account("auc_1"), house_account(AccountKind.FEE)

    def batch(self, name: object, size: int = SIZE) -> list[NewTransfer]:
        """Return a batch through the clearing account, which is left with nothing."""
        half = size // 2
        charges = [
            self._transfer(f"{name} charge {n}", debit, self.clearing, 11, hold=self.holds[debit])
            for n in range(half)
            for debit in [self.buyers[n % BUYERS]]
        ]
        earnings = [
            self._transfer(f"{name} earning {n}", self.clearing, self.sellers[n % SELLERS], 10)
            for n in range(half - 1)
        ]
        fee = self._transfer(f"{name} fee", self.clearing, self.fee, half * 11 - (half - 1) * 10)
        return [*charges, *earnings, fee]

    @staticmethod
    def _transfer(
        key: str, debit: int, credit: int, amount: int, *, hold: int | None = None
    ) -> NewTransfer:
        return NewTransfer(
            key=key,
            debit_id=debit,
            credit_id=credit,
            amount_micros=amount,
            code=TransferCode.CHARGE,
            event_at=MOMENT,
            hold_id=hold,
        )


def run() -> list[Table]:
    """Post, copy, and post one by one in turn."""
    with house.fresh_database():
        books = Books()
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
        rounds = [_round(books, number) for number in range(WARM_UP + ROUNDS)][WARM_UP:]
    return [_table(rounds)]


def _round(books: Books, number: int) -> dict[str, float]:
    """Return the seconds for one transfer in each of the four ways."""
    batch = books.batch(number)
    begun = time.perf_counter()
    post_batch(batch, key=f"bench {number}")
    taken = {"posted": (time.perf_counter() - begun) / SIZE}
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        rows = cursor.fetchall()
        with cursor.copy(f"COPY ({LAST}) TO STDOUT") as copy:
            text = b"".join(copy)
    return taken | {
        "bare_rows": _copy("bare_rows", rows) / SIZE,
        "bare_text": _copy("bare_text", text) / SIZE,
        "bare_single": _one_by_one(books) / SINGLES,
    }


def _copy(table: str, rows: list[tuple[Any, ...]] | bytes) -> float:
    begun = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        if isinstance(rows, bytes):
            copy.write(rows)
        else:
            for row in rows:
                copy.write_row(row)
    return time.perf_counter() - begun


def _one_by_one(books: Books) -> float:
    begun = time.perf_counter()
    for buyer in books.buyers[:SINGLES]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK, [buyer, books.fee])
            cursor.execute(INSERT, [uuid.uuid4(), buyer, books.fee, MOMENT])
            cursor.execute(DEBIT, [buyer])
            cursor.execute(CREDIT, [books.fee])
    return time.perf_counter() - begun


def _table(rounds: list[dict[str, float]]) -> Table:
    table = Table(
        f"Batches of {SIZE:,} transfers: at least {COPY_RATIO_MIN} of the rate of COPY of the same "
        f"rows, as Python values, and {SINGLE_RATIO_MIN} times that of row-locked single posting",
        ["beside", "asked", "rounds", "posted/s", "beside/s", "ratio", "from", "to"],
    )
    for name, title, least in (
        ("bare_rows", "COPY of rows as Python values", COPY_RATIO_MIN),
        ("bare_text", "COPY of one text that is ready", None),
        ("bare_single", "one by one, rows locked, one fee account", SINGLE_RATIO_MIN),
    ):
        ratios = [taken[name] / taken["posted"] for taken in rounds]
        ratio = statistics.median(ratios)
        rates = [1 / statistics.median(taken[of] for taken in rounds) for of in ("posted", name)]
        table.add(
            title,
            least or "",
            len(rounds),
            *(f"{rate:,.0f}" for rate in rates),
            *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
            holds=least is None or ratio >= least,
        )
    return table
