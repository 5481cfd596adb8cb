from settlement.admin import (
    accounts,
    contracts,
    delivery,
    deposits,
    holds,
    payouts,
    statements,
    transfers,
)

__all__ = [
    "accounts",
    "contracts",
    "delivery",
    "deposits",
    "holds",
    "payouts",
    "statements",
    "transfers",
]
