from django.urls import URLPattern, URLResolver, path

from exchange.portal import front

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front.front, name="front"),
    path("theme/", front.set_theme, name="set_theme"),
]
