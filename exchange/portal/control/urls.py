from django.urls import URLPattern, path

from exchange.portal.control import checks, measures, rooms

urlpatterns: list[URLPattern] = [
    path("", rooms.control_regions, name="control_regions"),
    path("network/", rooms.control_network, name="control_network"),
    path("alarms/", rooms.control_alarms, name="control_alarms"),
    path("auctions/<slug:public_id>/", checks.auction_check, name="auction_check"),
    path("auctions/<slug:public_id>/book.zip", checks.auction_book, name="auction_book"),
    path("measures/", measures.control_measures, name="control_measures"),
    path("measures/ask/<slug:kind>/", measures.measure_ask, name="measure_ask"),
    path("halts/<int:number>/resume/", measures.halt_resume, name="halt_resume"),
    path("measures/<slug:public_id>/approve/", measures.measure_approve, name="measure_approve"),
    path("measures/<slug:public_id>/refuse/", measures.measure_refuse, name="measure_refuse"),
]
