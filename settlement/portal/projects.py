"""Projects of a buyer: what each may spend, what it has committed, and how near its end it is."""

from functools import partial

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Kind, Role, Scope
from accounts.web.form_fields import ScaledField
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from exchange.foundation.money import MICROS
from settlement.models import Project
from settlement.models.projects import NAME_LENGTH_MAX
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.services.projects import close_project, open_project, set_budget

buyer_reads = member_required(kind=Kind.BUYS)
owner_required = member_required(kind=Kind.BUYS, roles=[Role.OWNER])
BUDGET_LENGTH_MAX = 10**16


class BudgetForm(forms.Form):
    """How much a project may commit."""

    budget = ScaledField(label=gettext_lazy("Budget"), scale=MICROS)

    def clean_budget(self) -> int:
        """Return the budget in micro-units, within what the books can count."""
        budget: int = self.cleaned_data["budget"]
        if budget > BUDGET_LENGTH_MAX:
            raise forms.ValidationError(_("This is too large."))
        return budget


class ProjectForm(BudgetForm):
    """A new project."""

    field_order = ["name", "budget"]
    name = forms.RegexField(
        r"^[\w.:/@+#-]([\w .:/@+#-]*[\w.:/@+#-])?$",
        label=gettext_lazy("Name"),
        max_length=NAME_LENGTH_MAX,
        help_text=gettext_lazy("Bids name the project by it."),
    )


@require_safe
@buyer_reads
def project_list(request: HttpRequest) -> HttpResponse:
    """List the projects with what is left of each."""
    return _page(request, ProjectForm())


@require_POST
@owner_required
def project_new(request: HttpRequest) -> HttpResponse:
    """Open a project."""
    form = ProjectForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        deed = partial(
            open_project, said["name"], budget_micros=said["budget"], caller=caller_of(request)
        )
        if carry_out(form, deed):
            messages.success(request, _("The project is open. Bids can name it."))
            return redirect("project_list")
    return _page(request, form, status=422)


@require_POST
@owner_required
def project_budget(request: HttpRequest, public_id: str) -> HttpResponse:
    """Set another budget."""
    _own(request, public_id)
    form = BudgetForm(request.POST)
    if form.is_valid():
        budget, caller = form.cleaned_data["budget"], caller_of(request)
        try:
            set_budget(public_id, budget_micros=budget, caller=caller)
        except REFUSALS as refused:
            messages.error(request, words_of(refused))
        else:
            messages.success(request, _("The budget is set."))
    else:
        messages.error(request, _("That is no budget."))
    return redirect("project_list")


@require_POST
@owner_required
def project_close(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let no further bid name a project."""
    _own(request, public_id)
    try:
        close_project(public_id, caller=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, _("The project is closed. What it has bought goes on."))
    return redirect("project_list")


def _own(request: HttpRequest, public_id: str) -> Project:
    caller = caller_of(request)
    own = Project.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    return get_object_or_404(own, public_id=public_id)


def _page(request: HttpRequest, form: ProjectForm, *, status: int = 200) -> HttpResponse:
    caller = caller_of(request)
    own = Project.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    shown = own.order_by("-id").with_spent().prefetch_related("alerts")
    context = {
        "page": Page(shown, number=page_number(request)),
        "form": form,
        "may_write": caller.has_scope(Scope.PROJECTS_WRITE),
    }
    return render(request, "settlement/projects.html", context, status=status)
