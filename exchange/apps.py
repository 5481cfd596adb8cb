from django.apps import AppConfig

from exchange.queries.invariants import MARKET
from exchange.queries.replacement import replacement_quotes
from settlement.queries.invariants.registry import register
from settlement.services.replacement import register_quotes


class ExchangeConfig(AppConfig):
    name = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the audit ask the market's rules too, and settlement ask for prices elsewhere."""
        register(MARKET)
        register_quotes(replacement_quotes)
