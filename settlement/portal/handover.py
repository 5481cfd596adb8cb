"""Hand-over of one contract: what serves it, the access note, and who read that."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Caller, Role, Scope
from accounts.web.portal import caller_of, member_required
from settlement.models import CONTRACT_MOVES, AccessNoteRead, Contract, Device
from settlement.portal.handover_forms import AssignForm, NoteForm
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.queries.access import assignments_of, devices_fit_for, note_of, reader_shown
from settlement.queries.contracts import contracts_shown
from settlement.services import access_notes, handover

READS_SHOWN = 50
trader_required = member_required(roles=[Role.OWNER, Role.TRADER])


@require_safe
@member_required()
def contract_handover(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what serves a contract and who read its note; the text itself is a step further."""
    return _page(request, _contract(request, public_id))


@require_POST
@trader_required
def device_assign(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let a device serve the contract."""
    caller, contract = caller_of(request), _contract(request, public_id)
    _refuse_non_provider(contract, caller)
    form = AssignForm(request.POST, fit=devices_fit_for(contract))
    if form.is_valid():
        deed = partial(handover.assign_device, contract, form.cleaned_data["device"], actor=caller)
        if carry_out(form, deed):
            return redirect("contract_handover", public_id)
    return _page(request, contract, assign_form=form, status=422)


@require_POST
@trader_required
def device_unassign(request: HttpRequest, public_id: str) -> HttpResponse:
    """End what a device does for the contract."""
    caller, contract = caller_of(request), _contract(request, public_id)
    _refuse_non_provider(contract, caller)
    named = request.POST.get("device", "")
    device = Device.objects.visible_to(caller).filter(public_id=named).first()
    try:
        if device is not None:
            handover.unassign_device(contract, device, reason="", actor=caller)
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    return redirect("contract_handover", public_id)


@require_POST
@trader_required
@sensitive_post_parameters("text")
def note_write(request: HttpRequest, public_id: str) -> HttpResponse:
    """Write the access note, or replace it."""
    caller, contract = caller_of(request), _contract(request, public_id)
    _refuse_non_provider(contract, caller)
    form = NoteForm(request.POST)
    if form.is_valid() and carry_out(
        form, partial(access_notes.write_note, contract, form.cleaned_data["text"], actor=caller)
    ):
        messages.success(request, _("The note is kept. The buyer's traders can read it."))
        return redirect("contract_handover", public_id)
    return _page(request, contract, note_form=form, status=422)


@require_POST
@trader_required
@never_cache
@sensitive_variables("text")
def note_read(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the note's text, and write down who asked for it. Context: ``contract``, ``text``."""
    contract = _contract(request, public_id)
    try:
        text = access_notes.read_note(contract, actor=caller_of(request))
    except access_notes.NotTheBuyer as refused:
        raise PermissionDenied(str(refused)) from refused
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
        return redirect("contract_handover", public_id)
    context = {"contract": contract, "text": text}
    return render(request, "settlement/access_note.html", context)


def _page(
    request: HttpRequest,
    contract: Contract,
    *,
    assign_form: AssignForm | None = None,
    note_form: NoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    caller = caller_of(request)
    is_provider = contract.provider_id == caller.organization_id
    is_buyer = contract.buyer_id == caller.organization_id
    is_live = bool(CONTRACT_MOVES[contract.state])
    note = note_of(contract)
    reads = AccessNoteRead.objects.visible_to(caller).filter(note=note)[:READS_SHOWN]
    context = {
        "contract": contract,
        "assignments": assignments_of(contract),
        "assign_form": assign_form or AssignForm(fit=devices_fit_for(contract)),
        "note": note,
        "note_form": note_form or NoteForm(),
        "reads": [(read, reader_shown(read, caller)) for read in reads],
        "may_hand_over": is_live and is_provider and caller.has_scope(Scope.CONTRACTS_WRITE),
        "may_read": is_live and is_buyer and caller.has_scope(Scope.CONTRACTS_ACCESS),
    }
    return render(request, "settlement/handover.html", context, status=status)


def _contract(request: HttpRequest, public_id: str) -> Contract:
    return get_object_or_404(contracts_shown(caller_of(request)), public_id=public_id)


def _refuse_non_provider(contract: Contract, caller: Caller) -> None:
    """Turn away whom the form was not shown to: the rules stand in the services."""
    try:
        access_notes.refuse_non_provider(contract, caller)
    except access_notes.NotTheProvider as refused:
        raise PermissionDenied(str(refused)) from refused
