from django.urls import URLPattern, URLResolver, path

from exchange.portal import capacity, front, maintenance, offer_files, offer_writing, offers

OFFER = "offers/<slug:public_id>/"
MAINTENANCE = "maintenance/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front.front, name="front"),
    path("theme/", front.set_theme, name="set_theme"),
    path("offers/", offers.offer_list, name="offer_list"),
    path("offers/new/", offer_writing.offer_new, name="offer_new"),
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
