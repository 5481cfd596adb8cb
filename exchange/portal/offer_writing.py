"""A provider lists, edits, pauses and withdraws offers."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.web.portal import caller_of
from exchange.portal.doors import provider_writes, read_or_send, sent
from exchange.portal.offer_checks import CHECK, check_page
from exchange.portal.offer_forms import (
    EditForm,
    OfferForm,
    WithdrawForm,
    first_values,
    terms_of,
)
from exchange.portal.offers import own_offers
from exchange.portal.refusals import REFUSALS, carry_out, words_of_refusal
from exchange.services.offers import (
    activate_offer,
    create_offer,
    edit_offer,
    pause_offer,
    withdraw_offer,
)


@read_or_send
@provider_writes
def offer_new(request: HttpRequest) -> HttpResponse:
    """Ask for a new offer and list it, or keep it as a draft; a check alone writes nothing."""
    form = OfferForm(sent(request), request=request, initial=first_values(request))
    if CHECK in request.POST:
        return check_page(request, form)
    if request.method == "POST" and form.is_valid():
        draft = "draft" in request.POST
        deed = partial(create_offer, form.body(), caller=caller_of(request), draft=draft)
        if carry_out(form, deed):
            messages.success(request, _("The draft is kept.") if draft else _("It is listed."))
            return redirect("offer_list")
    return _form_page(request, "exchange/offer_form.html", form=form)


@read_or_send
@provider_writes
def offer_edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change the terms: a new version, unless somebody else made one meanwhile."""
    offer = get_object_or_404(own_offers(request), public_id=public_id)
    form = EditForm(sent(request), initial=terms_of(offer))
    if CHECK in request.POST:
        return check_page(request, form, offer=offer)
    if request.method == "POST" and form.is_valid():
        caller, version = caller_of(request), form.cleaned_data["version"]
        deed = partial(edit_offer, public_id, form.body(), version=version, caller=caller)
        if carry_out(form, deed):
            messages.success(request, _("A new version is in force."))
            return redirect("offer_detail", public_id)
    return _form_page(request, "exchange/offer_form.html", form=form, offer=offer)


@read_or_send
@provider_writes
def offer_withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask why, and end the offer."""
    offer = get_object_or_404(own_offers(request), public_id=public_id)
    form = WithdrawForm(sent(request))
    if request.method == "POST" and form.is_valid():
        caller, reason = caller_of(request), form.cleaned_data["reason"]
        if carry_out(form, partial(withdraw_offer, public_id, caller=caller, reason=reason)):
            messages.success(request, _("The offer is withdrawn."))
            return redirect("offer_detail", public_id)
    return _form_page(request, "exchange/offer_withdraw.html", form=form, offer=offer)


@require_POST
@provider_writes
def offer_pause(request: HttpRequest, public_id: str) -> HttpResponse:
    """Keep the offer out of the books that close from now on."""
    return _move(request, public_id, pause_offer, _("The offer is paused."))


@require_POST
@provider_writes
def offer_resume(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let the offer into the books again, or for the first time."""
    return _move(request, public_id, activate_offer, _("The offer is on sale."))


def _move(
    request: HttpRequest, public_id: str, verb: Callable[..., object], done: str
) -> HttpResponse:
    get_object_or_404(own_offers(request), public_id=public_id)
    try:
        verb(public_id, caller=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of_refusal(refused))
    else:
        messages.success(request, done)
    return redirect("offer_detail", public_id)


def _form_page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Show a form; one that was refused says so by its status too."""
    refused = request.method == "POST"
    return render(request, template, context, status=422 if refused else 200)
