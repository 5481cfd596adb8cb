"""Admin is for looking. Every change goes through a service, with a reason and an audit row."""

from exchange.admin import auctions, cases, catalogue, freezes, limits, orders, trades

__all__ = ["auctions", "cases", "catalogue", "freezes", "limits", "orders", "trades"]
