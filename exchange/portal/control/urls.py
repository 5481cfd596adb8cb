from django.urls import URLPattern, path

from exchange.portal.control import rooms

urlpatterns: list[URLPattern] = [
    path("", rooms.control_regions, name="control_regions"),
    path("network/", rooms.control_network, name="control_network"),
    path("alarms/", rooms.control_alarms, name="control_alarms"),
]
