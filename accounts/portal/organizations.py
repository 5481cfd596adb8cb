"""Choose the organization to act for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, User
from accounts.queries.callers import usable_memberships
from accounts.web.portal import SESSION_KEY, chosen_caller


@login_required
@require_http_methods(["GET", "POST"])
def choose_organization(request: HttpRequest) -> HttpResponse:
    """List the memberships that are usable now; POST ``membership`` chooses one.

    Context: ``memberships``, ``caller`` (None before a choice), ``next``.
    """
    assert isinstance(request.user, User)
    if request.method == "POST":
        usable = Membership.objects.usable().filter(user=request.user)
        chosen = get_object_or_404(usable, public_id=request.POST.get("membership", ""))
        request.session[SESSION_KEY] = chosen.public_id
        return redirect(_next(request))
    context = {
        "memberships": usable_memberships(request.user),
        "caller": chosen_caller(request),
        "next": request.GET.get("next", ""),
    }
    return render(request, "accounts/choose_organization.html", context)


def _next(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else "/"
