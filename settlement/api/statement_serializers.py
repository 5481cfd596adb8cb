"""How statements are printed: exact amounts beside those in minor units."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.web.fields import InstantField, MoneyField
from exchange.foundation.money import format_scaled
from settlement.models import LineKind, Side, Statement, StatementState
from settlement.queries.statements import hours_of

DECIMAL = {"type": "string", "example": "12.34"}


class StatementSerializer(serializers.Serializer[Statement]):
    """What an organization owes (as a buyer) or is owed (as a provider) for a month."""

    id = serializers.CharField(source="public_id")
    organization = serializers.CharField(source="organization.public_id")
    side = serializers.ChoiceField(choices=Side.choices)
    state = serializers.ChoiceField(choices=StatementState.choices)
    number = serializers.SerializerMethodField()
    currency = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField()
    finalized_at = InstantField(allow_null=True)
    total = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"], "example": "B2026-17"})
    def get_number(self, statement: Statement) -> str | None:
        """Return the number, which a draft has not."""
        return None if statement.number is None else f"{statement.series}-{statement.number}"

    @extend_schema_field({"type": ["string", "null"], "example": "12.34"})
    def get_total(self, statement: Statement) -> str | None:
        """Return the total; a draft's is on its own page."""
        if statement.total_minor is None:
            return None
        return format_scaled(statement.total_minor, scale=10**statement.minor_digits)


class LineSerializer(serializers.Serializer[Any]):
    """What one run changed."""

    line_no = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LineKind.choices)
    contract = serializers.CharField()
    site = serializers.CharField()
    accelerator = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField()
    run_no = serializers.IntegerField()
    accelerator_hours = serializers.SerializerMethodField()
    price = serializers.CharField()
    exact_amount = MoneyField(source="exact_micros")
    amount = serializers.SerializerMethodField()

    @extend_schema_field(DECIMAL)
    def get_accelerator_hours(self, line: Any) -> str:
        """Return what was delivered, in accelerator-hours."""
        return hours_of(line.delivered_ms)

    @extend_schema_field(DECIMAL)
    def get_amount(self, line: Any) -> str:
        """Return the line's part of the total."""
        return format_scaled(line.billed_minor, scale=self.context["minor_scale"])


class StatementDetailSerializer(serializers.Serializer[Any]):
    """A statement with its totals and lines; a draft's are as of now."""

    statement = StatementSerializer()
    exact_total = MoneyField(source="sheet.exact_micros")
    total = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()

    @extend_schema_field(DECIMAL)
    def get_total(self, shown: dict[str, Any]) -> str:
        """Return the total in minor units, as a decimal."""
        return format_scaled(shown["sheet"].total_minor, scale=_minor_scale(shown))

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, shown: dict[str, Any]) -> Any:
        """Return the lines in order."""
        context = {"minor_scale": _minor_scale(shown)}
        return LineSerializer(shown["sheet"].lines, many=True, context=context).data


def _minor_scale(shown: dict[str, Any]) -> int:
    scale: int = 10 ** shown["statement"].minor_digits
    return scale
