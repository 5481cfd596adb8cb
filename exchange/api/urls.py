from django.urls import URLPattern, URLResolver

from exchange.api import market_urls, measure_urls, order_urls

urlpatterns: list[URLPattern | URLResolver] = [
    *market_urls.urlpatterns,
    *order_urls.urlpatterns,
    *measure_urls.urlpatterns,
]
