from django.urls import URLPattern, URLResolver, path

from accounts.api import webhooks
from accounts.api.views import MeView

ENDPOINT = "webhook_endpoints/<str:public_id>"
DELIVERY = "webhook_deliveries/<str:public_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("me", MeView.as_view(), name="me"),
    path("webhook_endpoints", webhooks.EndpointsView.as_view(), name="api_endpoints"),
    path(ENDPOINT, webhooks.EndpointView.as_view(), name="api_endpoint"),
    path(f"{ENDPOINT}/rotate", webhooks.RotateSecretView.as_view(), name="api_endpoint_rotate"),
    path(f"{ENDPOINT}/enable", webhooks.EnableEndpointView.as_view(), name="api_endpoint_enable"),
    path(f"{ENDPOINT}/disable", webhooks.DisableEndpointView.as_view(), name="api_endpoint_stop"),
    path(f"{ENDPOINT}/remove", webhooks.RemoveEndpointView.as_view(), name="api_endpoint_remove"),
    path(f"{ENDPOINT}/test", webhooks.SendTestView.as_view(), name="api_endpoint_test"),
    path("webhook_deliveries", webhooks.DeliveriesView.as_view(), name="api_deliveries"),
    path(DELIVERY, webhooks.DeliveryView.as_view(), name="api_delivery"),
    path(f"{DELIVERY}/replay", webhooks.ReplayDeliveryView.as_view(), name="api_delivery_replay"),
]
