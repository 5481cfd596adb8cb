"""Case files: the list, one case with its evidence and history, and what is done with it."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Scope, User
from accounts.web.listing import Page, page_number
from accounts.web.once import do_once
from accounts.web.portal import caller_of
from exchange.models import CaseState, WatchCase
from exchange.models.cases import NOTE_LENGTH_MAX
from exchange.models.columns import REASON_LENGTH_MAX
from exchange.portal.control.deeds import done
from exchange.portal.control.doors import control_reads, control_writes
from exchange.portal.control.watch import CASE_KEYS, shown_rows
from exchange.portal.control.watch_words import BOARDS, DEEDS, KINDS, OUTCOMES, cells_of
from exchange.portal.market.sights import region_names
from exchange.queries.watch import boards
from exchange.queries.watch.findings import Found, Span, Subject
from exchange.services.cases import (
    assign_case,
    close_case,
    is_as_it_was,
    note_in_case,
    people_who_operate,
)

TRADES_SHOWN = 20
ASSIGN_IDS, CLOSE_IDS = "assign_%s", "close_%s"  # both forms ask for a reason


class NoteForm(forms.Form):
    """A note in a case's history."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AssignForm(forms.Form):
    """Who looks into it from now on."""

    to = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Who looks into it"),
        to_field_name="public_id",
        empty_label=None,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=REASON_LENGTH_MAX)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)
        to.queryset = people_who_operate()


class CloseForm(forms.Form):
    """What came of it."""

    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), choices=list(OUTCOMES.items()))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@require_safe
@control_reads
def case_list(request: HttpRequest) -> HttpResponse:
    """Show all cases, open ones first."""
    rows = WatchCase.objects.visible_to(caller_of(request)).defer("evidence")
    state = request.GET.get("state", "")
    if state in CaseState.values:
        rows = rows.filter(state=state)
    shown = {
        "page": Page(
            rows.select_related(*CASE_KEYS).order_by("-state", "-pk"), number=page_number(request)
        ),
        "state": state,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "names": region_names(),
    }
    return render(request, "exchange/control/watch/cases.html", shown)


@require_safe
@control_reads
def case(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one case: what was found, and all that was done since."""
    return _page(request, _case(request, public_id))


@require_safe
@control_reads
def case_evidence(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give the evidence just as it was frozen and hashed."""
    row = _case(request, public_id)
    response = HttpResponse(row.evidence, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.public_id}.json"'
    return response


@require_POST
@control_writes
def case_note(request: HttpRequest, public_id: str) -> HttpResponse:
    """Add a note."""
    row, actor = _case(request, public_id), caller_of(request)

    def deed(said: Mapping[str, Any]) -> None:
        def note() -> str:
            note_in_case(row, text=said["text"], actor=actor)
            return row.public_id

        do_once(request, note)

    return _act(request, row, ("note", NoteForm(request.POST)), deed, words=_("It is noted."))


@require_POST
@control_writes
def case_assign(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let another operator look into it."""
    row, actor = _case(request, public_id), caller_of(request)

    def deed(said: Mapping[str, Any]) -> None:
        assign_case(row, said["to"], reason=said["reason"], actor=actor)

    form = AssignForm(request.POST, auto_id=ASSIGN_IDS)
    return _act(request, row, ("assign", form), deed, words=_("It is assigned."))


@require_POST
@control_writes
def case_close(request: HttpRequest, public_id: str) -> HttpResponse:
    """Close the case with its outcome."""
    row, actor = _case(request, public_id), caller_of(request)

    def deed(said: Mapping[str, Any]) -> None:
        close_case(row, outcome=said["outcome"], reason=said["reason"], actor=actor)

    form = CloseForm(request.POST, auto_id=CLOSE_IDS)
    return _act(request, row, ("close", form), deed, words=_("The case is closed."))


def _act(
    request: HttpRequest,
    row: WatchCase,
    asked: tuple[str, forms.Form],
    deed: Callable[[Mapping[str, Any]], None],
    *,
    words: str,
) -> HttpResponse:
    """Do with a case what a form of its page asks, by the name that the page gives the form."""
    name, form = asked
    if not form.is_valid():
        return _page(request, row, status=422, **{name: form})
    if done(request, lambda: deed(form.cleaned_data)):
        messages.success(request, words)
    return redirect("case", row.public_id)


def _case(request: HttpRequest, public_id: str) -> WatchCase:
    seen = WatchCase.objects.visible_to(caller_of(request))
    return get_object_or_404(seen.select_related(*CASE_KEYS), public_id=public_id)


def _page(
    request: HttpRequest, row: WatchCase, *, status: int = 200, **bound: forms.Form
) -> HttpResponse:
    evidence = json.loads(row.evidence)
    found = _found_in(evidence)
    board = boards.board_of(found.subject)
    empty = {
        "note": NoteForm(),
        "assign": AssignForm(auto_id=ASSIGN_IDS),
        "close": CloseForm(auto_id=CLOSE_IDS),
    }
    shown = {
        "case": row,
        "words": BOARDS[board],
        "row": next(shown_rows(board, [found])),
        "parts": [
            (", ".join(part["names"]), cells_of(part["figures"])) for part in evidence["parts"]
        ],
        "trades": evidence["trades"][:TRADES_SHOWN],
        "trades_count": len(evidence["trades"]),
        "holds": is_as_it_was(row),
        "entries": row.entries.select_related("person", "assigned_to"),
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "deeds": DEEDS,
        "forms": empty | bound,
        "may_act": row.state == CaseState.OPEN
        and caller_of(request).has_scope(Scope.MEASURES_WRITE),
    }
    return render(request, "exchange/control/watch/case.html", shown, status=status)


def _found_in(evidence: Mapping[str, Any]) -> Found:
    """Return the finding that a case keeps, as it was."""
    said = evidence["subject"]
    return Found(
        subject=Subject(
            kind=evidence["kind"],
            span=Span(
                datetime.fromisoformat(evidence["since"]), datetime.fromisoformat(evidence["until"])
            ),
            at=datetime.fromisoformat(said["at"]) if said["at"] else None,
            **{name: said[name] for name in ("region", "accelerator", "site", "seller", "buyer")},
        ),
        figures=evidence["figures"],
        flagged=True,
        names=said["names"],
        why=tuple(said["why"]),
    )
