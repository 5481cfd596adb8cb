"""Who acts for an organization: every member sees it, owners decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Invitation, Membership, Role
from accounts.models.organizations import MembershipQuerySet
from accounts.portal.forms import MemberForm, RoleForm
from accounts.services import invitations, members
from accounts.web.portal import caller_of, member_required

owner_required = member_required(roles=[Role.OWNER])


@require_safe
@member_required()
def member_list(request: HttpRequest) -> HttpResponse:
    """List the members. Context: ``members, invitations, roles, form, may_write``."""
    return _list(request, MemberForm())


@require_POST
@owner_required
def member_new(request: HttpRequest) -> HttpResponse:
    """Invite somebody by e-mail address."""
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        invitations.invite(**form.cleaned_data, actor=caller_of(request))
    except (members.AlreadyMember, members.TooManyMembers):
        form.add_error(None, _("This person is a member already, or there are too many."))
        return _list(request, form, status=422)
    messages.success(request, _("Invited. The letter's address works once, within seven days."))
    return redirect("members")


@require_POST
@owner_required
def invitation_withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """End an invitation that was not accepted."""
    caller = caller_of(request)
    own = Invitation.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    invitation = get_object_or_404(own, public_id=public_id)
    invitations.withdraw_invitation(invitation, actor=caller)
    return redirect("members")


@require_POST
@owner_required
def member_role(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give a member another role."""
    member = get_object_or_404(_own(request), public_id=public_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such role."))
        return redirect("members")
    try:
        members.change_role(member, role=form.cleaned_data["role"], actor=caller_of(request))
    except members.LastOwner:
        messages.error(request, _("The last owner stays."))
    return redirect("members")


@require_POST
@owner_required
def member_remove(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a membership."""
    member = get_object_or_404(_own(request), public_id=public_id)
    try:
        members.remove_member(member, actor=caller_of(request))
    except members.LastOwner:
        messages.error(request, _("The last owner stays."))
    return redirect("members")


def _own(request: HttpRequest) -> MembershipQuerySet:
    """Return the organization's members; even who sees all has only its own to manage."""
    caller = caller_of(request)
    own = Membership.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    return own.select_related("user")


def _list(request: HttpRequest, form: MemberForm, *, status: int = 200) -> HttpResponse:
    caller = caller_of(request)
    invited = Invitation.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    context = {
        "invitations": invited.open(),
        "members": _own(request),
        "roles": Role.choices,
        "form": form,
        "may_write": caller_of(request).role == Role.OWNER,
    }
    return render(request, "accounts/members.html", context, status=status)
