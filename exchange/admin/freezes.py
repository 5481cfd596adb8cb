from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Caller
from accounts.web.admin_actions import (
    ReadOnlyAdmin,
    ReasonForm,
    action_with_reason,
    actor_of,
    export_csv,
)
from exchange.models import MarketFreeze
from exchange.services.freezes import MarketAlreadyFrozen, freeze_market, lift_freeze


def _lift(freeze: MarketFreeze, reason: str, actor: Caller) -> None:
    lift_freeze(reason=reason, actor=actor)


@admin.register(MarketFreeze)
class MarketFreezeAdmin(ReadOnlyAdmin, admin.ModelAdmin[MarketFreeze]):
    """Halts of the market. A new one is made by the button, ended by the action."""

    change_list_template = "admin/exchange/freezes.html"
    list_display = ["frozen_at", "actor", "reason", "lifted_at", "lifted_by"]
    list_filter = ["lifted_at"]
    search_fields = ["reason", "actor"]
    date_hierarchy = "frozen_at"
    actions = [
        export_csv,
        action_with_reason(_lift, name="lift", description=gettext_lazy("Lift the halt")),
    ]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that halts the market."""
        halt = path(
            "halt/", self.admin_site.admin_view(self.halt_view), name="exchange_marketfreeze_halt"
        )
        return [halt, *super().get_urls()]

    def halt_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a reason and halt the market through the service."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            try:
                freeze_market(reason=form.cleaned_data["reason"], actor=actor_of(request))
            except MarketAlreadyFrozen as refused:
                self.message_user(request, str(refused), messages.ERROR)
            else:
                self.message_user(request, _("The market is halted."), messages.SUCCESS)
            return redirect("admin:exchange_marketfreeze_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Halt the market"),
            "opts": self.model._meta,
            "form": form,
            "rows": [],
        }
        return TemplateResponse(request, "admin/reason.html", context)
