"""How contracts, balances and transfers are printed. Amounts are decimal strings."""

from decimal import Decimal
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Caller
from accounts.web.caller import caller_of
from accounts.web.fields import InstantField, MoneyField, PriceField, QuantityField
from settlement.models import (
    AccountKind,
    Contract,
    ContractState,
    LedgerAccount,
    LineKind,
    PeriodState,
    Transfer,
    TransferCode,
)
from settlement.queries.contracts import periods_of
from settlement.queries.hours import hour_of

TRANSFER_KINDS = [code.name.lower() for code in TransferCode]


@extend_schema_field({"type": "string", "example": "12.345"})
class ExactField(serializers.Field[Decimal, str, str, Decimal]):
    """An exact decimal, printed without an exponent and without zeros that say nothing."""

    def to_representation(self, value: Decimal) -> str:
        """Return the number as text."""
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class PartySerializer(serializers.Serializer[Any]):
    """A side of a contract."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()


class ContractSerializer(serializers.Serializer[Contract]):
    """A contract's terms and where it stands; its periods stand on the contract's own page."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=ContractState.choices)
    reason_code = serializers.CharField()
    reason_detail = serializers.CharField(source="reason")
    actor = serializers.CharField()
    buyer = PartySerializer()
    provider = PartySerializer()
    auction = serializers.CharField(source="auction_id")
    bid = serializers.CharField(source="bid_id")
    resale = serializers.CharField(
        source="resale.public_id",
        default=None,
        allow_null=True,
        help_text="the resale that it came from, if any: it is delivered under another contract",
    )
    site = serializers.CharField(source="site_code")
    region = serializers.CharField(source="region_code")
    accelerator = serializers.CharField(source="accelerator_code")
    accelerator_kind = serializers.CharField()
    domestic = serializers.BooleanField()
    tflops = MoneyField(source="tflops_micros")
    watts = MoneyField(source="watts_micros")
    pue = MoneyField(source="pue_micros")
    renewable_share = MoneyField(source="renewable_micros")
    currency = serializers.CharField()
    tolerance_ppm = serializers.IntegerField()
    penalty_factor_ppm = serializers.IntegerField()
    dispute_days = serializers.IntegerField()
    notice_minutes = serializers.IntegerField()
    buyer_fee_ppm = serializers.IntegerField()
    seller_fee_ppm = serializers.IntegerField()
    starts_at = InstantField()
    ends_at = InstantField()
    started_at = InstantField(allow_null=True)
    ended_at = InstantField(allow_null=True)
    provider_confirmed_at = InstantField(allow_null=True)
    buyer_confirmed_at = InstantField(allow_null=True)
    reclaim_at = InstantField(allow_null=True, help_text="when the notice runs out")
    created_at = InstantField()


class RunSerializer(serializers.Serializer[Any]):
    """What was owed for a period by its last reckoning, all in all."""

    run_no = serializers.IntegerField()
    ran_at = InstantField()
    contracted_ms = serializers.IntegerField(help_text="accelerator-milliseconds")
    excused_ms = serializers.IntegerField(help_text="of curtailments and notice: no penalty")
    delivered_ms = serializers.IntegerField(help_text="accelerator-milliseconds")
    buyer_due = MoneyField(source="buyer_due_micros")
    buyer_fee = MoneyField(source="buyer_fee_micros")
    seller_due = MoneyField(source="seller_due_micros")
    seller_fee = MoneyField(source="seller_fee_micros")
    penalty = MoneyField(source="penalty_micros")
    energy_wh = serializers.IntegerField()
    co2_grams = serializers.IntegerField()


class PeriodSerializer(serializers.Serializer[Any]):
    """So many accelerators for one stretch of time, at exact prices per accelerator-hour."""

    hour = serializers.SerializerMethodField()
    starts_at = InstantField(source="period.starts_at")
    ends_at = InstantField(source="period.ends_at")
    quantity = QuantityField(source="period.quantity_lots")
    price = PriceField(source="period.price_ticks")
    buyer_price = ExactField(source="period.buyer_price")
    seller_price = ExactField(source="period.seller_price")
    state = serializers.ChoiceField(choices=PeriodState.choices, source="period.state")
    run = RunSerializer(allow_null=True)

    @extend_schema_field({"type": "string", "example": "20260105T100000Z"})
    def get_hour(self, story: Any) -> str:
        """Return the name of the hour in addresses."""
        return hour_of(story.period.starts_at)


class MoveSerializer(serializers.Serializer[Any]):
    """A contract went from one state to the next."""

    was = serializers.ChoiceField(choices=ContractState.choices)
    state = serializers.ChoiceField(choices=ContractState.choices)
    reason_code = serializers.CharField()
    reason_detail = serializers.CharField(source="reason")
    actor = serializers.CharField()
    planned_at = InstantField(allow_null=True)
    moved_at = InstantField()


