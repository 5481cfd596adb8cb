from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names that it does not know: a misspelt limit must not become no limit."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values; every unknown name is an error of its own."""
        unknown = self._unknown(data)
        try:
            checked = super().to_internal_value(data)
        except ValidationError as wrong:
            raise ValidationError({**wrong.detail, **unknown}) from wrong  # type: ignore[dict-item]
        if unknown:
            raise ValidationError(unknown)
        return checked

    def _unknown(self, data: Any) -> dict[str, list[ErrorDetail]]:
        if not isinstance(data, Mapping):
            return {}
        known = {name for name, field in self.fields.items() if not field.read_only}
        detail = ErrorDetail("This name is not known here.", "unknown_field")
        return {str(name): [detail] for name in data if name not in known}
