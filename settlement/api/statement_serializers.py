"""How statements are printed: exact amounts beside those in minor units."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.web.fields import InstantField, MoneyField
from exchange.foundation.money import format_scaled
from settlement.models import CreditNote, LineKind, Side, Statement, StatementState, Supply
from settlement.queries.energy_method import energy_method, factor_source
from settlement.queries.hours import hour_of
from settlement.queries.line_transfers import Moved, transfers_of_line
from settlement.queries.statement_lines import Line
from settlement.queries.statements import Totals, hours_of
from settlement.queries.taxes import Tax

DECIMAL = {"type": "string", "example": "12.34"}
THOUSAND = 1_000


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
    replaces = serializers.CharField(source="replaces.public_id", default=None, allow_null=True)
    credit_note = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"], "example": "B2026-17"})
    def get_number(self, statement: Statement) -> str | None:
        """Return the number, which a draft has not."""
        return statement.name or None

    @extend_schema_field({"type": ["string", "null"], "example": "12.34"})
    def get_total(self, statement: Statement) -> str | None:
        """Return the total; a draft's is on its own page."""
        if statement.total_minor is None:
            return None
        return format_scaled(statement.total_minor, scale=10**statement.minor_digits)

    @extend_schema_field({"type": ["string", "null"], "example": "CB2026-3"})
    def get_credit_note(self, statement: Statement) -> str | None:
        """Return the number of the credit note that took it back, if one did."""
        note = getattr(statement, "credit_note", None)
        return note.name if note else None


class CreditNoteSerializer(serializers.Serializer[CreditNote]):
    """What took a statement back, and why."""

    id = serializers.CharField(source="public_id")
    number = serializers.CharField(source="name")
    reason = serializers.CharField()
    issued_at = InstantField()


class TaxSerializer(serializers.Serializer[Any]):
    """The part of the total that one rate applies to; the amounts contain their tax."""

    supply = serializers.ChoiceField(choices=Supply.choices)
    supplier_country = serializers.CharField()
    customer_country = serializers.CharField()
    name = serializers.CharField(source="rate.name", default=None, allow_null=True)
    rate_ppm = serializers.IntegerField(source="rate.rate_ppm", default=None, allow_null=True)
    law = serializers.CharField(source="rate.source", default=None, allow_null=True)
    note = serializers.CharField(source="rate.note", default="")
    gross = serializers.SerializerMethodField()
    net = serializers.SerializerMethodField()
    tax = serializers.SerializerMethodField()

    @extend_schema_field(DECIMAL)
    def get_gross(self, tax: Tax) -> str:
        """Return the amount with its tax."""
        return self._printed(tax.gross_minor)

    @extend_schema_field(DECIMAL)
    def get_net(self, tax: Tax) -> str:
        """Return the amount without its tax."""
        return self._printed(tax.net_minor)

    @extend_schema_field(DECIMAL)
    def get_tax(self, tax: Tax) -> str:
        """Return the tax."""
        return self._printed(tax.tax_minor)

    def _printed(self, minor: int) -> str:
        return format_scaled(minor, scale=self.context["minor_scale"])


