"""All doors of the house."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.web import sign_in
from exchange.config import health, metrics

admin.autodiscover()
admin.site.login = sign_in.admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.has_permission = sign_in.may_administer  # type: ignore[method-assign]

OPEN: dict[str, Any] = {
    "authentication_classes": [],
    "permission_classes": [],
    "throttle_classes": [],
}

handler400 = "accounts.web.fallbacks.bad_request"
handler403 = "accounts.web.fallbacks.permission_denied"
handler404 = "accounts.web.fallbacks.page_not_found"
handler500 = "accounts.web.fallbacks.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("settlement.api.urls")),
    path("api/v1/", include("exchange.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(**OPEN), name="schema"),
    path(
        "api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema", **OPEN), name="api_docs"
    ),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("accounts.portal.urls")),
    path("", include("settlement.portal.urls")),
    path("", include("exchange.portal.urls")),
]
