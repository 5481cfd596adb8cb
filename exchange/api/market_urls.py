from django.urls import URLPattern, URLResolver, path

from exchange.api.auctions import (
    ArchiveView,
    AuctionsView,
    AuctionView,
    CertificateView,
    FillsView,
    PricesView,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("auctions", AuctionsView.as_view(), name="auctions"),
    path("auctions/<str:public_id>", AuctionView.as_view(), name="auction"),
    path("auctions/<str:public_id>/certificate", CertificateView.as_view(), name="certificate"),
    path("auctions/<str:public_id>/archive/<path:file>", ArchiveView.as_view(), name="archive"),
    path("prices", PricesView.as_view(), name="prices"),
    path("fills", FillsView.as_view(), name="fills"),
]
