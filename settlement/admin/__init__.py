from settlement.admin import (
    accounts,
    contracts,
    delivery,
    deposits,
    disputes,
    holds,
    payouts,
    resales,
    risk,
    statements,
    tables,
    transfers,
)

__all__ = [
    "accounts",
    "contracts",
    "delivery",
    "deposits",
    "disputes",
    "holds",
    "payouts",
    "resales",
    "risk",
    "statements",
    "tables",
    "transfers",
]
