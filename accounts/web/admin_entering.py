"""Admin pages on which an operator enters something new: a form, a reason, one service."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts.models.callers import Caller
from accounts.web.admin_actions import ReadOnlyAdmin, ReasonForm, actor_of
from accounts.web.problems import refusal_of


class EnteringAdmin(ReadOnlyAdmin):
    """Mixed into a ModelAdmin: rows are only looked at, but a form above the list enters one.

    ``entering_form`` asks, ``entering_title`` names the deed, and ``enter`` does it by a service;
    what the service refuses stands on the form.
    """

    entering_form: ClassVar[type[ReasonForm]]
    entering_title: ClassVar[Any]
    change_list_template: Any = "admin/entering_list.html"
    admin_site: Any

    def enter(self, said: dict[str, Any], actor: Caller) -> models.Model:
        """Do it and return the row that says so."""
        raise AssertionError(f"{type(self).__name__} does not say how to enter {said}")

    @property
    def entering_url(self) -> str:
        """The name of the page with the form."""
        return f"{self.opts.app_label}_{self.opts.model_name}_enter"

    def get_urls(self) -> list[URLPattern]:
        """Add the page with the form."""
        view = self.admin_site.admin_view(self.entering_view)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # of the ModelAdmin
        return [path("enter/", view, name=self.entering_url), *urls]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list with the way to the form."""
        extra = {"entering_url": f"admin:{self.entering_url}", "entering": self.entering_title}
        shown: HttpResponse = super().changelist_view(  # type: ignore[misc]  # of the ModelAdmin
            request, {**extra, **(extra_context or {})}
        )
        return shown

    def entering_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, and enter it through the service."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        form = self.entering_form(request.POST or None)
        if form.is_valid():
            row = self._enter(form, actor_of(request))
            if row is not None:
                messages.success(request, _("Done: %(count)d.") % {"count": 1})
                return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": self.entering_title,
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/entering.html", context)

    def _enter(self, form: ReasonForm, actor: Caller) -> models.Model | None:
        try:
            return self.enter(form.cleaned_data, actor)
        except Exception as refused:
            if refusal_of(refused) is None:
                raise
            form.add_error(None, str(refused))
            return None
