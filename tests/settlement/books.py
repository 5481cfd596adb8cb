"""What the ledger's tests begin with: organizations, money, and what they look at."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import Organization
from settlement.models import AccountKind, LedgerAccount, TransferCode
from settlement.services.ledger import (
    NewTransfer,
    Posted,
    accounts_of,
    house_account,
    post_batch,
)

MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def an_organization(name: str = "Buyer") -> Organization:
    return Organization.objects.create(name=name, buys=True, provides=True)


def a_transfer(key: str, debit_id: int, credit_id: int, amount: int, **more: Any) -> NewTransfer:
    return NewTransfer(
        key=key,
        debit_id=debit_id,
        credit_id=credit_id,
        amount_micros=amount,
        code=TransferCode.DEPOSIT,
        event_at=MOMENT,
        **more,
    )


def put_in(organization: Organization, amount: int, *, key: str = "") -> int:
    """Give an organization money from the bank; return the id of its account."""
    account_id = money_of(organization).pk
    name = key or f"deposit {organization.pk}"
    post(name, [a_transfer(name, house_account(AccountKind.EXTERNAL), account_id, amount)])
    return account_id


def post(key: str, transfers: list[NewTransfer]) -> Posted:
    return post_batch(transfers, key=key)


def money_of(
    organization: Organization, kind: AccountKind = AccountKind.AVAILABLE
) -> LedgerAccount:
    account_id = accounts_of(kind, [organization.pk])[organization.pk]
    return LedgerAccount.objects.get(pk=account_id)
