"""Webhook endpoints: every member sees them and their logs, owners decide."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Caller, DeliveryState, Role, WebhookDelivery, WebhookEndpoint
from accounts.models.webhooks import WebhookDeliveryQuerySet, WebhookEndpointQuerySet
from accounts.portal.webhook_forms import EndpointForm, words_of
from accounts.services import webhook_endpoints
from accounts.services.webhook_endpoints import EndpointNotEnabled
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from exchange.foundation.states import IllegalMove, LostRace

owner_required = member_required(roles=[Role.OWNER])
Deed = Callable[[WebhookEndpoint, Caller], None]


@require_safe
@member_required()
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """List the endpoints. Context: ``endpoints``, ``may_write``."""
    context = {"endpoints": _own(request), "may_write": _may_write(request)}
    return render(request, "accounts/webhooks.html", context)


@require_http_methods(["GET", "POST"])
@owner_required
@never_cache
@sensitive_variables("secret")
def endpoint_new(request: HttpRequest) -> HttpResponse:
    """Add an endpoint. Context: ``form``; and once, in the answer: ``endpoint``, ``secret``."""
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = webhook_endpoints.add_endpoint(
                form.terms(), actor=caller_of(request)
            )
        except (webhook_endpoints.EndpointRefused, webhook_endpoints.TooManyEndpoints) as refusal:
            form.add_error(None, words_of(refusal))
        else:
            context = {"endpoint": endpoint, "secret": secret}
            return render(request, "accounts/webhook_secret.html", context, status=201)
    status = 200 if request.method == "GET" else 422
    return render(request, "accounts/webhook_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@owner_required
def endpoint_edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change an endpoint. Context: ``form``, ``endpoint``."""
    endpoint = _endpoint(request, public_id)
    form = EndpointForm(request.POST or None, initial=EndpointForm.initial_of(endpoint))
    if request.method == "POST" and form.is_valid():
        try:
            webhook_endpoints.edit_endpoint(endpoint, form.terms(), actor=caller_of(request))
        except webhook_endpoints.EndpointRefused as refusal:
            form.add_error(None, words_of(refusal))
        else:
            messages.success(request, _("Changed."))
            return redirect("webhook", public_id)
    status = 200 if request.method == "GET" else 422
    context = {"form": form, "endpoint": endpoint}
    return render(request, "accounts/webhook_form.html", context, status=status)


@require_safe
@member_required()
def endpoint_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show an endpoint with its log. Context: ``endpoint``, ``page``, ``state``, ``may_write``."""
    endpoint = _endpoint(request, public_id)
    deliveries = _deliveries(request).filter(endpoint=endpoint)
    state = request.GET.get("state", "")
    if state in DeliveryState.values:
        deliveries = deliveries.filter(state=state)
    context = {
        "endpoint": endpoint,
        "page": Page(deliveries, number=page_number(request)),
        "state": state,
        "states": DeliveryState.values,
        "may_write": _may_write(request),
    }
    return render(request, "accounts/webhook.html", context)


@require_POST
@owner_required
@never_cache
@sensitive_variables("secret")
def endpoint_rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make another secret and show it once. Context: ``endpoint``, ``secret``."""
    endpoint = _endpoint(request, public_id)
    secret = webhook_endpoints.rotate_secret(endpoint, actor=caller_of(request))
    context = {"endpoint": endpoint, "secret": secret}
    return render(request, "accounts/webhook_secret.html", context)


@require_POST
@owner_required
def endpoint_move(request: HttpRequest, public_id: str, verb: str) -> HttpResponse:
    """Enable, disable or remove an endpoint."""
    endpoint = _endpoint(request, public_id)
    try:
        _DEEDS[verb](endpoint, caller_of(request))
    except (IllegalMove, LostRace):
        messages.error(request, _("It has been changed meanwhile. Look again."))
    return redirect("webhooks") if verb == "remove" else redirect("webhook", public_id)


@require_POST
@owner_required
def endpoint_test(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send a test event to an endpoint."""
    endpoint = _endpoint(request, public_id)
    try:
        delivery = webhook_endpoints.send_test(endpoint, actor=caller_of(request))
    except EndpointNotEnabled:
        messages.error(request, _("The endpoint is disabled. Enable it first."))
        return redirect("webhook", public_id)
    return redirect("webhook_delivery", delivery.public_id)


@require_safe
@member_required()
def delivery_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what was sent and every attempt. Context: ``delivery``, ``body``, ``may_write``."""
    delivery = get_object_or_404(_deliveries(request), public_id=public_id)
    context = {"delivery": delivery, "tries": delivery.tries.all()}
    return render(
        request, "accounts/webhook_delivery.html", context | {"may_write": _may_write(request)}
    )


@require_POST
@owner_required
def delivery_replay(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send an event again."""
    delivery = get_object_or_404(_deliveries(request), public_id=public_id)
    try:
        webhook_endpoints.replay_delivery(delivery, actor=caller_of(request))
    except EndpointNotEnabled:
        messages.error(request, _("The endpoint is disabled. Enable it first."))
    else:
        messages.success(request, _("It will be sent again, under the same id."))
    return redirect("webhook_delivery", public_id)


_DEEDS: dict[str, Deed] = {
    "enable": lambda endpoint, actor: webhook_endpoints.enable_endpoint(endpoint, actor=actor),
    "disable": lambda endpoint, actor: webhook_endpoints.disable_endpoint(endpoint, actor=actor),
    "remove": lambda endpoint, actor: webhook_endpoints.remove_endpoint(endpoint, actor=actor),
}


def _may_write(request: HttpRequest) -> bool:
    return caller_of(request).role == Role.OWNER


def _own(request: HttpRequest) -> WebhookEndpointQuerySet:
    """Return the organization's endpoints; even who sees all has only its own to manage."""
    caller = caller_of(request)
    rows = WebhookEndpoint.objects.visible_to(caller).present()
    return rows.filter(organization_id=caller.organization_id)


def _endpoint(request: HttpRequest, public_id: str) -> WebhookEndpoint:
    return get_object_or_404(_own(request), public_id=public_id)


def _deliveries(request: HttpRequest) -> WebhookDeliveryQuerySet:
    caller = caller_of(request)
    rows = WebhookDelivery.objects.visible_to(caller)
    own = rows.filter(endpoint__organization_id=caller.organization_id)
    return own.select_related("endpoint", "event")