class OutageSerializer(serializers.Serializer[Any]):
    """A time in which not delivering costs no penalty."""

    cause = serializers.CharField()
    detail = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField(allow_null=True)


class ContractDetailSerializer(ContractSerializer):
    """A contract with all its delivery periods, moves and excused outages."""

    moves = MoveSerializer(many=True)
    excused_outages = OutageSerializer(many=True)
    periods = serializers.SerializerMethodField()

    @extend_schema_field(PeriodSerializer(many=True))
    def get_periods(self, contract: Contract) -> Any:
        """Return the periods in order, each with its last reckoning."""
        return PeriodSerializer(periods_of(contract), many=True).data


class TransferSerializer(serializers.Serializer[Transfer]):
    """Money that moved from one account to another; it is never changed, only reversed."""

    id = serializers.UUIDField()
    kind = serializers.SerializerMethodField()
    amount = MoneyField(source="amount_micros")
    currency = serializers.CharField(source="debit.currency")
    debit = serializers.ChoiceField(choices=AccountKind.choices, source="debit.kind")
    credit = serializers.ChoiceField(choices=AccountKind.choices, source="credit.kind")
    direction = serializers.SerializerMethodField()
    event_at = InstantField()
    contract = serializers.SerializerMethodField()
    period_starts_at = InstantField(source="period.starts_at", default=None, allow_null=True)
    hour = serializers.SerializerMethodField()
    run_no = serializers.IntegerField(allow_null=True)
    hold = serializers.CharField(source="hold.key", default=None, allow_null=True)
    reverses = serializers.UUIDField(source="reverses_id", allow_null=True)

    @extend_schema_field({"type": "string", "enum": TRANSFER_KINDS})
    def get_kind(self, transfer: Transfer) -> str:
        """Return why the money moved."""
        return TransferCode(transfer.code).name.lower()

    @extend_schema_field({"type": "string", "enum": ["in", "out", "within", "other"]})
    def get_direction(self, transfer: Transfer) -> str:
        """Return whether the caller was paid, paid, moved its own money, or only looks on."""
        mine = self._caller.organization_id
        paid, was_paid = transfer.debit.owner_id == mine, transfer.credit.owner_id == mine
        if paid and was_paid:
            return "within"
        return "out" if paid else "in" if was_paid else "other"

    @extend_schema_field({"type": ["string", "null"]})
    def get_contract(self, transfer: Transfer) -> str | None:
        """Return the contract whose delivery this pays, if any."""
        return transfer.period.contract.public_id if transfer.period else None

    @extend_schema_field({"type": ["string", "null"], "example": "20260105T100000Z"})
    def get_hour(self, transfer: Transfer) -> str | None:
        """Return the name of the contract's hour in addresses."""
        return hour_of(transfer.period.starts_at) if transfer.period else None

    @cached_property
    def _caller(self) -> Caller:
        return caller_of(self.context["request"])


class TransferLineSerializer(serializers.Serializer[Any]):
    """A line of a statement."""

    statement = serializers.CharField()
    number = serializers.CharField(source="name")
    line_no = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LineKind.choices)


class TransferDetailSerializer(TransferSerializer):
    """A transfer with its batch in the chain and the caller's lines that say what it moved."""

    batch = serializers.CharField(source="batch.key")
    batch_sha256 = serializers.SerializerMethodField()
    statement_lines = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string"})
    def get_batch_sha256(self, transfer: Transfer) -> str:
        """Return the batch's link in the chain, in hex."""
        return bytes(transfer.batch.sha256).hex()

    @extend_schema_field(TransferLineSerializer(many=True))
    def get_statement_lines(self, transfer: Transfer) -> Any:
        """Return the lines on finalized statements."""
        places = self.context["places"][transfer.pk]
        return TransferLineSerializer(places, many=True).data


class AccountSerializer(serializers.Serializer[LedgerAccount]):
    """Money of one kind: what there is, what holds have frozen of it, and what is left."""

    kind = serializers.ChoiceField(choices=AccountKind.choices)
    currency = serializers.CharField()
    balance = MoneyField(source="balance_micros")
    held = MoneyField(source="debits_pending")
    available = MoneyField(source="available_micros", help_text="with the credit")
    credit = MoneyField(source="credit_micros")


class BalancesSerializer(serializers.Serializer[Any]):
    """The caller's money, with the transfers that moved it last."""

    accounts = AccountSerializer(many=True)
    recent_transfers = TransferSerializer(many=True)
