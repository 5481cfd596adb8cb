from django.urls import URLPattern, URLResolver, path

from exchange.api.bids import BidsView, BidView, BulkBidsView, CancelBidView

urlpatterns: list[URLPattern | URLResolver] = [
    path("bids", BidsView.as_view(), name="bids"),
    path("bids/bulk", BulkBidsView.as_view(), name="bids_bulk"),
    path("bids/<str:public_id>", BidView.as_view(), name="bid"),
    path("bids/<str:public_id>/cancel", CancelBidView.as_view(), name="bid_cancel"),
]
