from django.urls import URLPattern, URLResolver, path

from exchange.api.measures import (
    ApproveMeasureView,
    HaltsView,
    MeasuresView,
    MeasureView,
    RefuseMeasureView,
)

MEASURE = "measures/<str:public_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("halts", HaltsView.as_view(), name="api_halts"),
    path("measures", MeasuresView.as_view(), name="api_measures"),
    path(MEASURE, MeasureView.as_view(), name="api_measure"),
    path(f"{MEASURE}/approve", ApproveMeasureView.as_view(), name="api_measure_approve"),
    path(f"{MEASURE}/refuse", RefuseMeasureView.as_view(), name="api_measure_refuse"),
]
