from settlement.admin import (
    accounts,
    contracts,
    delivery,
    deposits,
    disputes,
    holds,
    payouts,
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
    "risk",
    "statements",
    "tables",
    "transfers",
]