class LineSerializer(serializers.Serializer[Line]):
    """What one run changed. The contract, the start and the run name the hour that it is about."""

    line_no = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LineKind.choices)
    contract = serializers.CharField()
    auction = serializers.CharField()
    hour = serializers.SerializerMethodField()
    site = serializers.CharField()
    region = serializers.CharField()
    accelerator = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField()
    run_no = serializers.IntegerField()
    accelerator_hours = serializers.SerializerMethodField()
    price = serializers.CharField()
    exact_amount = MoneyField(source="exact_micros")
    amount = serializers.SerializerMethodField()
    energy_kwh = serializers.SerializerMethodField()
    co2_kg = serializers.SerializerMethodField()
    energy_method = serializers.SerializerMethodField()
    grid_kg_per_kwh = MoneyField(source="kg_per_kwh_micros")
    grid_year = serializers.IntegerField(allow_null=True)
    grid_source = serializers.SerializerMethodField()
    transfers = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "example": "20260105T100000Z"})
    def get_hour(self, line: Line) -> str:
        """Return the name of the contract's hour in addresses."""
        return hour_of(line.starts_at)

    @extend_schema_field(DECIMAL)
    def get_accelerator_hours(self, line: Line) -> str:
        """Return what was delivered, in accelerator-hours."""
        return hours_of(line.delivered_ms)

    @extend_schema_field(DECIMAL)
    def get_amount(self, line: Line) -> str:
        """Return the line's part of the total."""
        return format_scaled(line.billed_minor, scale=self.context["minor_scale"])

    @extend_schema_field(DECIMAL)
    def get_energy_kwh(self, line: Line) -> str:
        """Return the site's energy, PUE included."""
        return format_scaled(line.energy_wh, scale=THOUSAND)

    @extend_schema_field(DECIMAL)
    def get_co2_kg(self, line: Line) -> str:
        """Return the CO2 of the energy that is not renewable."""
        return format_scaled(line.co2_grams, scale=THOUSAND)

    @extend_schema_field({"type": "string"})
    def get_energy_method(self, line: Line) -> str:
        """Return how the energy was counted."""
        return energy_method(line)

    @extend_schema_field({"type": "string"})
    def get_grid_source(self, line: Line) -> str:
        """Return where the grid's CO2 a kWh comes from."""
        return factor_source(line)

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_transfers(self, line: Line) -> list[str]:
        """Return the transfers that moved the amount."""
        moved: Moved = self.context["moved"]
        return [str(transfer_id) for transfer_id in transfers_of_line(line, moved)]


class LinePageSerializer(serializers.Serializer[Any]):
    """Lines in order; ``next`` leads to those that follow."""

    data = LineSerializer(many=True)  # type: ignore[assignment]  # the house's name for rows
    next = serializers.URLField(allow_null=True)
    has_more = serializers.BooleanField()


class StatementDetailSerializer(serializers.Serializer[Any]):
    """A statement with its totals and taxes; a draft's are as of now. Its lines come in pages."""

    statement = StatementSerializer()
    party_name = serializers.CharField(source="statement.party_name")
    party_country = serializers.CharField(source="statement.party_country")
    issuer_name = serializers.CharField(source="statement.issuer_name")
    credit_note = CreditNoteSerializer(allow_null=True)
    lines_count = serializers.IntegerField(source="totals.lines_count")
    exact_total = MoneyField(source="totals.exact_micros")
    total = serializers.SerializerMethodField()
    net = serializers.SerializerMethodField()
    tax = serializers.SerializerMethodField()
    taxes = serializers.SerializerMethodField()
    energy_kwh = serializers.SerializerMethodField()
    co2_kg = serializers.SerializerMethodField()
    lines_url = serializers.URLField()

    @extend_schema_field(DECIMAL)
    def get_total(self, shown: dict[str, Any]) -> str:
        """Return the total in minor units, as a decimal."""
        return _minor(shown, _totals(shown).total_minor)

    @extend_schema_field(DECIMAL)
    def get_net(self, shown: dict[str, Any]) -> str:
        """Return the total without its tax."""
        return _minor(shown, _totals(shown).net_minor)

    @extend_schema_field(DECIMAL)
    def get_tax(self, shown: dict[str, Any]) -> str:
        """Return the tax in the total."""
        return _minor(shown, _totals(shown).tax_minor)

    @extend_schema_field(TaxSerializer(many=True))
    def get_taxes(self, shown: dict[str, Any]) -> Any:
        """Return the total by rate and by the countries of the parties."""
        context = {"minor_scale": minor_scale(shown["statement"])}
        return TaxSerializer(_totals(shown).taxes, many=True, context=context).data

    @extend_schema_field(DECIMAL)
    def get_energy_kwh(self, shown: dict[str, Any]) -> str:
        """Return the energy of all lines."""
        return format_scaled(_totals(shown).energy_wh, scale=THOUSAND)

    @extend_schema_field(DECIMAL)
    def get_co2_kg(self, shown: dict[str, Any]) -> str:
        """Return the CO2 of all lines."""
        return format_scaled(_totals(shown).co2_grams, scale=THOUSAND)


def minor_scale(statement: Statement) -> int:
    """Return how many minor units one unit of the currency has."""
    scale: int = 10**statement.minor_digits
    return scale


def _totals(shown: dict[str, Any]) -> Totals:
    totals: Totals = shown["totals"]
    return totals


def _minor(shown: dict[str, Any], amount: int) -> str:
    return format_scaled(amount, scale=minor_scale(shown["statement"]))
