from django.contrib import admin

from accounts.web.admin_actions import ReadOnlyAdmin
from exchange.models import (
    Accelerator,
    AiModel,
    Link,
    MaintenanceWindow,
    PowerBudget,
    Region,
    Route,
    Site,
    SiteCapacity,
)


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin, admin.ModelAdmin[Region]):
    """Hubs, from the project's tables."""

    list_display = ["code", "name", "side", "operator", "source"]
    list_filter = ["side"]
    search_fields = ["code", "name"]


@admin.register(Link)
class LinkAdmin(ReadOnlyAdmin, admin.ModelAdmin[Link]):
    """Backbone links, one row a direction."""

    list_display = ["code", "origin", "region", "gbps_micros"]
    list_filter = ["origin", "region"]
    search_fields = ["code"]


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin, admin.ModelAdmin[Route]):
    """Paths from origins to executing regions."""

    list_display = ["code", "origin", "region", "latency_micros", "links"]
    list_filter = ["origin", "region"]
    search_fields = ["code"]


@admin.register(PowerBudget)
class PowerBudgetAdmin(ReadOnlyAdmin, admin.ModelAdmin[PowerBudget]):
    """How much power a region's sites may draw together."""

    list_display = ["region", "kw_micros", "starts_at", "ends_at"]
    list_filter = ["region"]


@admin.register(Accelerator)
class AcceleratorAdmin(ReadOnlyAdmin, admin.ModelAdmin[Accelerator]):
    """Chips with the grade of their figures and where those were read."""

    list_display = [
        "code", "name", "vendor", "kind", "domestic", "memory_gb", "tflops_micros", "watts_micros",
        "grade", "tradable",
    ]  # fmt: skip
    list_filter = ["kind", "domestic", "grade", "tradable", "vendor"]
    search_fields = ["code", "name"]


@admin.register(AiModel)
class AiModelAdmin(ReadOnlyAdmin, admin.ModelAdmin[AiModel]):
    """Open-weight models."""

    list_display = ["code", "name", "developer", "modality", "params_total", "licence"]
    list_filter = ["modality", "developer_country"]
    search_fields = ["code", "name", "developer"]


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin, admin.ModelAdmin[Site]):
    """Data centres of the providers."""

    list_display = ["code", "name", "provider", "region", "pue_micros", "renewable_micros"]
    list_select_related = ["provider", "region"]
    list_filter = ["region"]
    search_fields = ["code", "name", "provider__name", "=provider__public_id"]


@admin.register(SiteCapacity)
class SiteCapacityAdmin(ReadOnlyAdmin, admin.ModelAdmin[SiteCapacity]):
    """What stands at the sites."""

    list_display = ["site", "accelerator", "quantity_lots", "starts_at", "ends_at"]
    list_select_related = ["site", "accelerator"]
    list_filter = ["accelerator", "site__region"]
    search_fields = ["=site__code"]


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(ReadOnlyAdmin, admin.ModelAdmin[MaintenanceWindow]):
    """When parts of a site are down."""

    list_display = ["public_id", "site", "accelerator", "starts_at", "ends_at", "reason"]
    list_select_related = ["site", "accelerator"]
    search_fields = ["=public_id", "=site__code"]
    date_hierarchy = "starts_at"
