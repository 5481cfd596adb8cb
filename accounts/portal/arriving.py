"""Open doors: an organization applies, a person accepts an invitation."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.models import Invitation, User
from accounts.portal.arriving_forms import ApplicationForm, NewPersonForm
from accounts.services import applications, invitations
from accounts.services.invitations import AccountExists, InvitationGone, NotInvited
from accounts.web.address_rate import is_too_often
from accounts.web.portal import SESSION_KEY

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """Take an application; the answer is the same for everybody. Context: ``form``, ``sent``."""
    if request.method == "GET":
        return render(request, "accounts/apply.html", {"form": ApplicationForm()})
    form = ApplicationForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/apply.html", {"form": form}, status=422)
    if is_too_often(request, "apply", settings.SIGN_UP_RATE):
        form.add_error(None, _("Too many applications from here. Try again later."))
        return render(request, "accounts/apply.html", {"form": form}, status=429)
    if applications.apply(form.said()) is None:
        form.add_error(None, _("Too many applications wait at the moment. Try again later."))
        return render(request, "accounts/apply.html", {"form": form}, status=503)
    return render(request, "accounts/apply.html", {"sent": True})


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password1", "password2")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation and let its person in. Context: ``invitation``, ``form``, ``has_account``.

    Whatever is wrong with a token, its page is the same.
    """
    if is_too_often(request, "invitation", settings.SIGN_UP_RATE):
        return render(request, "accounts/invitation.html", {"too_often": True}, status=429)
    try:
        found = invitations.invitation_of(token)
    except InvitationGone:
        return _gone(request)
    if request.method == "GET":
        return _page(request, found, NewPersonForm(email=found.email))
    return _accept(request, found, token)


def _accept(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    try:
        if isinstance(request.user, User):
            return _accept_as(request, found, token, request.user)
        return _accept_as_new(request, found, token)
    except InvitationGone:
        return _gone(request)


def _accept_as(request: HttpRequest, found: Invitation, token: str, user: User) -> HttpResponse:
    try:
        member = invitations.accept(token, user=user)
    except NotInvited:
        return _page(request, found, NewPersonForm(email=found.email), status=403)
    request.session[SESSION_KEY] = member.public_id
    return _welcome(request, found)


def _accept_as_new(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    form = NewPersonForm(request.POST, email=found.email)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    said = form.cleaned_data
    try:
        person = invitations.accept_as_new(token, name=said["name"], password=said["password1"])
    except AccountExists:
        return _page(request, found, form, status=409)
    login(request, person, backend=BACKEND)
    return _welcome(request, found)


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    messages.success(request, _("Welcome to %(name)s.") % {"name": found.organization.name})
    return redirect("front")


def _page(
    request: HttpRequest, found: Invitation, form: NewPersonForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "invitation": found,
        "form": form,
        "has_account": invitations.has_account(found),
        "is_invited": isinstance(request.user, User) and request.user.email == found.email,
    }
    return render(request, "accounts/invitation.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation.html", {"gone": True}, status=404)
