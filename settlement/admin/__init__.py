from settlement.admin import (
    accounts,
    contracts,
    delivery,
    deposits,
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
    "holds",
    "payouts",
    "risk",
    "statements",
    "tables",
    "transfers",
]
