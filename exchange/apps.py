from django.apps import AppConfig

from exchange.queries.invariants import MARKET
from settlement.queries.invariants.registry import register


class ExchangeConfig(AppConfig):
    name = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the audit of the books ask the market's rules too."""
        register(MARKET)
