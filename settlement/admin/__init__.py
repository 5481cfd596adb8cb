from settlement.admin import accounts, contracts, delivery, holds, statements, transfers

__all__ = ["accounts", "contracts", "delivery", "holds", "statements", "transfers"]
