from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"


@register
def receivers_in_production(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    """Say that no receiver may be on loopback where the market is real."""
    if settings.PRODUCTION and settings.WEBHOOK_LOOPBACK_RECEIVERS:
        text = "WEBHOOK_LOOPBACK_RECEIVERS lets webhooks reach this machine's own services."
        hint = "It is for tests and the demo. Leave it empty in production."
        return [Error(text, hint=hint, id="accounts.E001")]
    return []
