"""An organization's API keys: every member sees them, owners create and revoke."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import ApiKey, Organization, Role
from accounts.models.api_keys import ApiKeyQuerySet
from accounts.portal.forms import KeyForm
from accounts.services import api_keys
from accounts.web.portal import caller_of, member_required


@require_safe
@member_required()
def key_list(request: HttpRequest) -> HttpResponse:
    """List the keys, the newest first. Context: ``keys``, ``may_write``."""
    context = {"keys": _own(request), "may_write": caller_of(request).role == Role.OWNER}
    return render(request, "accounts/api_keys.html", context)


@require_http_methods(["GET", "POST"])
@member_required(roles=[Role.OWNER])
@never_cache
@sensitive_variables("token")
def key_new(request: HttpRequest) -> HttpResponse:
    """Create a key. Context: ``form``; and once, in the answer: ``key``, ``token``."""
    caller = caller_of(request)
    form = KeyForm(request.POST or None, caller=caller)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return render(request, "accounts/api_key_new.html", {"form": form}, status=status)
    try:
        key, token = api_keys.issue_key(
            Organization.objects.visible_to(caller).get(pk=caller.organization_id),
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.expires_at(),
            actor=caller,
        )
    except api_keys.TooManyKeys as refusal:
        form.add_error(None, str(refusal))
        return render(request, "accounts/api_key_new.html", {"form": form}, status=422)
    return render(request, "accounts/api_key_shown.html", {"key": key, "token": token}, status=201)


@require_POST
@member_required(roles=[Role.OWNER])
def key_revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a key at once."""
    key = get_object_or_404(_own(request), public_id=public_id)
    api_keys.revoke_key(key, actor=caller_of(request))
    messages.success(request, _("%(key)s is revoked.") % {"key": key.name})
    return redirect("api_keys")


def _own(request: HttpRequest) -> ApiKeyQuerySet:
    """Return the organization's keys; even who sees all has only its own to manage."""
    caller = caller_of(request)
    return ApiKey.objects.visible_to(caller).filter(organization_id=caller.organization_id)
