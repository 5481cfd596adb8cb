"""The check beside an offer's form: what would be refused, what is free, what it might sell.

Scripts ask for it as the form is filled in; without them a button does.
"""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.web.portal import caller_of
from exchange.models import Offer
from exchange.portal.offer_forms import TermsForm
from exchange.portal.refusals import detail_for_reader, words_of
from exchange.services.offer_checks import check_offer

CHECK: Final = "check"  # the button's name
FORM_PAGE: Final = "exchange/offer_form.html"
CHECK_PART: Final = "exchange/offer_check.html"
Wrong = tuple[str, str]  # what a field is called, and what is wrong with it


def check_page(
    request: HttpRequest, form: TermsForm, *, offer: Offer | None = None
) -> HttpResponse:
    """Answer with the check alone where scripts ask, else with the form and the check in it."""
    found = _found(request, form, offer) if form.is_valid() else {"wrong": list(_amiss(form))}
    part_only = getattr(request, "htmx", False)
    context = {"form": form, "offer": offer, "checked": True} | found
    return render(request, CHECK_PART if part_only else FORM_PAGE, context)


def _found(request: HttpRequest, form: TermsForm, offer: Offer | None) -> dict[str, Any]:
    body = form.body()
    if offer is not None:
        body |= {"site": offer.site.code, "accelerator": offer.accelerator.code}
    check = check_offer(body, caller=caller_of(request), offer=offer)
    wrong = [
        (_label(form, fault.pointer), _words(fault.code, fault.detail)) for fault in check.faults
    ]
    return {"wrong": wrong, "free_lots": check.free_lots, "estimate": check.estimate}


def _amiss(form: forms.Form) -> Iterator[Wrong]:
    for name, errors in form.errors.items():
        for error in errors:
            yield _label(form, name), str(error)


def _words(code: str, detail: str) -> str:
    return f"{words_of(code, detail)} {detail_for_reader(detail)}".strip()


def _label(form: forms.Form, pointer: str) -> str:
    name = pointer.strip("/").partition("/")[0]
    return str(form.fields[name].label) if name in form.fields else ""
