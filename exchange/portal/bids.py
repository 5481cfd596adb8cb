"""A buyer's desk: bids placed from a form, previewed, listed, explained and cancelled."""

from datetime import datetime
from functools import partial
from typing import Any

import django_filters
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Kind, Scope
from accounts.web.listing import Page, page_number
from accounts.web.once import do_once
from accounts.web.portal import caller_of, member_required
from accounts.web.words import WORDS
from exchange.foundation.market_time import market_now
from exchange.models import Bid, BidKind, BidState
from exchange.models.bids import BID_STATES_LIVE
from exchange.portal.bid_again import again_address, helps_of
from exchange.portal.bid_bodies import body_of_bid, body_text
from exchange.portal.bid_forms import FIELD_OF, BidForm, first_values
from exchange.portal.bid_previews import preview_context
from exchange.portal.bid_words import ANSWERS, KINDS, excluding_rule
from exchange.portal.doors import read_or_send, sent
from exchange.portal.refusals import REFUSALS, carry_out, words_of_refusal
from exchange.queries.bids import Event, bids_with_names, events_of, fills_of
from exchange.services.bids import cancel_bid, place_bid
from exchange.services.previews import Preview, preview_bid

buyer_reads = member_required(kind=Kind.BUYS)
buyer_writes = member_required(kind=Kind.BUYS, roles=("owner", "trader"))


class BidFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """By state and kind; what is not known filters nothing."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=[(state, WORDS[state]) for state in BidState.values],
        empty_label=gettext_lazy("all"),
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("How it runs"),
        choices=[(kind, KINDS[kind]) for kind in BidKind.values],
        empty_label=gettext_lazy("all"),
    )

    class Meta:
        model = Bid
        fields = ["state", "kind"]


@require_safe
@buyer_reads
def bid_list(request: HttpRequest) -> HttpResponse:
    """List the organization's bids, the newest first; those that stand are a filter away."""
    caller = caller_of(request)
    own = bids_with_names(caller).filter(organization_id=caller.organization_id)
    chosen = BidFilter(request.GET, queryset=own.order_by("-pk"))
    page = Page(chosen.qs, number=page_number(request))
    may_write = caller.has_scope(Scope.BIDS_WRITE)
    context = {"page": page, "filter_form": chosen.form, "may_write": may_write, "kinds": KINDS}
    return render(request, "exchange/bid_list.html", context)


@read_or_send
@buyer_writes
def bid_new(request: HttpRequest) -> HttpResponse:
    """Ask for a job, show what would become of it, and place it."""
    form = BidForm(sent(request), request=request, initial=first_values(request))
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        body = form.body()
        context["body"] = body_text(body)
        if "place" in request.POST:
            placed: list[str] = []
            deed = partial(_place, body, placed, request=request)
            if carry_out(form, deed, fields=FIELD_OF):
                messages.success(request, _("The bid is placed."))
                return redirect("bid_detail", placed[0])
        else:
            shown: list[Preview] = []
            look = partial(_look, body, shown, request=request)
            if carry_out(form, look, fields=FIELD_OF):
                context |= preview_context(shown[0], form, request.POST)
    status = 422 if request.method == "POST" and form.errors else 200
    return render(request, "exchange/bid_form.html", context, status=status)


def _place(body: dict[str, Any], placed: list[str], *, request: HttpRequest) -> None:
    caller = caller_of(request)
    placed.append(do_once(request, lambda: place_bid(body, caller=caller).public_id))


def _look(body: dict[str, Any], shown: list[Preview], *, request: HttpRequest) -> None:
    shown.append(preview_bid(body, caller=caller_of(request)))


@require_safe
@buyer_reads
def bid_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show a bid: its terms, what became of it and why, and what it got."""
    bid = _own(request, public_id)
    caller = caller_of(request)
    events, now = events_of(bid, caller), market_now()
    context = {
        "bid": bid,
        "kind": KINDS[bid.kind],
        "body": body_text(body_of_bid(bid)),
        "events": [_told(bid, event, now) for event in events],
        "again": again_address(bid, now=now),
        "fills": fills_of(bid, caller),
        "is_live": bid.state in BID_STATES_LIVE,
        "may_write": caller.has_scope(Scope.BIDS_WRITE),
    }
    return render(request, "exchange/bid_detail.html", context)


def _told(bid: Bid, event: Event, now: datetime) -> dict[str, Any]:
    answer = event.told.get("answer", "")
    return {
        "at": event.at,
        "word": event.event,
        "told": event.told,
        "explained": ANSWERS.get(answer, ""),
        "rule": excluding_rule(event.told.get("detail", "")),
        "helps": list(helps_of(bid, event.told, now=now)),
    }


@require_POST
@buyer_writes
def bid_cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a bid back before its gate closes."""
    _own(request, public_id)
    try:
        cancel_bid(public_id, caller=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of_refusal(refused))
    else:
        messages.success(request, _("The bid is cancelled."))
    return redirect("bid_detail", public_id)


def _own(request: HttpRequest, public_id: str) -> Bid:
    caller = caller_of(request)
    own = bids_with_names(caller).filter(organization_id=caller.organization_id)
    return get_object_or_404(own, public_id=public_id)
