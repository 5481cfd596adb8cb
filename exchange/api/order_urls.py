"""Where orders and what they are made of are found, below ``/api/v1/``."""

from django.urls import URLPattern, URLResolver, path

from exchange.api.bid_previews import BidPreviewsView
from exchange.api.bids import BidsView, BidView, BulkBidsView, CancelBidView
from exchange.api.capacity import CallOffMaintenanceView, CapacityView, MaintenanceView
from exchange.api.catalogue import AcceleratorsView, AiModelsView, AiModelView, RegionsView
from exchange.api.offers import (
    ActivateOfferView,
    OfferFileView,
    OffersView,
    OfferView,
    PauseOfferView,
    WithdrawOfferView,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("bids", BidsView.as_view(), name="api_bids"),
    path("bids/bulk", BulkBidsView.as_view(), name="api_bids_bulk"),
    path("bids/<str:public_id>", BidView.as_view(), name="api_bid"),
    path("bids/<str:public_id>/cancel", CancelBidView.as_view(), name="api_bid_cancel"),
    path("bid_previews", BidPreviewsView.as_view(), name="api_bid_previews"),
    path("offers", OffersView.as_view(), name="api_offers"),
    path("offers/file", OfferFileView.as_view(), name="api_offers_file"),
    path("offers/<str:public_id>", OfferView.as_view(), name="api_offer"),
    path("offers/<str:public_id>/pause", PauseOfferView.as_view(), name="api_offer_pause"),
    path("offers/<str:public_id>/activate", ActivateOfferView.as_view(), name="api_offer_activate"),
    path("offers/<str:public_id>/withdraw", WithdrawOfferView.as_view(), name="api_offer_withdraw"),
    path("capacity", CapacityView.as_view(), name="api_capacity"),
    path("maintenance", MaintenanceView.as_view(), name="api_maintenance"),
    path(
        "maintenance/<str:public_id>/call_off",
        CallOffMaintenanceView.as_view(),
        name="api_maintenance_call_off",
    ),
    path("regions", RegionsView.as_view(), name="api_regions"),
    path("accelerators", AcceleratorsView.as_view(), name="api_accelerators"),
    path("models", AiModelsView.as_view(), name="api_models"),
    path("models/<str:code>", AiModelView.as_view(), name="api_model"),
]
