from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """An app only so that the market clock's table and function have a migration."""

    name = "exchange.foundation"
    label = "foundation"
