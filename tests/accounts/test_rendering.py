"""The quick printer says what the framework's says, whatever it is given."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer

from accounts.models.roles import Scope
from accounts.web.rendering import LongJSONRenderer

VALUES: tuple[Any, ...] = (
    {"text": 'é 中 " \\ \n \x1f', "none": None, "yes": True, "whole": 10**15, "list": [1, [], {}]},
    {"whole": 2**70},
    {"at": datetime(2026, 1, 5, 12, tzinfo=UTC)},
    {"amount": Decimal("1.50")},
    {"id": uuid.UUID(int=7)},
    {"scope": Scope.BIDS_READ},
    {"said": gettext_lazy("Bids")},
    [],
    "text",
)


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_both_printers_say_the_same(value: Any) -> None:
    assert LongJSONRenderer().render(value) == JSONRenderer().render(value)
