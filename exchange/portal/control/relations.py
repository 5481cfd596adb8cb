"""Which organizations are related: as seen by itself, and as operators wrote it down."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Organization, OrganizationRelation, RelationKind, Scope
from accounts.models.relations import REASON_LENGTH_MAX
from accounts.queries.relations import PAIRS_MAX, related_pairs
from accounts.services.relations import end_relation, enter_relation
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of
from exchange.portal.control.deeds import done
from exchange.portal.control.doors import control_reads, control_writes
from exchange.portal.control.watch_words import WHY


class RelationForm(forms.Form):
    """Two organizations, and how they are related."""

    one = forms.CharField(
        label=gettext_lazy("One organization"),
        help_text=gettext_lazy("Its public id, such as org_..."),
        max_length=32,
    )
    other = forms.CharField(
        label=gettext_lazy("The other one"),
        help_text=gettext_lazy("Its public id, such as org_..."),
        max_length=32,
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How they are related"),
        choices=[(kind, WHY[kind]) for kind in RelationKind.values],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("How you know it."),
        max_length=REASON_LENGTH_MAX,
    )

    def clean_one(self) -> Organization:
        """Return the organization that is meant."""
        return _organization(self.cleaned_data["one"])

    def clean_other(self) -> Organization:
        """Return the organization that is meant."""
        return _organization(self.cleaned_data["other"])


@require_safe
@control_reads
def relations(request: HttpRequest) -> HttpResponse:
    """Show who is related to whom, and why; and what was written down, also if it is over."""
    return _page(request, RelationForm())


@require_POST
@control_writes
def relation_enter(request: HttpRequest) -> HttpResponse:
    """Write down that two organizations are related."""
    form, actor = RelationForm(request.POST), caller_of(request)
    if not form.is_valid():
        return _page(request, form, status=422)
    said = form.cleaned_data
    entered = done(
        request,
        lambda: enter_relation(
            said["one"], said["other"], kind=said["kind"], reason=said["reason"], actor=actor
        ),
    )
    if not entered:
        return _page(request, form, status=422)
    messages.success(request, _("It is written down."))
    return redirect("relations")


@require_POST
@control_writes
def relation_end(request: HttpRequest, public_id: str) -> HttpResponse:
    """Say that a relation is over."""
    actor = caller_of(request)
    rows = OrganizationRelation.objects.visible_to(actor)
    relation = get_object_or_404(rows, public_id=public_id)
    reason = request.POST.get("reason", "")
    if done(request, lambda: end_relation(relation, reason=reason, actor=actor)):
        messages.success(request, _("The relation is ended."))
    return redirect("relations")


def _organization(public_id: str) -> Organization:
    rows = Organization.objects.filter(operates=False, audits=False)
    found = rows.filter(public_id=public_id.strip()).first()
    if found is None:
        raise forms.ValidationError(_("There is no such organization that trades."))
    return found


def _page(request: HttpRequest, form: RelationForm, *, status: int = 200) -> HttpResponse:
    caller = caller_of(request)
    entered: Any = OrganizationRelation.objects.visible_to(caller).select_related("one", "other")
    pairs = related_pairs()
    shown = {
        "pairs": pairs,
        "is_cut": len(pairs) == PAIRS_MAX,
        "page": Page(entered, number=page_number(request)),
        "form": form,
        "why": WHY,
        "may_enter": caller.has_scope(Scope.MEASURES_WRITE),
    }
    return render(request, "exchange/control/watch/relations.html", shown, status=status)
