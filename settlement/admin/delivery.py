from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.showing import joined, link, link_to_list, money
from settlement.models import (
    DeliveryPeriod,
    Device,
    Dispute,
    Meter,
    Reading,
    ReadingConflict,
    SettlementRun,
    StatementLine,
    Transfer,
)
from settlement.queries.hours import event_ids_of


@admin.register(DeliveryPeriod)
class DeliveryPeriodAdmin(ReadOnlyAdmin, admin.ModelAdmin[DeliveryPeriod]):
    """So many accelerators for an hour, and where its settlement stands."""

    list_display = [
        "id", "contract", "starts_at", "ends_at", "quantity_lots", "price_ticks", "state",
        "next_run_no", "next_run_at",
    ]  # fmt: skip
    list_select_related = ["contract"]
    list_filter = ["state", "next_run_no", "contract__accelerator_code"]
    search_fields = ["=contract__public_id", "=contract__auction_id", "=contract__bid_id"]
    date_hierarchy = "starts_at"
    readonly_fields = ["story"]

    @admin.display(description="story")
    def story(self, period: DeliveryPeriod) -> SafeString:
        """Lead to its readings, runs, disputes and transfers."""
        readings = {
            "contract__id__exact": period.contract_id,
            "ends_at__gt": f"{period.starts_at:%Y-%m-%d %H:%M:%S}Z",
            "ends_at__lte": f"{period.ends_at:%Y-%m-%d %H:%M:%S}Z",
        }
        return joined(
            [
                link_to_list(Reading, "readings", **readings),
                link_to_list(SettlementRun, "runs", period__id__exact=period.pk),
                link_to_list(Dispute, "disputes", period__id__exact=period.pk),
                link_to_list(Transfer, "transfers", period__id__exact=period.pk),
                link_to_list(StatementLine, "lines of statements", period__id__exact=period.pk),
            ]
        )


@admin.register(SettlementRun)
class SettlementRunAdmin(ReadOnlyAdmin, admin.ModelAdmin[SettlementRun]):
    """What was owed for a period as known at one moment."""

    list_display = [
        "id", "period", "run_no", "ran_at", "delivered_ms", "buyer_due", "seller_due", "penalty",
    ]  # fmt: skip
    list_select_related = ["period"]
    list_filter = ["run_no"]
    search_fields = ["=period__contract__public_id", "=period__contract__auction_id"]
    date_hierarchy = "ran_at"
    readonly_fields = ["contract", "consequences", "inputs_hash"]
    exclude = ["inputs_sha256"]

    @admin.display(description="buyer owes", ordering="buyer_due_micros")
    def buyer_due(self, run: SettlementRun) -> str:
        """Show what the buyer owes without its fee."""
        return money(run.buyer_due_micros)

    @admin.display(description="provider is owed", ordering="seller_due_micros")
    def seller_due(self, run: SettlementRun) -> str:
        """Show what the provider is owed before its fee."""
        return money(run.seller_due_micros)

    @admin.display(description="penalty", ordering="penalty_micros")
    def penalty(self, run: SettlementRun) -> str:
        """Show the penalty for the shortfall."""
        return money(run.penalty_micros)

    @admin.display(description="contract")
    def contract(self, run: SettlementRun) -> SafeString | str:
        """Lead to the contract."""
        return link(run.period.contract)

    @admin.display(description="what came of it")
    def consequences(self, run: SettlementRun) -> SafeString:
        """Lead to its hour, the transfers that it posted, and the lines that say so."""
        cut = {"period__id__exact": run.period_id, "run_no__exact": run.run_no}
        return joined(
            [
                link_to_list(DeliveryPeriod, "hour", id__exact=run.period_id),
                link_to_list(Transfer, "transfers", **cut),
                link_to_list(StatementLine, "lines of statements", **cut),
            ]
        )

    @admin.display(description="SHA-256 of its inputs")
    def inputs_hash(self, run: SettlementRun) -> str:
        """Show the hash of the terms and figures that it follows from."""
        return bytes(run.inputs_sha256).hex()


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin, admin.ModelAdmin[Meter]):
    """Who reports readings."""

    list_display = ["public_id", "organization", "party", "site_code", "enrolled_at", "revoked_at"]
    list_select_related = ["organization"]
    list_filter = ["party"]
    search_fields = ["=public_id", "organization__name", "=site_code"]
    date_hierarchy = "enrolled_at"


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin, admin.ModelAdmin[Device]):
    """What meters watch."""

    list_display = [
        "public_id", "organization", "site_code", "accelerator_code", "serial", "capacity_lots",
        "revoked_at",
    ]  # fmt: skip
    list_select_related = ["organization"]
    list_filter = ["accelerator_code"]
    search_fields = ["=public_id", "=serial", "organization__name", "=site_code"]
    date_hierarchy = "enrolled_at"


@admin.register(Reading)
class ReadingAdmin(ReadOnlyAdmin, admin.ModelAdmin[Reading]):
    """What meters said, as it came in."""

    list_display = [
        "id", "meter", "device", "contract", "seq", "starts_at", "ends_at", "accel_ms_total",
        "energy_mj_total", "util_ppm", "quality",
    ]  # fmt: skip
    list_select_related = ["meter", "device", "contract"]
    list_filter = ["quality"]
    search_fields = ["=contract__public_id", "=meter__public_id", "=device__public_id"]
    date_hierarchy = "ends_at"
    readonly_fields = ["event", "hours"]

    @admin.display(description="event")
    def event(self, reading: Reading) -> str:
        """Show the id that the meter gave it."""
        return event_ids_of([reading]).get(reading.pk, "")

    @admin.display(description="counted for")
    def hours(self, reading: Reading) -> SafeString:
        """Lead to the hours of the contract that it is about."""
        return link_to_list(
            DeliveryPeriod,
            "hours",
            contract__id__exact=reading.contract_id,
            starts_at__lt=f"{reading.ends_at:%Y-%m-%d %H:%M:%S}Z",
            ends_at__gt=f"{reading.starts_at:%Y-%m-%d %H:%M:%S}Z",
        )


@admin.register(ReadingConflict)
class ReadingConflictAdmin(ReadOnlyAdmin, admin.ModelAdmin[ReadingConflict]):
    """Events that came again under a used id with other content."""

    list_display = ["meter", "event_id", "received_at"]
    list_select_related = ["meter"]
    search_fields = ["=event_id", "=meter__public_id"]
    date_hierarchy = "received_at"
    exclude = ["content_sha256"]
