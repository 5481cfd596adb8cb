from django.urls import URLPattern, path

from exchange.portal.control import cases, checks, measures, relations, rooms, watch

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
    path("watch/", watch.watch, name="watch"),
    path("watch/board/<slug:board>/", watch.watch_board, name="watch_board"),
    path("watch/finding/", watch.watch_finding, name="watch_finding"),
    path("watch/finding/open/", watch.watch_open, name="watch_open"),
    path("watch/finding/trades.<slug:form>", watch.watch_trades, name="watch_trades"),
    path("watch/cases/", cases.case_list, name="case_list"),
    path("watch/cases/<slug:public_id>/", cases.case, name="case"),
    path("watch/cases/<slug:public_id>/evidence.json", cases.case_evidence, name="case_evidence"),
    path("watch/cases/<slug:public_id>/note/", cases.case_note, name="case_note"),
    path("watch/cases/<slug:public_id>/assign/", cases.case_assign, name="case_assign"),
    path("watch/cases/<slug:public_id>/close/", cases.case_close, name="case_close"),
    path("watch/relations/", relations.relations, name="relations"),
    path("watch/relations/enter/", relations.relation_enter, name="relation_enter"),
    path("watch/relations/<slug:public_id>/end/", relations.relation_end, name="relation_end"),
]
