from django.urls import URLPattern, URLResolver, include, path

from exchange.portal import (
    bids,
    calendar,
    capacity,
    desk,
    front,
    maintenance,
    offer_bulk,
    offer_files,
    offer_writing,
    offers,
)
from exchange.portal.market import auctions, curves, index, models, prices, regions, stream, tables

OFFER = "offers/<slug:public_id>/"
MAINTENANCE = "maintenance/"
AUCTION = "market/auctions/<slug:public_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front.front, name="front"),
    path("theme/", front.set_theme, name="set_theme"),
    path("market/", prices.market_prices, name="market_prices"),
    path("market/stream/", stream.market_stream, name="market_stream"),
    path("market/curves/", curves.market_curves, name="market_curves"),
    path("market/map/", regions.market_map, name="market_map"),
    path("market/index/", index.market_index, name="market_index"),
    path("market/index/<slug:table>.<slug:form>", tables.index_table, name="index_table"),
    path("market/models/", models.market_models, name="market_models"),
    path("market/models/<str:code>/", models.market_model, name="market_model"),
    path("market/auctions/", auctions.market_auctions, name="market_auctions"),
    path(f"{AUCTION}/", auctions.market_auction, name="market_auction"),
    path(f"{AUCTION}/archive.zip", tables.auction_archive, name="auction_archive"),
    path(f"{AUCTION}/<slug:table>.<slug:form>", tables.auction_table, name="auction_table"),
    path("desk/", desk.provider_desk, name="desk"),
    path("control/", include("exchange.portal.control.urls")),
    path("bids/", bids.bid_list, name="bid_list"),
    path("bids/new/", bids.bid_new, name="bid_new"),
    path("bids/<slug:public_id>/", bids.bid_detail, name="bid_detail"),
    path("bids/<slug:public_id>/cancel/", bids.bid_cancel, name="bid_cancel"),
    path("offers/", offers.offer_list, name="offer_list"),
    path("offers/new/", offer_writing.offer_new, name="offer_new"),
    path("offers/calendar/", calendar.offer_calendar, name="offer_calendar"),
    path("offers/bulk/", offer_bulk.offer_bulk, name="offer_bulk"),
    path("offers/upload/", offer_files.offer_import, name="offer_import"),
    path("offers/template.csv", offer_files.offer_template, name="offer_template"),
    path("offers/offers.csv", offer_files.offer_export, name="offer_export"),
    path(OFFER, offers.offer_detail, name="offer_detail"),
    path(f"{OFFER}edit/", offer_writing.offer_edit, name="offer_edit"),
    path(f"{OFFER}pause/", offer_writing.offer_pause, name="offer_pause"),
    path(f"{OFFER}resume/", offer_writing.offer_resume, name="offer_resume"),
    path(f"{OFFER}withdraw/", offer_writing.offer_withdraw, name="offer_withdraw"),
    path("capacity/", capacity.capacity, name="capacity"),
    path(MAINTENANCE, maintenance.maintenance_list, name="maintenance_list"),
    path(f"{MAINTENANCE}new/", maintenance.maintenance_new, name="maintenance_new"),
    path(
        f"{MAINTENANCE}<slug:public_id>/cancel/",
        maintenance.maintenance_cancel,
        name="maintenance_cancel",
    ),
]
