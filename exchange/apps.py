from django.apps import AppConfig

from exchange.queries.invariants import MARKET
from exchange.queries.replacement import replacement_quotes
from exchange.queries.undecided_books import stands_in_undecided_book
from settlement.queries.invariants.registry import register
from settlement.services.replacement import register_quotes
from settlement.services.resale_markets import Market, register_market


class ExchangeConfig(AppConfig):
    name = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let settlement ask the market: its rules, prices elsewhere, what it sells and to whom."""
        from exchange.services.resale_gate import refuse_resale  # noqa: PLC0415 - needs models

        register(MARKET)
        register_quotes(replacement_quotes)
        register_market(Market(stands_in_undecided_book, refuse_resale))
